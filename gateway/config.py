"""The whole configuration as one typed model; unknown keys are errors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from schemas.settings import Section
from schemas.status import DossierStatus

Environment = Literal["production", "test", "demo"]
Seconds = Annotated[float, Field(gt=0)]
TIME_OF_DAY = r"^([01]\d|2[0-3]):[0-5]\d$"
TimeOfDay = Annotated[str, Field(pattern=TIME_OF_DAY)]


def _written(pattern: str, instead: str) -> AfterValidator:
    """Text of one form, with an example of it for people."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"write {instead}")
        return text

    return AfterValidator(check)


ListenAddress = Annotated[
    str, _written(r"(\[[0-9A-Fa-f:]+\]|[0-9A-Za-z.-]+):\d{1,5}", "an address such as 127.0.0.1:8080")
]
PublicUrl = Annotated[
    str, _written(r"(https?://[^\s/?#@]+(/[^\s?#]*)?)?", "an address such as https://lienthong.example.vn")
]
SecretOrNone = Annotated[
    str, _written(r"(\$\{[A-Z][A-Z0-9_]*\})?", "a reference such as ${INBOUND_SECRET}, never the secret itself")
]


class RetryConfig(Section):
    """The durable ladder: `base_s`, times `factor` at each try, at most `max_s`, plus or minus `jitter`."""

    base_s: Seconds = 30.0
    factor: Annotated[float, Field(ge=1)] = 2.0
    max_s: Seconds = 3600.0
    jitter: Annotated[float, Field(ge=0, le=0.5)] = 0.2
    refusals: Annotated[int, Field(ge=1)] = 5
    """How often a refusal without a known text is tried before a person is asked."""
    asks: Annotated[int, Field(ge=1)] = 5
    """How often a probe may fail to tell before the delivery ends unproven."""
    repeats: Annotated[int, Field(ge=1)] = 8
    """How often a harmless repeat may be answered that it may be there already before the delivery ends unproven."""
    unanswered: Annotated[int, Field(ge=1)] = 100
    """How often harmless bytes are sent without an answer that can be read before a person is asked."""


class BudgetConfig(Section):
    """Token bucket shared by all jobs of the portal."""

    calls_per_s: Seconds = 20.0
    burst: Annotated[int, Field(ge=1)] = 20


class BreakerConfig(Section):
    """Opens after `failures` in a row for `open_s`, doubling up to `max_open_s`; half-open by a harmless call."""

    failures: Annotated[int, Field(ge=1)] = 5
    open_s: Seconds = 60.0
    max_open_s: Seconds = 900.0


class MaintenanceWindow(Section):
    """Hours in Vietnam time in which nothing is sent to the portal, e.g. 23:00 to 01:00."""

    starts: TimeOfDay
    ends: TimeOfDay
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4, 5, 6)


class InboundConfig(Section):
    """Calls that a portal makes on us; without this section it cannot call. Every measure that is given must hold."""

    at: tuple[str, ...] = ()
    """Absolute paths at which its endpoints stand as well, beside `/in/<portal>`."""
    allow: tuple[str, ...] = ()
    """Addresses or networks it calls from; empty means any."""
    secret: SecretOrNone = ""
    """A word that follows `/in/<portal>` (and each path of `at`) in the address."""
    certificates: tuple[str, ...] = ()
    """`sha256:` and the fingerprint, or the whole subject, of client certificates; one of them must be shown."""
    max_body_bytes: Annotated[int, Field(ge=1024)] | None = None
    """Largest body; that of `server` when it is left out."""
    files_at: PublicUrl = ""
    """The address at which this portal reaches our files, as `https://lienthong.example.vn/in/national/downloadfile`: a
    slash and 36 characters follow. Without it no address of a file is written there."""
    calls_per_s: Seconds = 50.0
    """From one address, on average."""
    burst: Annotated[int, Field(ge=1)] = 200


Hours = Annotated[float, Field(gt=0)]


class TimersConfig(Section):
    """How long each fact of a hand-over may be missing, counted from the one before it.

    A fact that is not named is left to the next rule, and at last to the default; None is as long as it takes.
    """

    procedures: tuple[str, ...] = ()
    """For these procedures only; patterns use `*`."""
    sent_within_h: Hours | None = None
    """From when it became due."""
    received_within_h: Hours | None = None
    """From when it was sent."""
    accepted_within_h: Hours | None = None
    """From when it was received."""
    completed_within_h: Hours | None = None
    """From when it was accepted."""

    @model_serializer(mode="wrap")
    def _as_written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the facts it leaves to others: `null` would be an answer."""
        return {name: value for name, value in write(self).items() if name in self.model_fields_set}

    @property
    def named(self) -> dict[str, float | None]:
        """The facts that this rule names, with their hours."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set & HOURS}


