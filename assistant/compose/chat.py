"""A chat model, asked with a time limit: every way it can fail ends here, as one error without secrets in it."""

from __future__ import annotations

import json
import logging
import queue
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from assistant.errors import ModelError

log = logging.getLogger(__name__)

Reason = Literal[
    "timeout", "budget", "unreachable", "rate_limited", "server_error", "key_refused", "not_found", "bad_request",
    "refused", "empty", "unusable", "busy", "failed",
]  # fmt: skip
TRIES = 4
MOST_WAITING = 16
"""Calls under way at a time, abandoned ones included; more are refused, so that a dead server can't pile up threads."""
_RETRIED: frozenset[Reason] = frozenset({"timeout", "unreachable", "rate_limited", "server_error"})


class ModelFailure(ModelError):
    """A chat model gave nothing that can be used; `reason` says in one word why."""

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason: Reason = reason
        super().__init__(message)


@dataclass(slots=True)
class ModelCounts:
    """What became of model calls and of the statements in them, since the start; safe to share between threads."""

    _counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, name: str, by: int = 1) -> None:
        """Count something: "calls", "retries", "statements", "dropped.<why>", "failed.<reason>"."""
        with self._lock:
            self._counts[name] += by

    def snapshot(self) -> Mapping[str, int]:
        """Return all counts by name."""
        with self._lock:
            return dict(self._counts)


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str = ""
    refused: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class _Failed:
    """What went wrong in a call, without the words of the error: a server may put a key into them."""

    reason: Reason
    detail: str
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class _Form:
    """How a model is asked: with tools and settings or bare, streamed or whole; what works is kept."""

    bare: bool = False
    whole: bool = False

    def simpler(self, reason: Reason) -> _Form | None:
        """Return the form to try next where a server may not know this one, or None."""
        if reason == "bad_request" and not self.bare:
            return replace(self, bare=True)
        if reason in ("empty", "failed") and not self.whole:
            return replace(self, whole=True)
        return None


