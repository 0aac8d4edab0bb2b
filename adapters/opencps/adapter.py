"""The provincial one-stop portal: JSON reads, form-encoded writes, and no change feed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import BinaryIO, cast

import orjson
from pydantic import ValidationError

from adapters.base import (
    Abilities,
    CatalogueList,
    Cursor,
    Delivery,
    FileStream,
    JsonValue,
    Offer,
    Outcome,
    Page,
    PortalContext,
    Probe,
    RawRecord,
)
from adapters.download import HttpStream
from adapters.opencps import rows as wire
from adapters.opencps.calls import Calls, part
from adapters.opencps.identity import file_reference_of
from adapters.opencps.operations import ABILITIES, CATALOGUES
from adapters.opencps.options import Options
from adapters.opencps.probing import Prober
from adapters.opencps.pushing import Pusher
from adapters.opencps.reading import Reader
from adapters.opencps.rows import JsonObject, blanked
from adapters.opencps.sweep import Sweep
from schemas.errors import ConfigError, PortalContractError, PortalError, PortalUnavailableError

SHARED_GROUP = 0
"""The administrative regions are one list for all sites."""


class OpencpsAdapter:
    """One provincial portal (see README.md beside this file for what is attested).

    Raises:
        ConfigError: The options of the portal entry are wrong; every problem is listed.
    """

    def __init__(self, context: PortalContext, options: Mapping[str, JsonValue]) -> None:
        try:
            self._options = Options.model_validate(options)
        except ValidationError as error:
            raise ConfigError(
                [f"{context.portal}.options.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
            ) from None
        self._context = context
        self._calls = Calls(context, self._options)
        self._reader = Reader(self._calls, self._options)
        self._pusher = Pusher(self._calls, self._reader, self._options)
        self._prober = Prober(self._calls, self._reader, self._options)

    @property
    def abilities(self) -> Abilities:
        """What this kind can do."""
        return ABILITIES

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """One pass over the windows that are due, oldest first in each tier; None sweeps everything.

        A page's `seen` are dossiers whose list row says what it said before. `sweep_complete` marks the end of a whole
        sweep that can be believed: every window agreed and the login held to the end.

        Raises:
            PortalAuthError, PortalUnavailableError, PortalContractError: See `Calls.read`.
        """
        return Sweep(self._calls, self._reader, self._options).run(cursor)

    def fetch(self, external_id: str) -> RawRecord | None:
        """Detail, log and next actions of a dossier now; None for the empty object of an unknown one.

        Raises:
            PortalError: As `pull`; a 403 is never taken for absence.
        """
        return self._reader.record(external_id, external_id, "", ask_allowed=True)

    def push(self, delivery: Delivery) -> Outcome:
        """Send one frozen request; see `Pusher`. Never raises for anything the portal did."""
        return self._pusher.push(delivery)

    def probe(self, delivery: Delivery) -> Probe:
        """Ask by reading whether an attempt arrived; see `Prober`.

        Raises:
            PortalError: The portal cannot be read now.
        """
        return self._prober.probe(delivery)

    def catalogue(self, name: str) -> CatalogueList:
        """Procedures (`serviceinfos`) or a code list by its collection code, whole.

        Raises:
            LookupError: No such catalogue.
            PortalError: As `pull`.
        """
        if name not in CATALOGUES:
            raise LookupError(name)
        read_at = self._context.clock.now()
        rows = self._all("/serviceinfos", "data") if name == "serviceinfos" else self._items(name)
        raw = orjson.dumps(rows, option=orjson.OPT_SORT_KEYS)
        return CatalogueList(name, hashlib.sha256(raw).hexdigest()[:16], tuple(rows), raw, read_at)

    def offers(self) -> tuple[Offer, ...]:
        """Every procedure with each agency it is configured for (provincial.md 1.7); the settings' national codes win.

        Raises:
            PortalError: As `pull`.
        """
        return tuple(
            Offer(str(row.get("serviceCode") or ""), national, agency)
            for row in self.catalogue("serviceinfos").rows
            for national in self._nationals(row)
            for agency in [str(one.get("govAgencyCode") or "") for one in row.get("serviceConfigs") or ()] or [""]
        )

    def _nationals(self, row: JsonObject) -> list[str]:
        own = row.get("serviceCode")
        set_here = [national for national, code in self._options.procedures.items() if code == own]
        return set_here or [str(row.get("serviceCodeDVCQG") or "")]

    def _items(self, name: str) -> list[JsonObject]:
        group_id = SHARED_GROUP if name == "ADMINISTRATIVE_REGION" else None
        return self._all(f"/dictcollections/{part(name)}/dictitems", "dictItemModel", group_id)

    def _all(self, path: str, key: str, group_id: int | None = None) -> list[JsonObject]:
        """Every row of a list, page by page: `end` absent would give all at once."""
        rows: list[JsonObject] = []
        total, size = 1, self._options.page_size
        while len(rows) < total:
            params = {"start": len(rows), "end": len(rows) + size}
            answer = self._calls.read(path, params=params, group_id=group_id)
            page, total = answer.get(key) or [], int(answer.get("total") or 0)
            if not isinstance(page, list) or "total" not in answer:
                raise PortalContractError(self._context.portal, "the catalogue has no rows and total")
            if not page:
                break
            rows += page
        return [blanked(row) for row in rows]

    def files(self, external_id: str) -> tuple[JsonObject, ...]:
        """The attached files of a dossier, as the portal lists them; open one by `external_id/referenceUid`."""
        return tuple(self._reader.rows_of(f"/dossiers/{part(external_id)}/files"))

    def open_file(self, ref: str) -> FileStream:
        """Open a file by `<dossier reference>/<file reference>`.

        Raises:
            PortalUnavailableError: The row has no stored content (204), or the portal cannot be read; the latter also
                while the stream is read.
            PortalAuthError, PortalContractError: See `Calls.read`; a web page, or nothing, came instead of a file.
        """
        external_id, _, file_uid = ref.rpartition("/")
        reply, stream = self._calls.open(f"/dossiers/{part(external_id)}/files/{part(file_uid)}")
        try:
            if reply.status == 204:
                raise PortalUnavailableError(self._context.portal, "the file has no stored content", status=204)
            self._calls.check(reply)
            if not reply.body:
                raise PortalContractError(self._context.portal, "the file is empty", status=reply.status)
        except PortalError:
            stream.close()
            raise
        size = stream.size if isinstance(stream, HttpStream) else len(reply.body)
        return FileStream(cast("BinaryIO", stream), reply.media_type, size)

    def is_upload(self, ref: str, stored: str) -> bool:
        """Whether the file `ref` of this portal is one that we uploaded, of the stored file `stored`."""
        dossier, _, file_uid = ref.rpartition("/")
        spellings = (dossier, wire.other_spelling(dossier))
        return wire.plain_uid(file_uid) in {file_reference_of(spelled, stored) for spelled in spellings}

    def ping(self) -> datetime | None:
        """Ask for a known dossier; gives the portal's clock from its Date header.

        Raises:
            PortalError: As `pull`.
        """
        return self._calls.prove_login().server_date

    def close(self) -> None:
        """Give back connections."""
        self._calls.close()
