"""The provincial one-stop portal, as the public OpenCPS v2 sources of 2020 describe it (provincial.md)."""
