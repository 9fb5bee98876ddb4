"""How much one visitor, and all together, may send: bytes, seconds, questions a minute."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import time
from collections.abc import Callable

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.errors import ConfigError, ExtraError
from assistant.messages import Messages
from assistant.web.problems import Problem

MAX_BODY = 256 * 1024
"""Bytes of a request body; a full history in three-byte characters fits."""
BODY_WITHIN = 15.0
"""Seconds in which a body must have arrived."""
PAGE_JOIN = "/gradio_api/queue/join"
COUNTED = frozenset({"/api/v1/ask", "/api/v1/ask/stream", "/api/v1/feedback", PAGE_JOIN})
"""Paths whose POST counts."""
PAGE_EVENTS = 2
"""Events of the chat page that count as one question, since a rating is one too."""
_REDIS_RETRY = 10.0
_log = logging.getLogger(__name__)


class Rates:
    """Counts what visitors send; by sliding windows, in memory or in a Redis that several replicas share.

    A Redis that fails is left alone for ten seconds, in which this process counts by itself.

    Args:
        visitor: Rate of one visitor, "30/minute", or "off".
        total: Rate of all together, or "off".
        redis_url: A Redis, or "".

    Raises:
        ConfigError: The Redis URL can't be used.
        ExtraError: The driver for Redis is not installed.
    """

    def __init__(self, visitor: str, total: str, redis_url: str = "") -> None:
        self._rules = [
            (None if rate == "off" else parse(rate), everyone) for rate, everyone in ((visitor, False), (total, True))
        ]
        self._memory = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = SlidingWindowCounterRateLimiter(_redis(redis_url)) if redis_url else None
        self._shared_down_until = 0.0

    async def refused(self, visitor: str, bucket: str = "ask", factor: int = 1) -> tuple[bool, int] | None:
        """Count one request; return None, or whether all together were too many, and the seconds to wait.

        Args:
            visitor: Address of whoever sent it.
            bucket: What is counted by itself.
            factor: How many times the rate this bucket allows.
        """
        if self._shared is not None and time.monotonic() >= self._shared_down_until:
            try:
                return await self._count(self._shared, visitor, bucket, factor)
            except Exception as exc:  # any failure of the shared counter; its library raises its driver's own kinds
                self._shared_down_until = time.monotonic() + _REDIS_RETRY
                _log.warning("Redis does not answer (%s); counting visitors in this process", type(exc).__name__)
        return await self._count(self._memory, visitor, bucket, factor)

    async def _count(
        self, limiter: SlidingWindowCounterRateLimiter, visitor: str, bucket: str, factor: int
    ) -> tuple[bool, int] | None:
        for rule, everyone in self._rules:
            if rule is None:
                continue
            item = _times(rule, factor)
            keys = (bucket,) if everyone else (bucket, network(visitor))
            if not await limiter.hit(item, *keys):
                stats = await limiter.get_window_stats(item, *keys)
                return everyone, max(1, math.ceil(stats.reset_time - time.time()))
        return None


class LimitMiddleware:
    """Refuses bodies that are too large or too slow, and visitors who send too much."""

    def __init__(
        self,
        app: ASGIApp,
        rates: Rates,
        messages: Messages,
        refused: Callable[[str], None],
        within: float | None = None,
    ) -> None:
        self._app = app
        self._rates = rates
        self._messages = messages
        self._refused = refused
        self._within = BODY_WITHIN if within is None else within

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        try:
            await self._check_rate(scope)
            body = await self._body(scope, receive)
        except Problem as problem:
            self._refused(problem.code)
            await problem.response()(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replay(body, receive), send)

    async def _check_rate(self, scope: Scope) -> None:
        if scope["method"] != "POST" or scope["path"].rstrip("/") not in COUNTED:
            return
        page = scope["path"].rstrip("/") == PAGE_JOIN
        visitor = scope["client"][0] if scope.get("client") else ""
        refused = await self._rates.refused(visitor, *(("page", PAGE_EVENTS) if page else ()))
        if refused is not None:
            everyone, seconds = refused
            key = "web.rate_limited_total" if everyone else "web.rate_limited"
            raise Problem("rate_limited", self._messages.say(key, seconds=seconds), retry_after=seconds)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the whole body, or None where the client left before its end."""
        too_large = Problem("too_large", f"Send at most {MAX_BODY // 1024} KiB.", headers={"Connection": "close"})
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdigit() and int(announced) > MAX_BODY:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self._within):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > MAX_BODY:
                        raise too_large
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError as exc:
            detail = f"Send the whole request within {self._within:.0f} seconds."
            raise Problem("too_slow", detail, headers={"Connection": "close"}) from exc


def network(address: str) -> str:
    """Return what counts as one visitor: an IPv4 address, or the /64 that one IPv6 household has.

    >>> network("203.0.113.9"), network("2001:db8:1:2:3:4:5:6"), network("::ffff:203.0.113.9")
    ('203.0.113.9', '2001:db8:1:2::/64', '203.0.113.9')
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip.packed[:8] + bytes(8), 64)))


def _times(rule: RateLimitItem, factor: int) -> RateLimitItem:
    return rule if factor == 1 else type(rule)(rule.amount * factor, rule.multiples, rule.namespace)


def _redis(url: str) -> Storage:
    """Return the shared counter behind a URL; it connects at first use."""
    from limits.errors import ConfigurationError
    from limits.storage import storage_from_string

    options: dict[str, float | str | bool] = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
    try:
        storage = storage_from_string(f"async+{url}", implementation="redispy", **options)
    except ConfigurationError as exc:
        raise ExtraError('counting in Redis needs its driver; run: pip install "study-assistant[redis]"') from exc
    except (ValueError, TypeError) as exc:
        raise ConfigError("ASSISTANT_REDIS_URL: cannot be understood; expected redis://host:6379/0") from exc
    assert isinstance(storage, Storage)
    return storage


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body first, then what comes."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again
