"""Problem details (RFC 9457): every refusal as JSON that says what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
KINDS: Mapping[str, tuple[int, str]] = {
    "bad_json": (400, "Not JSON"),
    "origin_not_allowed": (403, "This site may not use the assistant"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "too_slow": (408, "The request took too long to arrive"),
    "too_large": (413, "The request is too large"),
    "not_json": (415, "The request is not JSON"),
    "invalid": (422, "The request can't be taken as given"),
    "question": (422, "The question can't be taken as given"),
    "rate_limited": (429, "Too many questions"),
    "internal": (500, "Something went wrong"),
    "busy": (503, "Busy"),
    "unavailable": (503, "Not available"),
    "feedback_not_saved": (503, "The rating could not be saved"),
}
"""Status and title of every refusal, by code."""


@dataclass(eq=False)
class Problem(Exception):
    """A refusal.

    Attributes:
        code: A key of `KINDS`.
        detail: A sentence for whoever sent the request, in a visitor's words where a visitor can meet it.
        errors: What is wrong with which field of the body.
        retry_after: Seconds after which it is worth trying again, or None.
    """

    code: str
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    retry_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """HTTP status."""
        return KINDS[self.code][0]

    def to_dict(self) -> dict[str, Any]:
        """Return the problem as JSON-ready values."""
        status, title = KINDS[self.code]
        body: dict[str, Any] = {
            "type": f"urn:study-assistant:problem:{self.code}",
            "title": title,
            "status": status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            body["errors"] = [dict(error) for error in self.errors]
        if self.retry_after is not None:
            body["retry_after"] = self.retry_after
        return body

    def response(self) -> Response:
        """Return it as a response."""
        headers = {"Cache-Control": "no-store", **self.headers}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return Response(json.dumps(self.to_dict()), self.status, headers, MEDIA_TYPE)


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do, in words for whoever sent the request."},
        "code": {"type": "string", "enum": sorted(KINDS)},
        "retry_after": {"type": "integer", "description": "Seconds after which to try again."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
"""JSON schema of a problem, for the OpenAPI description."""


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of the refusals that a route can give."""
    titles: dict[int, list[str]] = {}
    for code in codes:
        titles.setdefault(KINDS[code][0], []).append(f"{KINDS[code][1]} (`{code}`)")
    return {
        status: {"description": "; ".join(said), "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
        for status, said in titles.items()
    }
