"""Who may talk to the server: origins, Gradio's routes, and visitors told apart behind proxies; deny by default."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.web.problems import Problem

SETTING = "ASSISTANT_ALLOWED_ORIGINS"
OWN = re.compile(r"/api(/.*)?|/healthz|/readyz|/metrics|/widget\.js|/demo(/.*)?|/page/[a-z]+\.[a-z]+|/read(/.*)?")
"""Paths that this package answers; the others are Gradio's."""
GRADIO = re.compile(
    r"/|/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt)/?|/(assets|static)/.+"
    r"|/gradio_api/(info|queue/join|queue/data|cancel|reset|startup-events|heartbeat/[A-Za-z0-9_-]+|file=.+)/?"
)
"""What of Gradio the chat page needs; all else that it brings (upload, proxy, run, call, dev, login …) is not found."""
_FORWARDED = (b"x-forwarded-", b"forwarded", b"x-real-ip", b"x-direct-url", b"x-gradio-")


class GateMiddleware:
    """Refuses sites that are not listed, and every Gradio route that the chat page doesn't need.

    A browser names the asking site in `Origin`; a request without one comes from no site's script, and one whose
    `Origin` is this host itself comes from our own page.

    Args:
        origins: Sites that may embed, as `assistant.config.parse_origins` gives them.
        refused: Told the code of each refusal.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], refused: Callable[[str], None]) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "websocket":  # nothing here speaks it
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
            return
        self._refused(problem.code)
        await problem.response()(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        origins = headers.getlist("origin")
        for origin in origins:
            if origin not in self._origins and (len(origins) > 1 or not _same_host(origin, headers.get("host", ""))):
                shown = origin[:200].encode("ascii", "replace").decode()
                return Problem(
                    "origin_not_allowed",
                    f"{shown} is not among the sites that may use this assistant. Its owner can add it to {SETTING}.",
                )
        if not OWN.fullmatch(scope["path"]) and not GRADIO.fullmatch(scope["path"]):
            return Problem(
                "not_found", "There is nothing at this address. The API is described at /api/v1/openapi.json."
            )
        return None


class VisitorMiddleware:
    """Says who the visitor is: the address that the outermost trusted proxy saw.

    Each trusted proxy appends the address that it was called from to `X-Forwarded-For`, so the visitor is as many
    entries from the right as there are trusted proxies; whatever a visitor puts there himself stands further left.

    Args:
        hops: Trusted proxies in front; 0 believes the connection alone, and drops what claims otherwise. A proxy
            must keep the `Host` that it was called by; other forwarding headers are dropped.
    """

    def __init__(self, app: ASGIApp, hops: int) -> None:
        self._app = app
        self._hops = hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with `client` and `scheme` as they are."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            scheme = self._scheme(scope, headers)
            kept = [(name, value) for name, value in scope["headers"] if not name.lower().startswith(_FORWARDED)]
            if self._hops:  # the one that Gradio reads, now checked
                kept.append((b"x-forwarded-proto", scheme.encode()))
            scope = {**scope, "client": self._client(scope, headers), "scheme": scheme, "headers": kept}
        await self._app(scope, receive, send)

    def _client(self, scope: Scope, headers: Headers) -> tuple[str, int]:
        direct: tuple[str, int] = tuple(scope.get("client") or ("", 0))
        said = [entry.strip() for line in headers.getlist("x-forwarded-for") for entry in line.split(",")]
        if not self._hops or len(said) < self._hops:
            return direct
        address = said[-self._hops]
        address = address[1 : address.index("]")] if address.startswith("[") and "]" in address else address
        if address.count(":") == 1:
            address = address.partition(":")[0]
        try:
            return str(ipaddress.ip_address(address)), 0
        except ValueError:
            return direct

    def _scheme(self, scope: Scope, headers: Headers) -> str:
        said = headers.get("x-forwarded-proto", "").split(",")[-1].strip().lower()
        return said if self._hops and said in ("http", "https") else str(scope.get("scheme", "http"))


def _same_host(origin: str, host: str) -> bool:
    """Return whether an Origin names the host that the request went to."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return False
    default = 443 if parts.scheme == "https" else 80
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    ours = {name, f"{name}:{default}"} if port in (None, default) else {f"{name}:{port}"}
    return host.lower() in ours
