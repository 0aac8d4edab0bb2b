"""One file per revision; each later one names the one before it."""
