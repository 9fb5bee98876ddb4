"""Security headers on every response: what a page may load, run and be framed by."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import traceback
from collections.abc import Collection, Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.messages import Messages
from assistant.web.problems import Problem

CROSS_ORIGIN = re.compile(r"/widget\.js|/api/v1/studies/[^/]+/chart\.svg")
"""What other sites may load without CORS: the script that they embed, and the chart as a picture."""
PAGES = ("/", "/demo", "/demo/")
"""Paths whose HTML may load and run something."""
READING = re.compile(r"/read(/.*)?")
"""Paths of pages that load their style and run nothing."""
CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Policy of everything that is not a page."""
PICTURE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""Policy of the chart, should someone open it by itself."""
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}
_log = logging.getLogger(__name__)


class ShieldMiddleware:
    """Adds the security headers, and turns what nobody caught into a problem that tells nothing of its text.

    Gradio's page starts with inline scripts that hold its configuration; they are hashed as they are sent, so that
    the policy lets these through and no other.

    Args:
        origins: Sites that may frame the pages.
        messages: Fixed texts.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], messages: Messages) -> None:
        self._app = app
        self._messages = messages
        self._ancestors = " ".join(["frame-ancestors 'self'", *origins])
        self._fixed = dict(_FIXED) if origins else {**_FIXED, "X-Frame-Options": "SAMEORIGIN"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its response gets the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        started = False
        page: Message | None = None  # the start of a page, held until its body says which scripts it has
        body = bytearray()

        async def guarded(message: Message) -> None:
            nonlocal started, page
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._fixed)
                headers["Cross-Origin-Resource-Policy"] = (
                    "cross-origin" if CROSS_ORIGIN.fullmatch(path) else "same-origin"
                )
                if headers.get("content-type", "").startswith("text/html") and path in PAGES:
                    page = message
                    return
                headers.setdefault("Content-Security-Policy", self._unscripted(path, headers.get("content-type", "")))
            elif page is not None:
                body.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                policy = self._demo(bytes(body)) if path.startswith("/demo") else self._chat(bytes(body))
                MutableHeaders(scope=page)["Content-Security-Policy"] = policy
                start, page = page, None
                started = True
                await send(start)
                message = {"type": "http.response.body", "body": bytes(body)}
            started = True
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except Exception as exc:
            log_without_text(exc, path)
            if started:
                raise
            page = None
            await Problem("internal", self._messages.say("web.internal")).response()(scope, receive, guarded)

    def _unscripted(self, path: str, media_type: str) -> str:
        if media_type.startswith("text/html") and READING.fullmatch(path):
            sources = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
            return f"{sources}; {self._ancestors}"
        return PICTURE if media_type.startswith("image/svg") else CLOSED

    def _chat(self, body: bytes) -> str:
        scripts = " ".join(["'self'", *_hashes(body, b"script"), "'unsafe-eval'"])  # Gradio compiles its js= handlers
        return (
            f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
            "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
            f"form-action 'self'; {self._ancestors}"
        )

    def _demo(self, body: bytes) -> str:
        styles = " ".join(["'self'", *_hashes(body, b"style")])
        return (
            f"default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data: blob:; font-src 'self'; "
            f"connect-src 'self'; base-uri 'none'; form-action 'none'; {self._ancestors}"
        )


def log_without_text(exc: BaseException, where: str, log: logging.Logger = _log) -> None:
    """Log what failed and where in the code; not its message, which may hold what a visitor wrote."""
    log.error("%s at %s\n%s", type(exc).__name__, where, "".join(traceback.format_tb(exc.__traceback__)))


def _hashes(body: bytes, tag: bytes) -> Iterable[str]:
    """Yield the hash sources of a page's inline elements."""
    for attributes, content in re.findall(rb"<%s\b([^>]*)>(.*?)</%s\s*>" % (tag, tag), body, re.DOTALL | re.IGNORECASE):
        if not re.search(rb"\bsrc\s*=", attributes):
            digest = hashlib.sha256(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).digest()
            yield f"'sha256-{base64.b64encode(digest).decode()}'"
