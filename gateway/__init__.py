"""The gateway: keeps every dossier of a province equal on the portals that must know about it."""

__version__ = "0.1.0"
