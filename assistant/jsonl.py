"""JSON-lines files, read with errors that name the line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.errors import DataError


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON-lines file.

    Raises:
        DataError: The file is missing, or a line is not a JSON object.
    """
    return (record for _, record in numbered_jsonl(path))


def numbered_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (1-based line number, object) of a JSON-lines file; empty lines are skipped.

    Raises:
        DataError: The file is missing, or a line is not a JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise DataError(f"{path}: cannot be read ({exc.strerror or exc}); give a UTF-8 JSON-lines file") from exc
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise DataError(f"{path}:{line}: byte {exc.object[exc.start]:#04x} is not UTF-8; save it as UTF-8") from exc
    # Not splitlines(), which would cut a JSON text at U+2028, where it may stand as it is.
    for number, line_text in enumerate(text.split("\n"), 1):
        if not line_text.strip():
            continue
        try:
            record = json.loads(line_text)
        except ValueError as exc:
            raise DataError(f"{path}:{number}: not JSON ({exc}); write one object a line") from exc
        if not isinstance(record, dict):
            raise DataError(f"{path}:{number}: got {type(record).__name__}, expected a JSON object")
        yield number, record
