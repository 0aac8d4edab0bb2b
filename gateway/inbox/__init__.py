"""Inboxes of ministries without an interface: what waits for them, what they say to it, and how they are told."""
