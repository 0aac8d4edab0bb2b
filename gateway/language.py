"""The language people are spoken to in: Vietnamese or English, as the environment variable LIENTHONG_LANG says."""

import os

VARIABLE = "LIENTHONG_LANG"
LANGUAGES = ("en", "vi")


def language() -> str:
    """Return "vi" or "en"; English where the variable is not set or names no language we speak."""
    wanted = os.environ.get(VARIABLE, "")
    return wanted if wanted in LANGUAGES else "en"


def t(en: str, vi: str) -> str:
    """Return the one of two texts that is in the user's language."""
    return vi if language() == "vi" else en
