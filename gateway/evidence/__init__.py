"""The evidence log: pure functions over canonical leaves (design.md section 7)."""
