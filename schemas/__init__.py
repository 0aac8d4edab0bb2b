"""Schemas: the shared model of a dossier, and the errors and settings every package may use."""
