"""Backups: one file with a manifest beside it, taken while the gateway runs. Keys are not in it (docs/adr/0010)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.store.copies import Progress, checked, copy_online, flush, remove, sha256_of
from gateway.store.schema import revision
from gateway.store.transaction import SqliteTx
from schemas.errors import StoreError


class Head(BaseModel):
    """Where the evidence of a store ends: its epoch, and number and digest of its newest leaf."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    leaf: int
    digest: str


class Manifest(BaseModel):
    """What a backup holds, so that it can be checked before it is trusted. `created_at` is in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    file: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    sha256: str
    size: int
    revision: str
    head: Head
    counts: dict[str, int]
    created_at: datetime


def backup(store: Path, folder: Path, now: datetime, *, progress: Progress | None = None) -> Path:
    """Write `store-<UTC>.sqlite` and its manifest into `folder`; gives the manifest's path.

    The copy is one snapshot; others read and write meanwhile. It is read whole and checked before the manifest is
    written, so a backup without manifest is an unfinished one.

    Raises:
        StoreError: No store there, the store or the copy is damaged, or the disk is full.
    """
    if not store.is_file():
        raise StoreError(f"{store.name}: there is no store at this place")
    file = folder / f"store-{now:%Y%m%dT%H%M%SZ}.sqlite"
    made = folder / f"{file.name}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove(made)
        copy_online(store, made, progress)
        checked(made)
        manifest = _describe(made, file.name, now)
        made.replace(file)
        written = file.with_suffix(".json")
        written.write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
        flush(written)
        flush(folder)
    except OSError as error:
        raise StoreError(f"{file.name}: the backup cannot be written: {error.strerror}") from error
    finally:
        remove(made)
    return written


def read_manifest(path: Path) -> Manifest:
    """The manifest of a backup, named by itself or by its database file.

    Raises:
        StoreError: There is none, or it is not one of ours.
    """
    written = path.with_suffix(".json")
    try:
        return Manifest.model_validate_json(written.read_bytes())
    except OSError as error:
        raise StoreError(f"{written.name}: the manifest cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise StoreError(f"{written.name}: this is not the manifest of a backup of this version") from error


def verify(path: Path) -> Manifest:
    """Make sure that a backup is whole and is what its manifest says.

    Raises:
        StoreError: It is missing, was changed, or is damaged.
    """
    manifest = read_manifest(path)
    file = path.with_name(manifest.file)
    if not file.is_file():
        raise StoreError(f"{manifest.file}: the manifest is there, the backup itself is not")
    found = sha256_of(file)
    if found != manifest.sha256:
        raise StoreError(
            f"{manifest.file}: its SHA-256 is {found}, the manifest says {manifest.sha256}: take another backup"
        )
    checked(file)
    return manifest


def head_of(connection: sqlite3.Connection) -> Head:
    """Where the evidence of an open store ends; epochs are counted from 1."""
    newest = connection.execute("SELECT id, digest FROM leaf ORDER BY id DESC LIMIT 1").fetchone() or (0, "")
    return Head(epoch=int(SqliteTx(connection).setting("epoch") or 1), leaf=newest[0], digest=newest[1])


def _describe(made: Path, name: str, now: datetime) -> Manifest:
    with closing(sqlite3.connect(made)) as connection:
        return Manifest(
            file=name,
            sha256=sha256_of(made),
            size=made.stat().st_size,
            revision=revision(connection) or "",
            head=head_of(connection),
            counts=SqliteTx(connection).counts(),
            created_at=now,
        )
