"""A configuration file -> a checked `Config`, or every problem it has."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from adapters import registry
from gateway.config import (
    Config,
    Environment,
    GroupConfig,
    NotifyConfig,
    OwnershipConfig,
    PortalConfig,
    RouteConfig,
    ServerConfig,
    StoreConfig,
)
from gateway.config_file import lines, routes, stages
from gateway.config_file.inbox import check_inboxes
from gateway.config_file.lines import Document
from gateway.config_file.portals import Setting, check_portal, settled_mapping, settled_options
from gateway.config_file.problem import Place, Problem
from gateway.config_file.rule_words import check_words
from gateway.config_file.server import check_server
from gateway.config_file.timers import check_timers
from gateway.config_file.words import problems_of
from gateway.language import t
from gateway.secret_values import read_file
from schemas.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Inspection:
    """`config` is None while there is any problem; its paths are absolute, its options what the adapters get."""

    document: Document
    config: Config | None
    problems: tuple[Problem, ...]


def load(path: Path, environ: Mapping[str, str] | None = None, *, secrets: bool = True) -> Config:
    """Read and check a configuration; without `secrets`, they need not be set: no portal is going to be called.

    Raises:
        ConfigError: Lists every problem with file, line, key, what is wrong and what to write instead.
    """
    found = inspect(path, environ, secrets=secrets)
    if found.config is None:
        raise ConfigError([str(problem) for problem in found.problems])
    return found.config


def inspect(path: Path, environ: Mapping[str, str] | None = None, *, secrets: bool = True) -> Inspection:
    """Read and check a configuration without raising; `environ` stands in for the process's own environment."""
    document, problems = lines.read(path)
    if problems and document.plain is None:
        return Inspection(document, None, tuple(problems))
    if not isinstance(document.plain, dict):
        wrong = t("the file holds no keys", "tệp không có khoá nào")
        return Inspection(
            document, None, (document.problem((), wrong, t("start from the example", "hãy sao từ ví dụ")),)
        )
    config: Config | None = None
    try:
        config = Config.model_validate(document.plain)
    except ValidationError as error:
        problems += [found for found in problems_of(error, document, Config) if found.place]
    folder = path.absolute().parent
    environ = os.environ if environ is None else environ
    if secrets:
        environ, wrong_file = _secrets(document, folder, environ)
        problems += wrong_file
    problems += _checked(document, folder, environ, secrets)
    if problems or config is None:
        return Inspection(document, None, tuple(sorted(dict.fromkeys(problems), key=lambda found: found.line)))
    return Inspection(document, _settled(config, folder), ())


def _checked(document: Document, folder: Path, environ: Mapping[str, str], secrets: bool) -> Iterator[Problem]:
    """What only our own checks see, over those parts of the file that can be read."""
    plain: dict[str, Any] = document.plain
    entries = plain.get("portals")
    entries = entries if isinstance(entries, dict) else {}
    wanted = plain.get("environment")
    environment = wanted if wanted in get_args(Environment) else None
    instead = {"environment": environment or "production", "kind": "", "mapping": ""}
    portals = {
        name: made for name, entry in entries.items() if (made := _part(PortalConfig, entry, **instead)) is not None
    }
    setting = Setting(document, folder, environment, environ, secrets)
    for name, portal in portals.items():
        yield from check_portal(name, portal, setting)
    yield from _twins(document, portals)
    listed = plain.get("routes")
    routed = {
        number: route
        for number, entry in enumerate(listed if isinstance(listed, list) else ())
        if (route := _part(RouteConfig, entry, name="", to="")) is not None
    }
    ownership = _part(OwnershipConfig, plain.get("ownership"))
    yield from routes.check_names(document, tuple(entries), ownership, routed)
    if ownership is not None:
        yield from routes.check_ownership(document, ownership, portals)
    yield from routes.check_routes(document, routed, portals)
    yield from check_timers(document, portals, routed)
    grouped = plain.get("groups")
    yield from stages.check_stages(document, tuple(grouped) if isinstance(grouped, dict) else (), routed)
    named = grouped.items() if isinstance(grouped, dict) else ()
    groups = {name: one for name, entry in named if (one := _part(GroupConfig, entry)) is not None}
    yield from check_words(document, folder, portals, ownership, routed, groups)
    if (store := _part(StoreConfig, plain.get("store", {}))) is not None:
        yield from routes.check_store(document, store)
    if (notify := _part(NotifyConfig, plain.get("notify", {}))) is not None:
        yield from routes.check_notify(document, notify)
    server = _part(ServerConfig, plain["server"]) if plain.get("server") is not None else None
    yield from check_server(server, portals, setting)
    yield from check_inboxes(server, portals, setting)


def _secrets(document: Document, folder: Path, environ: Mapping[str, str]) -> tuple[Mapping[str, str], list[Problem]]:
    """What `${NAME}` may refer to: the secrets file over the environment."""
    named = document.plain.get("secrets_file")
    if not isinstance(named, str) or not named:
        return environ, []
    try:
        return {**environ, **read_file(folder / named)}, []
    except ConfigError as error:
        write = t("make the file with mode 0600", "hãy tạo tệp với quyền 0600")
        return environ, [document.problem(("secrets_file",), str(error), write)]


def _part(model: type[M], value: Any, **instead: Any) -> M | None:
    """A part of the file, keys that are wrong by themselves left out (the whole tells of them) or replaced.

    So one wrong key does not hide what else is wrong beside it.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        wrong = {str(found["loc"][0]) for found in error.errors() if found["loc"]}
    if not isinstance(value, dict):
        return None
    kept = {name: inner for name, inner in value.items() if name not in wrong}
    try:
        return model.model_validate({**{name: instead[name] for name in wrong & set(instead)}, **kept})
    except ValidationError:
        return None


def _twins(document: Document, portals: Mapping[str, PortalConfig]) -> Iterator[Problem]:
    """Two entries for one portal: every dossier would be held there twice."""
    seen: dict[str, str] = {}
    for name, portal in portals.items():
        what = f"{portal.kind} {portal.options!r}"
        if portal.options and what in seen:
            place: Place = ("portals", name, "options")
            yield document.problem(
                place,
                t(f"are those of '{seen[what]}'", f"trùng với của '{seen[what]}'"),
                t("remove one of the two entries, or correct its address", "hãy bỏ một mục, hoặc sửa địa chỉ"),
            )
        seen.setdefault(what, name)


def _settled(config: Config, folder: Path) -> Config:
    """Paths made absolute from the file's folder, options completed with the profile."""
    portals = {
        name: portal.model_copy(
            update={
                "mapping": settled_mapping(portal, folder),
                "options": settled_options(portal, registry.options_model(portal.kind), folder),
            }
        )
        for name, portal in config.portals.items()
    }
    files = {name: getattr(config.store, name) for name in ("path", "key_ring", "signing_keys")}
    store = config.store.model_copy(update={name: str(folder / file) for name, file in files.items() if file})
    secrets_file = str(folder / config.secrets_file) if config.secrets_file else ""
    server = _settled_server(config.server, folder)
    return config.model_copy(
        update={"portals": portals, "store": store, "secrets_file": secrets_file, "server": server}
    )


def _settled_server(server: ServerConfig | None, folder: Path) -> ServerConfig | None:
    if server is None or server.tls is None:
        return server
    listed = {"revocation_lists": tuple(str(folder / named) for named in server.tls.revocation_lists)}
    single = server.tls.model_dump(exclude={"revocation_lists"})
    files = listed | {key: str(folder / named) for key, named in single.items() if named}
    return server.model_copy(update={"tls": server.tls.model_copy(update=files)})
