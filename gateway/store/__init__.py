"""State and the transactions that move it (design.md section 3)."""
