"""Counters for the owner's monitoring, in the Prometheus text format; no visitor and no question is in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.web.desk import Desk

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST"})
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "assistant_requests", "Requests by route", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "assistant_request_seconds",
            "Time to the end of a response",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._answers = Counter("assistant_answers", "Answers by outcome", ["outcome"], registry=self._registry)
        self._refusals = Counter("assistant_refusals", "Refusals by code", ["code"], registry=self._registry)
        self._left = Counter("assistant_clients_left", "Clients that left early", registry=self._registry)
        self._lost = Counter("assistant_store_failures", "Rows that could not be stored", registry=self._registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a finished request."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def answer(self, outcome: str) -> None:
        """Count an answer."""
        self._answers.labels(outcome).inc()

    def refusal(self, code: str) -> None:
        """Count a refusal."""
        self._refusals.labels(code).inc()

    def left(self) -> None:
        """Count a client that left before its answer."""
        self._left.inc()

    def lost(self) -> None:
        """Count a row that could not be stored."""
        self._lost.inc()

    def watch(self, desk: Desk) -> None:
        """Show how busy a desk is."""
        self._registry.register(_Busyness(desk))

    def watch_model(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Show what became of a language model's calls and statements.

        Args:
            counts: Returns all counts by name ("calls", "verified", "dropped.numbers", "failed.timeout", …).
        """
        self._registry.register(_ModelEvents(counts))

    def render(self) -> bytes:
        """Return all of it."""
        return generate_latest(self._registry)


class MetricsMiddleware:
    """Counts requests by route; those that no route took are "none"."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count it at its end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 499  # nothing was sent: the client left
        started = time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.request(scope["method"], route, status, time.perf_counter() - started)


class _Busyness(Collector):
    """Reads a desk when asked."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def collect(self) -> list[GaugeMetricFamily]:
        return [
            GaugeMetricFamily("assistant_answering", "Questions being answered", self._desk.answering),
            GaugeMetricFamily("assistant_waiting", "Questions in the queue", self._desk.waiting),
        ]


class _ModelEvents(Collector):
    """Reads a model's counts when asked."""

    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        self._counts = counts

    def collect(self) -> list[CounterMetricFamily]:
        events = CounterMetricFamily(
            "assistant_model_events", "What became of model calls and of the statements in them", labels=["event"]
        )
        for name, count in sorted(self._counts().items()):
            events.add_metric([name], count)
        return [events]