HOURS = frozenset(TimersConfig.model_fields) - {"procedures"}
"""The keys of a rule that name a fact."""
WITHIN_H = TimersConfig(sent_within_h=24.0, received_within_h=24.0)
"""What holds where neither route nor partner name a fact."""

TimerRules = Annotated[
    Annotated[TimersConfig, Tag("one")] | Annotated[tuple[TimersConfig, ...], Tag("many")],
    Discriminator(lambda value: "many" if isinstance(value, (list, tuple)) else "one"),
]
"""One rule, or a list of them, of which the first that holds and names a fact wins."""


class PortalConfig(Section):
    """One portal: its kind is code, this entry is everything else."""

    kind: str
    profile: str = ""
    mapping: str
    label: str = ""
    environment: Environment = "production"
    direction: Literal["pull", "push", "both"] = "both"
    every_s: Seconds = 60.0
    workers: Annotated[int, Field(ge=1, le=32)] = 4
    call_timeout_s: Seconds = 60.0
    settle_s: Seconds = 200.0
    """Longer than the portal's longest call; nothing uncertain is judged before it has passed."""
    retry: RetryConfig = RetryConfig()
    budget: BudgetConfig = BudgetConfig()
    breaker: BreakerConfig = BreakerConfig()
    maintenance: tuple[MaintenanceWindow, ...] = ()
    adopt: Literal["unique", "never"] = "unique"
    """Whether a record that was never ours may be updated when its number is unique at its source."""
    drift_tries: Annotated[int, Field(ge=0)] = 3
    silent_after_s: Seconds = 3600.0
    max_writes_per_sweep: Annotated[int, Field(ge=1)] = 2000
    """Above this many lanes made due by one sweep the portal is paused and a person is asked."""
    inbound: InboundConfig | None = None
    timers: TimerRules = ()
    """When a missing fact of a hand-over to it is late, where the route does not say so."""
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _settles_after_calls(self) -> PortalConfig:
        if self.settle_s <= self.call_timeout_s:
            raise ValueError("settle_s must be longer than call_timeout_s: an answer may still be on its way")
        return self


class Act(Section):
    """What an event elsewhere makes the handler do: the wanted status, and from where it may be done."""

    act: DossierStatus
    from_: Annotated[tuple[str, ...], Field(alias="from")] = ()
    """Canonical or wire statuses the dossier must be in; empty means any that is not final."""
    note: str = ""
    by: str = "act"
    """The handler's operation that does it, where its kind has one of its own: `supplement`, `confirm_payment`."""
    wires: tuple[str, ...] = ()
    """Only for these words of the portal; empty means any."""


class OwnershipConfig(Section):
    """Who may set which status (design.md section 2)."""

    handlers: Annotated[tuple[str, ...], Field(min_length=1)]
    """The portals that handle dossiers; each dossier is handled by the one that holds its record."""
    births: tuple[str, ...] = ()
    """Portals at which citizens submit: the handler is asked once to make a dossier born there (`create_dossier`)."""
    requests: dict[str, dict[DossierStatus, Act]] = Field(default_factory=dict)
    """Portal -> status -> what the handler is asked to do when that portal says it."""


class When(Section):
    """Conditions of a route; all given ones must hold. Patterns use `*`."""

    procedures: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    statuses: tuple[DossierStatus, ...] = ()
    wires: tuple[str, ...] = ()
    from_on: str = ""
    """First day (yyyy-mm-dd, by the dossier's reception or submission) on which the route holds."""
    to_on: str = ""
    """Last day, inclusive."""


class GroupConfig(Section):
    """Stages that belong together: what the handler does when all have ended well, and when the first is refused."""

    when_all: Act
    when_any_refused: Act | None = None


class RouteConfig(Section):
    """Who must hear of a dossier. `mirror` keeps a copy right; `forward` hands a stage to another handler."""

    name: str
    to: str
    kind: Literal["mirror", "forward"] = "mirror"
    when: When = When()
    rows: tuple[DossierStatus, ...] = ()
    """Statuses that are handed over as progress rows; empty means all."""
    results: dict[DossierStatus, Act] = Field(default_factory=dict)
    """For `forward`: what the stage's statuses make the handler do."""
    group: str = ""
    """For `forward`: the entry of `groups` that decides about the end of this stage together with others."""
    cancel: tuple[str, ...] = ()
    """For `forward`: canonical or wire statuses of the handler that end the stage: its portal is told to stop."""
    accepted_by: tuple[str, ...] = ("accepted", "in_progress")
    """For `forward`: canonical or wire statuses of the stage that say it was accepted, not only received."""
    timers: TimerRules = ()
    """For `forward`: when a fact that is missing is late; what it names wins over the portal's own `timers`."""


