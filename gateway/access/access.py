"""The door-keeper: lets a caller in or says why not, before anything he sent is read."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from gateway.access.caller import Approach, Caller, Denied, Reason
from gateway.access.certificates import matching
from gateway.access.keys import Keys, NoKeys, recognise
from gateway.access.networks import Network, address, caller_address, neighbourhood, within
from gateway.access.rates import Rates
from gateway.access.rule import Rule
from schemas.clock import Clock

Proof = Literal["network", "secret", "certificate", "key"]


class Access:
    """Applies rules to approaches. Thread-safe; its only state is how often each caller came."""

    def __init__(self, clock: Clock, *, keys: Keys | None = None, trusted_proxies: Sequence[Network] = ()) -> None:
        self.trusted_proxies = tuple(trusted_proxies)
        self._clock = clock
        self._keys = keys or NoKeys()
        self._rates = Rates()

    def admit(self, rule: Rule, approach: Approach) -> Caller | Denied:
        """Let a caller in, or say why not.

        The rate is counted for every approach from an allowed network, also for those that fail afterwards: guessing
        is bounded like calling.
        """
        where = caller_address(approach.address, approach.forwarded, self.trusted_proxies)
        if rule.networks and not within(address(where), rule.networks):
            return Denied(outside(where), where)
        who = (rule.place, neighbourhood(where))
        wait_s = self._rates.take(who, rule.calls_per_s, rule.burst, self._clock.monotonic())
        if wait_s:
            return Denied(Reason.RATE, where, wait_s)
        if rule.secret is not None and not _same(approach.secret, rule.secret()):
            return Denied(Reason.PATH, where)
        if rule.scope:
            return self._by_scope(rule, approach, where, self._clock.now())
        return _by_place(rule, approach, where)

    def _by_scope(self, rule: Rule, approach: Approach, where: str, now: datetime) -> Caller | Denied:
        """A key or a pinned certificate says who he is, and one of them must carry the scope."""
        key = recognise(approach.key, self._keys, now) if approach.key else None
        pinned = matching(approach.certificate, rule.certificates)
        proved: list[tuple[str, Proof, frozenset[str]]] = []
        if key is not None:
            proved.append((key.name, "key", key.scopes))
        if pinned is not None:
            proved.append((pinned.name, "certificate", pinned.scopes))
        for name, proof, scopes in proved:
            if rule.scope in scopes:
                return Caller(name, where, proof, scopes)
        return Denied(Reason.SCOPE if proved else Reason.KEY, where)


def _by_place(rule: Rule, approach: Approach, where: str) -> Caller | Denied:
    """All measures of the place hold already but the certificate's."""
    if rule.certificates:
        pinned = matching(approach.certificate, rule.certificates)
        if pinned is None:
            return Denied(Reason.CERTIFICATE, where)
        return Caller(pinned.name or rule.place, where, "certificate", pinned.scopes)
    return Caller(rule.place, where, "secret") if rule.secret is not None else Caller("", where, "network")


def outside(where: str) -> Reason:
    """Why someone is in no network: he is elsewhere, or had reset the connection before his address was known."""
    return Reason.NETWORK if where else Reason.GONE


def _same(shown: str, wanted: str) -> bool:
    """In a time that does not depend on where they differ; an empty secret opens to nobody."""
    return bool(wanted) and hmac.compare_digest(shown.encode(), wanted.encode())
