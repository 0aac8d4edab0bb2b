"""The files of a dossier as one portal may have them (docs/adr/0021).

Records name files by references that only their own portal understands. What a write carries is looked up here in what
we hold: a row is given our own name of its file, or is found to wait for one. Pure over what `read_shelf` has read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from adapters.base import FileUse, KnowsUploads
from gateway.store.base import Tx, Vault
from gateway.store.rows import FileRow, Json, WantedFileRow
from mappings.message import Message

LISTS = ("documents", "results")
"""The lists of a dossier whose rows name files."""
_SHOWN = {FileUse.CONTENT: ("reference", "digest"), FileUse.LINK: ("url",)}
"""The fields of a row, one of which a mapping writes that has a use for its file."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that is not here: which portal opens it, by which reference, and what the record says of it.

    `known`: it was asked for, and is waited for since `since`; `urgent`: by something that is sent once. `again`: it
    was here once, and its bytes had their day.
    """

    portal: str
    ref: str
    version: str
    known: bool = False
    again: bool = False
    since: float = 0.0
    urgent: bool = False


def nowhere(file_id: str) -> str:
    """No address: the configuration names none."""
    del file_id
    return ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is known of one dossier's files.

    `opening` are the portals whose files can be asked for. `tellers` tell which of a portal's files are uploads of what
    we hold: nobody fetches these back. `address` gives the address of a file for the portal that is written to, ""
    where the configuration names none.
    """

    portal: str
    kept: Mapping[str, FileRow]
    told: Mapping[tuple[str, str], FileRow]
    wanted: Mapping[tuple[str, str], WantedFileRow]
    opening: Collection[str] = ()
    address: Callable[[str], str] = nowhere
    tellers: Mapping[str, KnowsUploads] = field(default_factory=dict)

    def upload(self, portal: str, ref: str) -> FileRow | None:
        """The file that we uploaded there under this reference, if it is one of ours."""
        if (teller := self.tellers.get(portal)) is None:
            return None
        return next((row for row in self.kept.values() if teller.is_upload(ref, name_of(row))), None)


@dataclass(slots=True)
class Carrier:
    """Takes rows up for one write: `files` it carries (id -> SHA-256), those `linked`, and those `missing`."""

    shelf: Shelf
    use: FileUse
    files: dict[str, str] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    def facts(self, facts: Mapping[str, Json], lists: Iterable[str]) -> dict[str, Json]:
        """Facts per portal, with the rows of these lists as they travel."""
        found: dict[str, Json] = dict(facts)
        for name in lists:
            for portal, told in facts.items():
                if told.get(name):
                    found[portal] = {**found[portal], name: [self.row(portal, row) for row in told[name]]}
        return found

    def rows(self, portal: str, rows: Iterable[Json]) -> list[Json]:
        """Rows of a command; those that were taken back do not travel."""
        return [self.row(portal, row) for row in rows if not row.get("deleted")]

    def row(self, portal: str, row: Json) -> Json:
        """One row of a portal's record as it travels."""
        ref = str(row.get("reference") or "")
        if not ref:
            return row
        bare = {**row, "reference": "", "url": ""}
        if row.get("deleted"):
            return bare
        version = version_of(row)
        wish = self.shelf.wanted.get((portal, ref))
        if wish is not None and wish.version != version:
            wish = None
        held = self.shelf.kept.get(wish.file_id) if wish and wish.file_id else self.shelf.told.get((portal, ref))
        held = held or self._uploaded(portal, ref, row)
        if held is not None:
            return self._carried(row, held)
        self._miss(portal, ref, version, wish)
        if wish is not None and wish.file_id and self.use is FileUse.LINK:
            return self._address({**bare, **wish.doc}, wish.file_id)  # the address stays while the bytes are asked for
        return bare

    def _uploaded(self, portal: str, ref: str, row: Json) -> FileRow | None:
        """What we uploaded there ourselves, unless the portal shows another file in its place since."""
        held = self.shelf.upload(portal, ref)
        return held if held is not None and row.get("size") in (None, 0, held.size) else None

    def _carried(self, row: Json, held: FileRow) -> Json:
        self.files[held.id] = held.sha256
        about = {"media_type": held.media_type, "size": held.size, "digest": held.sha256}
        found = {**row, **about, "reference": name_of(held)}
        return self._address(found, held.id) if self.use is FileUse.LINK else found

    def _address(self, row: Json, file_id: str) -> Json:
        url = self.shelf.address(file_id)
        if url:
            self.linked.append(file_id)
        return {**row, "url": url}

    def _miss(self, portal: str, ref: str, version: str, wish: WantedFileRow | None) -> None:
        unheard = self.use is FileUse.LINK and not self.shelf.address(ref)
        if unheard or portal not in self.shelf.opening or (wish is not None and wish.state in ("given_up", "let_go")):
            return
        known = wish is not None and wish.state == "wanted"
        again = wish is not None and not known
        since, urgent = (wish.first_at, wish.urgent) if wish is not None and known else (0.0, False)
        self.missing.append(Missing(portal, ref, version, known, again, since, urgent))