class Chat:
    """A LangChain chat model behind a budget.

    Args:
        model: The chat model.
        name: What to call it in messages.
        timeout: Seconds that it may stay silent.
        budget: Seconds for one reply, tries and pauses included.
        sleep: Waits between tries.
    """

    def __init__(
        self,
        model: Any,
        name: str,
        *,
        timeout: float,
        budget: float,
        counts: ModelCounts,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._model = model
        self.name = name
        self._timeout = timeout
        self._budget = budget
        self.counts = counts
        self._sleep = sleep
        self._slots = threading.BoundedSemaphore(MOST_WAITING)
        self._form = _Form()

    def __repr__(self) -> str:
        return f"Chat({self.name!r})"

    def stream(self, system: str, user: str, tool: Mapping[str, Any] | None = None) -> Iterator[str]:
        """Yield the reply's text, or a tool call's arguments, piece by piece.

        Tried again, with growing pauses, only while nothing has come.

        Raises:
            ModelFailure: Nothing came, or the reply broke off.
        """
        deadline = time.monotonic() + self._budget
        self.counts.add("calls")
        form = self._form
        for attempt in range(TRIES):
            came = False
            failed: _Failed | None = None
            for piece in self._once(system, user, tool, deadline, form):
                if isinstance(piece, _Failed):
                    failed = piece
                    break
                came = came or bool(piece.text)
                if piece.refused:
                    failed = _Failed("refused", "the model refused")
                    break
                if piece.cut:
                    self.counts.add("truncated")
                if piece.text:
                    yield piece.text
            if failed is None and came:
                self._form = form
                return
            failed = failed or _Failed("empty", "the reply was empty")
            simpler = form.simpler(failed.reason)
            if came or attempt == TRIES - 1 or not (simpler or self._pause(failed, attempt, deadline)):
                break
            form = simpler or form
            self.counts.add("retries")
        assert failed is not None
        self.counts.add(f"failed.{failed.reason}")
        log.warning("the model %s gave no usable reply: %s (%s)", self.name, failed.detail, failed.reason)
        raise ModelFailure(failed.reason, f"the model {self.name} gave no usable reply: {failed.detail}")

    def ask(self, system: str, user: str) -> str:
        """Return the whole reply as text.

        Raises:
            ModelFailure: Nothing came, or the reply broke off.
        """
        text = ""
        for piece in self.stream(system, user):
            text += piece
            if len(text) > 4000:
                break
        return text

    def _pause(self, failed: _Failed, attempt: int, deadline: float) -> bool:
        """Return whether the same may be tried again, after the pause that is due."""
        pause = failed.wait if failed.wait is not None else 0.5 * 2**attempt * random.uniform(0.8, 1.2)
        if failed.reason not in _RETRIED or time.monotonic() + pause >= deadline:
            return False
        self._sleep(pause)
        return True

    def _once(
        self, system: str, user: str, tool: Mapping[str, Any] | None, deadline: float, form: _Form
    ) -> Iterator[_Piece | _Failed]:
        """Yield the pieces of one try; a failure is the last of them."""
        if not self._slots.acquire(blocking=False):
            yield _Failed("busy", f"{MOST_WAITING} calls are under way")
            return
        pieces: queue.SimpleQueue[_Piece | _Failed | None] = queue.SimpleQueue()
        stop = threading.Event()
        worker = threading.Thread(
            target=self._pump, args=(system, user, tool, form, pieces, stop), name="study-assistant-model", daemon=True
        )
        try:
            worker.start()
        except RuntimeError:
            self._slots.release()
            yield _Failed("busy", "no thread can be started")
            return
        try:
            while True:
                left = deadline - time.monotonic()
                try:
                    piece = pieces.get(timeout=max(0.0, min(left, self._timeout)))
                except queue.Empty:
                    over = time.monotonic() >= deadline
                    yield _Failed("budget" if over else "timeout", "it took too long")
                    return
                if piece is None:
                    return
                if time.monotonic() >= deadline:
                    yield _Failed("budget", "it took too long")
                    return
                yield piece
        finally:
            stop.set()

    def _pump(
        self,
        system: str,
        user: str,
        tool: Mapping[str, Any] | None,
        form: _Form,
        pieces: queue.SimpleQueue[_Piece | _Failed | None],
        stop: threading.Event,
    ) -> None:
        """Put the pieces of one try on a queue; in a thread of its own, since not every client has a time limit."""
        from langsmith.run_helpers import tracing_context

        failed: _Failed | None = None
        try:
            runnable = _bare(self._model) if form.bare else _with_tool(self._model, tool)
            messages = [("system", system), ("human", user)]
            # A tracing service that another program set up in the environment must not get readers' questions.
            with tracing_context(enabled=False):
                for message in [runnable.invoke(messages)] if form.whole else runnable.stream(messages):
                    if stop.is_set():
                        return
                    pieces.put(_piece(message))
        except Exception as exc:  # clients raise their own kinds; all mean that this try failed
            failed = _classified(exc)
        finally:
            self._slots.release()
            pieces.put(failed)


def _bare(model: Any) -> Any:
    """Return the model without a temperature, which some refuse."""
    return model.model_copy(update={"temperature": None}) if hasattr(model, "temperature") else model


def _with_tool(model: Any, tool: Mapping[str, Any] | None) -> Any:
    """Return the model with a tool offered, or as it is where there is none or it takes none."""
    if tool is None:
        return model
    try:
        return model.bind_tools([tool])
    except NotImplementedError:
        return model


def _piece(message: Any) -> _Piece:
    """Return what a message (chunk) of LangChain carries: words, or the arguments of a tool call."""
    text = message.text if isinstance(message.text, str) else ""
    for call in getattr(message, "tool_call_chunks", None) or []:
        text += call.get("args") or ""
    if not hasattr(message, "tool_call_chunks"):
        text += "".join(json.dumps(call["args"]) for call in getattr(message, "tool_calls", []))
    ended = (getattr(message, "response_metadata", None) or {}).get("finish_reason")
    refused = bool((getattr(message, "additional_kwargs", None) or {}).get("refusal")) or ended == "content_filter"
    return _Piece(text, refused, ended in ("length", "max_tokens"))


def _classified(exc: Exception) -> _Failed:
    """Return what an error of any provider's client means, judged by its status code and its kind."""
    response = getattr(exc, "response", None)
    status = getattr(exc, "status_code", None) or getattr(response, "status_code", None)
    kinds = " ".join(kind.__name__ for kind in type(exc).__mro__)
    if isinstance(status, int):
        detail = f"HTTP {status}"
        if status in (401, 403):
            return _Failed("key_refused", f"{detail}: the key is missing or refused")
        if status == 404:
            return _Failed("not_found", f"{detail}: no such model, or a wrong ASSISTANT_MODEL_URL")
        if status == 429:
            return _Failed("rate_limited", detail, _retry_after(response))
        if status in (408, 409, 425) or status >= 500:
            return _Failed("server_error", detail, _retry_after(response))
        return _Failed("bad_request", detail)
    if "Timeout" in kinds:
        return _Failed("timeout", "it took too long")
    if re.search(r"Connect|TransportError|ProtocolError|OSError", kinds):
        return _Failed("unreachable", "the server cannot be reached, or broke off")
    if "ContentFilter" in kinds:
        return _Failed("refused", "the model refused")
    return _Failed("failed", type(exc).__name__)


def _retry_after(response: Any) -> float | None:
    """Return the seconds that a server asks to wait, or None."""
    value = str(getattr(response, "headers", {}).get("retry-after", ""))
    return float(value) if re.fullmatch(r"\d{1,4}(\.\d+)?", value) else None
