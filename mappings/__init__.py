"""Mappings: the vocabulary of each portal, both ways. Pure, apart from reading its own files."""

from mappings.loader import Mapping, load, packaged, table_words
from mappings.message import Message, Normalised

__all__ = ["Mapping", "Message", "Normalised", "load", "packaged", "table_words"]
