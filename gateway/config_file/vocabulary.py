"""A portal's words, loaded once per process where they come with the program."""

from __future__ import annotations

from functools import cache

from mappings import Mapping, load, table_words

packaged_once = cache(load)
"""Packaged mappings do not change while the program runs; a mapping is frozen, so it may be shared."""


def vocabulary(path_or_name: str) -> Mapping:
    """The mapping of a portal entry; a file of the operator's own is read anew each time.

    Raises:
        ConfigError: Lists every problem with file and line.
    """
    return load(path_or_name) if path_or_name.endswith((".yaml", ".yml")) else packaged_once(path_or_name)


def words_of(path_or_name: str) -> frozenset[str] | None:
    """Every word that stands in a table of a portal's mapping, on either side; None where it may say others as well.

    Raises:
        ConfigError: The file cannot be read.
    """
    return table_words(path_or_name)
