"""Generations of an index on disk: what each must hold, whether its files are whole, and who still reads it.

A generation's manifest is written last, so a folder without one is unfinished. A reader holds a shared lock on the
manifest for as long as it serves the generation, and what is held is not deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

FORMAT = 2
KEPT = 2
"""Generations that stay, the newest one included, so that going back to the last corpus costs nothing."""
_MANIFEST = "manifest.json"
_DATABASE = "chroma.sqlite3"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds and what it was made with."""

    content: str
    model: str
    dimension: int
    chunks: int
    versions: Mapping[str, str]
    format: int = FORMAT

    @property
    def generation(self) -> str:
        """Name of the generation, from all that it depends on."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:20]


def read_manifest(path: Path) -> Manifest | None:
    """Return a generation's manifest, or None where there is none that can be read."""
    found = _read(path)
    return found[0] if found else None


def newest_first(folder: Path) -> list[Path]:
    """Return the finished generations in an index folder."""
    files = sorted(folder.glob(f"*/{_MANIFEST}"), key=lambda file: file.stat().st_mtime, reverse=True)
    return [file.parent for file in files if read_manifest(file.parent)]


def intact(path: Path) -> bool:
    """Return whether a generation's files are as they were written.

    The database changes whenever it is opened, so SQLite is asked whether it is sound; all other files are compared
    with their digests in the manifest.
    """
    found = _read(path)
    if not found:
        return False
    try:
        if any(_digest(path / name) != digest for name, digest in found[1].items()):
            return False
        with closing(sqlite3.connect((path / _DATABASE).resolve().as_uri() + "?mode=ro", uri=True)) as database:
            return bool(database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except (OSError, sqlite3.Error):
        return False


def finish(path: Path, manifest: Manifest) -> None:
    """Write the manifest of a generation that is whole."""
    files = {
        str(file.relative_to(path)): _digest(file)
        for file in sorted(path.rglob("*"))
        if file.is_file() and not file.name.startswith((_MANIFEST, _DATABASE)) and not _unused(file)
    }
    partial = path / f"{_MANIFEST}.partial"
    with partial.open("w", encoding="utf-8") as file:
        json.dump({**asdict(manifest), "files": files}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path / _MANIFEST)


def hold(path: Path) -> BinaryIO | None:
    """Return an open file that keeps a generation from being deleted until it is closed, or None where it is gone."""
    try:
        file = (path / _MANIFEST).open("rb")
    except OSError:
        return None
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_SH)
    if (path / _MANIFEST).exists():
        return file
    file.close()
    return None


def remove_old(folder: Path, keep: str) -> None:
    """Delete all generations but the newest ones and those that are held, and what interrupted builds left."""
    stay = [path for path in newest_first(folder) if path.name != keep][: KEPT - 1]
    for path in folder.iterdir():
        if path.is_dir() and path.name != keep and path not in stay and not _held(path):
            forget(path)


def forget(path: Path) -> None:
    """Delete a generation's folder, out of the way at once."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        os.replace(path, aside)
    except OSError:
        aside = path
    shutil.rmtree(aside, ignore_errors=True)


def _held(path: Path) -> bool:
    """Return whether a process holds a generation."""
    try:
        with (path / _MANIFEST).open("rb") as file:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _read(path: Path) -> tuple[Manifest, Mapping[str, str]] | None:
    """Return a generation's manifest and the digests of its files by name, or None."""
    try:
        data = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
        files = data.pop("files")
        return Manifest(**data), {str(name): str(digest) for name, digest in files.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _unused(file: Path) -> bool:
    """Return whether a vector file is a blank: Chroma keeps the first thousand vectors in its database."""
    return file.name in ("data_level0.bin", "length.bin") and not file.with_name("index_metadata.pickle").exists()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
