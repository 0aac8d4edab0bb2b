"""Mappings: the vocabulary of each portal as YAML, read in both directions; a mapping knows no protocol."""
