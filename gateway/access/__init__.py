"""Who may call us, and what he may do: the one place that decides it (docs/access.md)."""

from gateway.access.access import Access
from gateway.access.caller import Approach, Caller, Denied, Reason
from gateway.access.rule import Rule

__all__ = ["Access", "Approach", "Caller", "Denied", "Reason", "Rule"]
