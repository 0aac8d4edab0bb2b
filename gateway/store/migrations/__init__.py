"""Revisions of the tables, applied by Alembic to a copy of the store (`gateway.store.migrate`)."""
