"""The whole configuration as one typed model; unknown keys are errors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from schemas.settings import Section
from schemas.status import DossierStatus

Environment = Literal["production", "test", "demo"]
Seconds = Annotated[float, Field(gt=0)]
TIME_OF_DAY = r"^([01]\d|2[0-3]):[0-5]\d$"
TimeOfDay = Annotated[str, Field(pattern=TIME_OF_DAY)]


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
    """How often a harmless repeat may come back unknown before the delivery ends unproven."""


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


class OwnershipConfig(Section):
    """Who may set which status (design.md section 2)."""

    handlers: Annotated[tuple[str, ...], Field(min_length=1)]
    """The portals that handle dossiers; each dossier is handled by the one that holds its record."""
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


class ProvinceConfig(Section):
    """Who we are."""

    agency_code: str
    name: str = ""


class StoreConfig(Section):
    """Where state lies; the key ring is a file of its own, outside store and backup."""

    path: str = "var/lienthong.db"
    key_ring: str = "var/keys.ring"
    raw_days: Annotated[int, Field(ge=1)] = 90


class NotifyConfig(Section):
    """Who is told, and how: a command that gets the text on its standard input, or mail."""

    command: tuple[str, ...] = ()
    mail_to: tuple[str, ...] = ()
    mail_from: str = ""
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    due_within_days: Annotated[int, Field(ge=0)] = 2
    daily_at: TimeOfDay = "07:30"


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
    notify: NotifyConfig = NotifyConfig()

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
        names = [route.name for route in self.routes]
        return unknown + [
            f"routes: the name '{n}' is used twice" for n in sorted({n for n in names if names.count(n) > 1})
        ]
