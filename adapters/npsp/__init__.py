"""The national public service portal (Cổng DVCQG), directly or through a provincial facade."""
