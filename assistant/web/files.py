"""The widget's files, read once, compressed once, served with validators."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

WIDGET = Path(__file__).resolve().parent / "widget"
AN_HOUR = "public, max-age=3600, stale-while-revalidate=86400"
ASK_AGAIN = "no-cache"
_TEXT = ("text/", "image/svg", "application/javascript", "application/json")


@dataclass(frozen=True)
class File:
    """A file as it is sent.

    Attributes:
        packed: The gzip form, or b"" where it would not be smaller.
    """

    body: bytes
    packed: bytes
    media_type: str
    cache: str

    @classmethod
    def of(cls, body: bytes, media_type: str, cache: str) -> File:
        """Return a file with its compressed form."""
        packed = gzip.compress(body, 9, mtime=0) if media_type.startswith(_TEXT) else b""
        return cls(body, packed if 0 < len(packed) < len(body) else b"", media_type, cache)

    @classmethod
    def read(cls, path: Path, cache: str) -> File:
        """Return a file from disk."""
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return cls.of(path.read_bytes(), media_type, cache)

    def response(self, request: Request) -> Response:
        """Return it, compressed where the browser takes that, or 304 where it has it."""
        compressed = bool(self.packed) and "gzip" in request.headers.get("accept-encoding", "")
        body = self.packed if compressed else self.body
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": self.cache, "Vary": "Accept-Encoding"}
        known = {entry.strip().removeprefix("W/") for entry in request.headers.get("if-none-match", "").split(",")}
        if tag in known or "*" in known:
            return Response(status_code=304, headers=headers)
        if compressed:
            headers["Content-Encoding"] = "gzip"
        return Response(body, headers=headers, media_type=self.media_type)
