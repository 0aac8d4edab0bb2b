"""Is each portal entry right: kind, options, mapping, secrets, environment, windows? One problem per finding."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from adapters import registry
from gateway.config import Environment, PortalConfig
from gateway.config_file.lines import Document
from gateway.config_file.problem import Place, Problem
from gateway.config_file.vocabulary import vocabulary
from gateway.config_file.words import problems_of
from gateway.language import t
from mappings import packaged
from schemas.errors import ConfigError
from schemas.settings import IsFile, Section

_NAMES = frozenset({"namespace", "reply_namespaces", "soap_action", "parameters", "soap_header"})
SECRET = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Setting:
    """What all checks of one file share. `folder` is where relative paths begin; `secrets`: must they be set?"""

    document: Document
    folder: Path
    environment: Environment | None
    environ: Mapping[str, str]
    secrets: bool = True


def settled_options(portal: PortalConfig, model: type[Section], folder: Path) -> dict[str, Any]:
    """The options as the adapter gets them: files by their whole path, the entry's profile where a kind has some."""
    options = _with_whole_paths(model, portal.options, folder)
    if portal.profile and "profile" in model.model_fields and "profile" not in portal.options:
        return {**options, "profile": portal.profile}
    return options


def _with_whole_paths(model: type[Section], values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What does not fit its model is left as it is: the model says so itself."""
    whole = dict(values)
    for name, field in model.model_fields.items():
        value, inner = values.get(name), field.annotation
        if any(isinstance(mark, IsFile) for mark in field.metadata):
            if isinstance(value, str) and value:
                whole[name] = str(folder / value)
            elif isinstance(value, list):
                whole[name] = [str(folder / one) if isinstance(one, str) and one else one for one in value]
        elif isinstance(value, Mapping) and isinstance(inner, type) and issubclass(inner, Section):
            whole[name] = _with_whole_paths(inner, value, folder)
    return whole


def settled_mapping(portal: PortalConfig, folder: Path) -> str:
    """A packaged name as it is; a file of the operator's own stands relative to the configuration."""
    return str(folder / portal.mapping) if portal.mapping.endswith((".yaml", ".yml")) else portal.mapping


def check_portal(name: str, portal: PortalConfig, setting: Setting) -> Iterator[Problem]:
    """Everything that can be said of one entry alone."""
    at: Place = ("portals", name)
    yield from _environment(at, portal, setting)
    yield from _windows(at, portal, setting)
    if portal.mapping:
        yield from _vocabulary(at, portal, setting)
    if not portal.kind:
        return
    try:
        model = registry.options_model(portal.kind)
    except ConfigError as error:
        known = ", ".join(registry.kinds())
        wrong = (
            str(error) if portal.kind in known else t(f"'{portal.kind}' is not installed", f"chưa cài '{portal.kind}'")
        )
        yield setting.document.problem((*at, "kind"), wrong, t(f"write one of {known}", f"hãy viết một trong {known}"))
        return
    yield from _options(at, portal, model, setting)


def _environment(at: Place, portal: PortalConfig, setting: Setting) -> Iterator[Problem]:
    wanted = setting.environment
    if wanted is None or portal.environment == wanted or portal.direction == "pull":
        return
    yield setting.document.problem(
        (*at, "environment"),
        t(
            f"this portal is '{portal.environment}', the gateway is '{wanted}': nothing may be sent there",
            f"cổng này là '{portal.environment}', còn hệ thống là '{wanted}': không được gửi gì tới đó",
        ),
        t(f"write environment: {wanted}, or direction: pull", f"hãy viết environment: {wanted}, hoặc direction: pull"),
    )


def _windows(at: Place, portal: PortalConfig, setting: Setting) -> Iterator[Problem]:
    for number, window in enumerate(portal.maintenance):
        if window.starts == window.ends:
            yield setting.document.problem(
                (*at, "maintenance", number),
                t(f"starts and ends at {window.starts}", f"bắt đầu và kết thúc cùng lúc {window.starts}"),
                t("give it two different times", "hãy ghi hai giờ khác nhau"),
            )


def _vocabulary(at: Place, portal: PortalConfig, setting: Setting) -> Iterator[Problem]:
    place = (*at, "mapping")
    try:
        mapping = vocabulary(settled_mapping(portal, setting.folder))
    except ConfigError as error:
        for said in error.problems:
            write = t("correct that file, or name another mapping", "hãy sửa tệp đó, hoặc dùng ánh xạ khác")
            yield setting.document.problem(place, said, write)
        return
    if mapping.kind != portal.kind:
        fitting = ", ".join(name for name in packaged() if name.startswith(f"{portal.kind}/"))
        yield setting.document.problem(
            place,
            t(
                f"is a mapping of kind '{mapping.kind}', the portal is of kind '{portal.kind}'",
                f"là ánh xạ của loại '{mapping.kind}', còn cổng thuộc loại '{portal.kind}'",
            ),
            t(f"write one of {fitting}", f"hãy viết một trong {fitting}"),
        )
    elif portal.profile and mapping.profile != portal.profile:
        yield setting.document.problem(
            (*at, "profile"),
            t(
                f"is '{portal.profile}', its mapping is of profile '{mapping.profile}'",
                f"là '{portal.profile}', còn ánh xạ thuộc hồ sơ kỹ thuật '{mapping.profile}'",
            ),
            t(f"write profile: {mapping.profile}, or another mapping", f"hãy viết profile: {mapping.profile}"),
        )


def _options(at: Place, portal: PortalConfig, model: type[Section], setting: Setting) -> Iterator[Problem]:
    place = (*at, "options")
    chosen = portal.options.get("profile")
    if portal.profile and chosen is not None and chosen != portal.profile:
        yield setting.document.problem(
            (*place, "profile"),
            t(
                f"differs from the entry's profile '{portal.profile}'",
                f"khác với profile '{portal.profile}' của mục này",
            ),
            t("write the profile once, beside kind", "hãy ghi profile một lần, cạnh kind"),
        )
    try:
        settled = settled_options(portal, model, setting.folder)
        options = model.model_validate(settled)
    except ValidationError as error:
        yield from problems_of(error, setting.document, model, place)
        values: Any = portal.options
    else:
        values = options.model_dump(mode="json")
        yield from _files(place, portal.kind, settled, setting)
    for inner, text in texts(values, place):
        yield from _secret(inner, text, setting)
        yield from _address(inner, text, setting)


def _files(place: Place, kind: str, options: Mapping[str, Any], setting: Setting) -> Iterator[Problem]:
    """What the adapter would stumble over at its start: a contract or certificate that cannot be used."""
    try:
        registry.check(kind, options)
    except ConfigError as error:
        first, *more = error.problems
        write = "; ".join(more) or t("correct that file, or name another one", "hãy sửa tệp đó, hoặc ghi tên tệp khác")
        yield setting.document.problem(place, first, write)


def texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Every text below a value, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts(inner, (*place, str(key)))
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from texts(inner, (*place, number))


def _secret(place: Place, text: str, setting: Setting) -> Iterator[Problem]:
    for name in SECRET.findall(text):
        if setting.secrets and not setting.environ.get(name):
            yield setting.document.problem(
                place,
                t(f"needs the environment variable {name}, which is not set", f"cần biến môi trường {name}, chưa đặt"),
                t(
                    f"set {name} before starting, or write {name}=... into the file that secrets_file names",
                    f"hãy đặt {name} trước khi chạy, hoặc ghi {name}=... vào tệp mà secrets_file chỉ tới",
                ),
            )


def _address(place: Place, text: str, setting: Setting) -> Iterator[Problem]:
    if not text.lower().startswith(("http://", "https://")) or not _NAMES.isdisjoint(map(str, place)):
        return  # an XML namespace, or a SOAPAction, is a name in the form of an address: nobody calls it
    try:
        host = urlsplit(text).hostname or ""
    except ValueError:
        host = ""
    if not host:
        wrong = t("is an address without a host", "là địa chỉ không có tên máy chủ")
        write = t("write https://host/path", "hãy viết https://máy-chủ/đường-dẫn")
        yield setting.document.problem(place, wrong, write)
    elif setting.environment == "demo" and not is_loopback(host):
        yield setting.document.problem(
            place,
            t(
                f"leads to '{host}'; in environment 'demo' only this machine may be reached",
                f"dẫn tới '{host}'; trong môi trường 'demo' chỉ được kết nối tới máy này",
            ),
            t(
                "write http://127.0.0.1:PORT (lienthong simulate), or environment: test for a portal's test server",
                "hãy viết http://127.0.0.1:CỔNG (lienthong simulate), "
                "hoặc environment: test nếu đó là máy chủ thử nghiệm của cổng",
            ),
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name or number alone; no name is looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
