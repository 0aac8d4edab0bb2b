"""Calls on us: judged, stored with their bytes, answered; the engine takes them in afterwards (design.md, T5)."""
