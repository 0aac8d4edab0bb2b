"""What a correct file leaves undone that its author may have wanted; nothing here stops the gateway."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config import Config
from gateway.config_file.lines import Document
from gateway.config_file.problem import Problem
from gateway.config_file.vocabulary import vocabulary
from gateway.language import t


def notes(document: Document, config: Config) -> Iterator[Problem]:
    """One note per finding, worded as a problem is."""
    for name, portal in config.portals.items():
        called = portal.inbound is not None and portal.direction != "pull"
        if called and portal.inbound is not None and not portal.inbound.files_at and _takes_addresses(portal.mapping):
            yield document.problem(
                ("portals", name, "inbound"),
                t("no address of a result's file is written there", "không ghi địa chỉ tệp kết quả nào cho cổng này"),
                t(
                    "add files_at: the address at which the portal reaches our files, e.g. "
                    f"https://lienthong.example.vn/in/{name}/downloadfile",
                    "hãy thêm files_at: địa chỉ để cổng tải tệp của ta, ví dụ "
                    f"https://lienthong.example.vn/in/{name}/downloadfile",
                ),
            )


def _takes_addresses(mapping: str) -> bool:
    """Whether the portal's copy of a dossier has a place for the address of a result."""
    messages = vocabulary(mapping).messages.values()
    return any(message.direction != "read" and message.carries("results", "url") for message in messages)