def version_of(row: Mapping[str, object]) -> str:
    """What a record says of a file: another digest or size under one reference is another file."""
    return f"{row.get('digest') or ''}:{row.get('size') or ''}"


def name_of(file: FileRow) -> str:
    """The reference under which `open_stored` finds a file: its id, or what the call that brought it names it.

    A call's name begins with the call's own key, so that no other portal's word can be taken for it.
    """
    return file.ref if file.key and file.ref.rpartition("/")[0] == file.key else file.id


def token_of(vault: Vault, portal: str, file_id: str) -> str:
    """The last part of a file's address for one portal: 36 characters that only we can work out."""
    text = vault.blind(f"file link\x00{portal}\x00{file_id}")
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))


def lists_of(message: Message, use: FileUse, prefix: str = "") -> tuple[str, ...]:
    """The lists whose files a message has a use for."""
    shown = _SHOWN.get(use, ())
    return tuple(name for name in LISTS if any(message.carries(f"{prefix}{name}", field) for field in shown))


def names_files(facts: Mapping[str, Json]) -> bool:
    """Whether any record of a dossier names a file."""
    return any(row.get("reference") for told in facts.values() for name in LISTS for row in told.get(name) or ())


def read_shelf(
    tx: Tx,
    dossier_id: str,
    portal: str,
    opening: Collection[str],
    address: Callable[[str], str],
    tellers: Mapping[str, KnowsUploads],
) -> Shelf:
    """What is known of a dossier's files."""
    kept = {row.id: row for row in tx.files_of(dossier_id)}
    told = {(row.portal, row.ref): row for row in kept.values() if row.key != dossier_id}
    wanted = {(row.portal, row.ref): row for row in tx.wanted_of(dossier_id)}
    return Shelf(portal, kept, told, wanted, opening, address, tellers)


def want(tx: Tx, dossier_id: str, missing: Sequence[Missing], now: float, *, urgent: bool) -> set[str]:
    """Note what is to be fetched; gives the portals that hold it. What is waited for already may become urgent."""
    held = {(row.portal, row.ref): row for row in tx.wanted_of(dossier_id)}
    new: list[WantedFileRow] = []
    for one in missing:
        row = held.get((one.portal, one.ref))
        if row is None or row.version != one.version:
            row = WantedFileRow(dossier_id, one.portal, one.ref, version=one.version)
        elif row.state == "wanted" and urgent and not row.urgent:
            row.urgent = True
            new.append(row)
            continue
        elif row.state != "held" or tx.file(row.file_id) is not None:  # it may have come since it was looked up
            continue
        row.urgent = urgent
        row.state, row.tries, row.reason, row.first_at, row.next_at = "wanted", 0, "", now, now
        new.append(row)
    tx.put_wanted(new)
    return {row.portal for row in new}
