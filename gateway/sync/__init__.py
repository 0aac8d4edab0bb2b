"""Sync: five pure functions judge (link, observe, decide, route, plan); the engine acts."""
