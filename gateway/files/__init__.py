"""Files that deliveries carry and that other portals hold: fetched, kept, and shown to people (docs/adr/0021)."""
