"""The oracle: reads only the portals' own books and says whether all ends agree.

It imports nothing of the gateway, of the adapters or of the mappings: an oracle that used our vocabulary could not see
a wrong one. What words of two portals mean the same stands in `words.py`, written by hand a second time.
"""

from gateway.demo.oracle.books import Books, read_books
from gateway.demo.oracle.calls import figures, told_at
from gateway.demo.oracle.judge import Listed, Oracle
from gateway.demo.oracle.verdict import Finding, Verdict

__all__ = ["Books", "Finding", "Listed", "Oracle", "Verdict", "figures", "read_books", "told_at"]
