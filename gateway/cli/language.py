"""The language of the command line is that of everything people read (`gateway.language`)."""

from gateway.language import LANGUAGES, VARIABLE, language, t

__all__ = ["LANGUAGES", "VARIABLE", "language", "t"]