class ProvinceConfig(Section):
    """Who we are."""

    agency_code: str
    name: str = ""


class StoreConfig(Section):
    """Where state lies; the key ring is a file of its own, outside store and backup."""

    path: str = "var/lienthong.db"
    key_ring: str = "var/keys.ring"
    signing_keys: str = ""
    """Keys that sign receipts and checkpoints; by default `signing.keys` beside the key ring."""
    raw_days: Annotated[int, Field(ge=1)] = 90

    @property
    def signing_path(self) -> Path:
        """Where the signing keys lie."""
        return Path(self.signing_keys) if self.signing_keys else Path(self.key_ring).with_name("signing.keys")

    files: str = "var/files"
    """Folder of sealed attachments that came with calls on us."""
    file_days: Annotated[int, Field(ge=1)] = 90
    file_mib: Annotated[int, Field(ge=1, le=2048)] = 50
    file_patience_h: Hours = 24.0
    """How long a delivery that is sent once waits for a file that another portal holds; then it goes without it."""
    journal: str = "var/journal"
    """Folder of the sealed journal of calls: outside the store, best on another disk; a restore replays it."""
    journal_days: Annotated[int, Field(ge=1)] = 60
    """Longer than the oldest backup that may be restored."""


class NotifyConfig(Section):
    """Who is told, and how: a command that gets the text on its standard input, or mail."""

    command: tuple[str, ...] = ()
    mail_to: tuple[str, ...] = ()
    mail_from: str = ""
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    due_within_days: Annotated[int, Field(ge=0)] = 2
    daily_at: TimeOfDay = "07:30"


class TlsConfig(Section):
    """Files in PEM, relative to the configuration."""

    certificate: str
    """Ours, with its chain."""
    key: str
    client_authorities: str = ""
    """Who signs client certificates; a partner's own certificate may stand here too. Needed for `certificates`."""
    revocation_lists: tuple[str, ...] = ()
    """What those authorities have taken back, PEM or DER; an authority without a list here has taken back nothing."""


class ServerConfig(Section):
    """The HTTP server for calls on us; without this section nothing listens."""

    listen: ListenAddress = "127.0.0.1:8080"
    public_url: PublicUrl = ""
    """How callers reach us, where that is not `listen`: the address of a proxy, say."""
    tls: TlsConfig | None = None
    trusted_proxies: tuple[str, ...] = ()
    """Networks of proxies whose `X-Forwarded-For` is believed; nobody's by default."""
    connections: Annotated[int, Field(ge=4)] = 512
    """Open at one time; a quarter of them from one address."""
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    """For each endpoint, so that a slow one holds up no other."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024 * 1024
    held_bytes: Annotated[int, Field(ge=1024)] = 256 * 1024 * 1024
    """All bodies together that are held in memory; beyond it callers are asked to come again."""
    head_s: Seconds = 10.0
    """How long a caller may take to say what he wants, and how long his unread rest is listened to."""
    body_s: Seconds = 60.0
    """How long a body may take to arrive."""


class Config(Section):
    """`config.yaml`."""

    environment: Environment
    province: ProvinceConfig
    store: StoreConfig = StoreConfig()
    secrets_file: str = ""
    """A file of NAME=value lines, mode 0600, read again at each use; it wins over the process's environment."""
    portals: dict[str, PortalConfig]
    ownership: OwnershipConfig
    routes: tuple[RouteConfig, ...] = ()
    groups: dict[str, GroupConfig] = Field(default_factory=dict)
    notify: NotifyConfig = NotifyConfig()
    server: ServerConfig | None = None
    cores: Literal["one", "all"] = "one"
    """Processor cores that `run` uses: its threads share one interpreter and are faster on one."""

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        problems = list(self._unknown_names())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _unknown_names(self) -> list[str]:
        known = ", ".join(sorted(self.portals))
        wanted = [("ownership.handlers", name) for name in self.ownership.handlers]
        wanted += [(f"ownership.requests.{name}", name) for name in self.ownership.requests]
        wanted += [(f"routes.{route.name}.to", route.to) for route in self.routes]
        unknown = [
            f"{where}: no portal '{name}' (there are: {known})" for where, name in wanted if name not in self.portals
        ]
        unknown += [
            f"routes.{route.name}.group: no group '{route.group}'"
            for route in self.routes
            if route.group and route.group not in self.groups
        ]
        names = [route.name for route in self.routes]
        return unknown + [
            f"routes: the name '{n}' is used twice" for n in sorted({n for n in names if names.count(n) > 1})
        ]
