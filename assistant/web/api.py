"""The HTTP API: one application, every part of it passed in; it keeps no state between requests."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Route

from assistant.config import Settings, parse_origins
from assistant.corpus import Corpus
from assistant.errors import AssistantError, DatabaseError, QuestionError
from assistant.feedback import Feedback
from assistant.messages import Messages
from assistant.records import Answer, Audience, Turn
from assistant.store import Store
from assistant.web.bodies import AskBody, FeedbackBody, FeedbackStored, problem_of
from assistant.web.desk import BUSY_RETRY, Asked, BusyError, Desk, Streams
from assistant.web.health import Readiness
from assistant.web.limits import LimitMiddleware, Rates
from assistant.web.metrics import CONTENT_TYPE, Metrics, MetricsMiddleware
from assistant.web.problems import Problem, documented
from assistant.web.security import GateMiddleware, VisitorMiddleware
from assistant.web.shield import ShieldMiddleware, log_without_text
from assistant.web.streaming import HEARTBEAT, ClientGoneError, EventStream, Listener
from assistant.web.studies import Draw, Studies, add_study_routes

ABOUT = "Answers questions about studies; every statement has a citation whose offsets were checked against the source."
FEEDBACK_AT_ONCE = 4
"""Ratings that are written at a time."""
_log = logging.getLogger(__name__)


class Answers(Streams, Protocol):
    """What the API needs of an assistant."""

    @property
    def corpus(self) -> Corpus:
        """The studies."""
        ...

    def ask(
        self, question: str, *, audience: Audience = "parent", history: Sequence[Turn] = (), study: str | None = None
    ) -> Answer:
        """Return the answer."""
        ...


@dataclass(frozen=True)
class Parts:
    """What the API is made of."""

    assistant: Answers
    settings: Settings
    messages: Messages
    store: Store
    metrics: Metrics
    desk: Desk
    readiness: Readiness
    draw: Draw | None = None

    @classmethod
    def of(
        cls,
        assistant: Answers,
        settings: Settings,
        messages: Messages,
        store: Store,
        metrics: Metrics,
        *,
        probe: Answers | None = None,
        draw: Draw | None = None,
    ) -> Parts:
        """Return the parts around an assistant; `probe` answers for readiness without being counted."""
        desk = Desk(assistant, concurrency=settings.concurrency, queue=settings.queue)
        asked = probe or assistant
        question = asked.corpus.studies[0].title[:300]
        metrics.watch(desk)
        return cls(assistant, settings, messages, store, metrics, desk, Readiness(lambda: asked.ask(question)), draw)

    def problem(self, exc: Exception) -> Problem:
        """Return what a client is told about an exception, and count it."""
        if isinstance(exc, Problem):
            problem = exc
        elif isinstance(exc, QuestionError):
            problem = Problem("question", str(exc))
        elif isinstance(exc, BusyError | TimeoutError):
            problem = Problem("busy", self.messages.say("web.busy", seconds=BUSY_RETRY), retry_after=BUSY_RETRY)
        else:
            log_without_text(exc, "a question", _log)
            code = "unavailable" if isinstance(exc, AssistantError) else "internal"
            problem = Problem(code, self.messages.say(f"web.{code}"))
        self.metrics.refusal(problem.code)
        return problem


def create_app(parts: Parts, closing: Sequence[Callable[[], None]] = ()) -> FastAPI:
    """Return the API with everything that guards it; pages may be mounted on it afterwards.

    Args:
        parts: What it is made of.
        closing: Called in this order at the end, when every accepted question has its answer.

    Raises:
        ConfigError: A setting can't be used.
        ExtraError: A setting needs a part that is not installed.
    """
    settings, metrics = parts.settings, parts.metrics
    origins = parse_origins("ASSISTANT_ALLOWED_ORIGINS", " ".join(settings.allowed_origins))
    rates = Rates(settings.rate_limit, settings.rate_limit_total, settings.redis_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        parts.readiness.draining = True
        for close in (parts.desk.close, *closing):
            await to_thread.run_sync(close)

    app = FastAPI(
        title="Study Assistant",
        version="1",
        description=ABOUT,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # both viewers load scripts from another host
        redoc_url=None,
        lifespan=lifespan,
        middleware=[
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
            Middleware(ShieldMiddleware, origins=origins, messages=parts.messages),
            Middleware(VisitorMiddleware, hops=settings.trusted_hops),
            Middleware(MetricsMiddleware, metrics=metrics),
            Middleware(GateMiddleware, origins=origins, refused=metrics.refusal),
            # Gradio adds a CORS policy of its own, which reflects any origin, unless the application has this class.
            Middleware(
                CORSMiddleware,
                allow_origins=list(origins),
                allow_methods=["GET", "POST"],
                allow_headers=["Content-Type"],
                expose_headers=["Retry-After", "Content-Length"],
                max_age=600,
            ),
            Middleware(LimitMiddleware, rates=rates, messages=parts.messages, refused=metrics.refusal),
        ],
    )
    _add_refusals(app, parts)
    _add_questions(app, parts)
    studies = Studies(parts.assistant.corpus, parts.draw)
    add_study_routes(app, studies)
    _add_feedback(app, parts, studies)
    _add_health(app, parts)
    for path in ("/api/{rest:path}", "/healthz", "/readyz", "/metrics"):
        app.router.routes.append(Route(path, _nothing_here, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
    return app


def _add_refusals(app: FastAPI, parts: Parts) -> None:
    """Turn every error into problem details."""

    @app.exception_handler(Problem)
    async def refuse(_: Request, problem: Problem) -> Response:
        parts.metrics.refusal(problem.code)
        return problem.response()

    @app.exception_handler(RequestValidationError)
    async def refuse_body(_: Request, error: RequestValidationError) -> Response:
        problem = problem_of(error, parts.messages)
        parts.metrics.refusal(problem.code)
        return problem.response()

    @app.exception_handler(HTTPException)
    async def refuse_otherwise(_: Request, error: HTTPException) -> Response:
        codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "not_json"}
        problem = Problem(codes.get(error.status_code, "bad_json"), str(error.detail), headers=error.headers or {})
        parts.metrics.refusal(problem.code)
        return problem.response()


def _add_questions(app: FastAPI, parts: Parts) -> None:
    refusals = documented("bad_json", "origin_not_allowed", "too_slow", "too_large", "not_json")
    refusals |= documented("invalid", "question") | documented("rate_limited") | documented("busy", "unavailable")

    def listen(request: Request, body: AskBody) -> Listener:
        history = tuple(Turn(role=turn.role, content=turn.content) for turn in body.history)
        ticket = parts.desk.accept(Asked(body.question, body.audience, history, body.study))
        return Listener(ticket, request.receive)

    @app.post(
        "/api/v1/ask",
        response_model=Answer,
        responses=refusals,
        dependencies=[Depends(_json_only)],
        summary="Ask a question, get the whole answer",
    )
    async def ask(request: Request, body: AskBody) -> Response:
        listener = None
        try:
            listener = listen(request, body)
            answer = await listener.answer()
        except ClientGoneError:
            parts.metrics.left()
            return Response(status_code=499)  # nobody reads it
        except Exception as exc:  # whatever it is, the client is told what to do
            return parts.problem(exc).response()
        finally:
            if listener is not None:
                listener.close()
        return Response(
            json.dumps(answer.to_dict(), ensure_ascii=False),
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    @app.post(
        "/api/v1/ask/stream",
        status_code=200,
        response_class=EventStream,
        responses={200: {"description": _EVENTS, "content": {"text/event-stream": {}}}, **refusals},
        dependencies=[Depends(_json_only)],
        summary="Ask a question, get each statement as it is verified",
    )
    async def stream(request: Request, body: AskBody) -> Response:
        listener = None
        try:
            listener = listen(request, body)
            first = await listener.next(HEARTBEAT)  # a refusal before that has a status of its own
        except ClientGoneError:
            parts.metrics.left()
            if listener is not None:
                listener.close()
            return Response(status_code=499)
        except Exception as exc:  # whatever it is, the client is told what to do
            if listener is not None:
                listener.close()
            return parts.problem(exc).response()
        return EventStream(listener, first, parts.problem, left=parts.metrics.left)


def _add_feedback(app: FastAPI, parts: Parts, studies: Studies) -> None:
    writers = CapacityLimiter(FEEDBACK_AT_ONCE)

    @app.post(
        "/api/v1/feedback",
        status_code=202,
        response_model=FeedbackStored,
        responses=documented("bad_json", "not_json", "invalid", "rate_limited", "feedback_not_saved"),
        dependencies=[Depends(_json_only)],
        summary="Rate an answer",
    )
    async def rate(body: FeedbackBody) -> Response:
        if body.study is not None:
            studies.find(body.study)
        given = Feedback(**{**body.model_dump(), "study": body.study or ""})
        try:
            await to_thread.run_sync(parts.store.add_feedback, given, limiter=writers)
        except DatabaseError as exc:
            _log.warning("%s", exc)
            parts.metrics.lost()
            raise Problem("feedback_not_saved", parts.messages.say("web.feedback_not_saved")) from exc
        kept = FeedbackStored(stored=True, question_stored=bool(body.question) and parts.store.keep_questions)
        return Response(kept.model_dump_json(), 202, {"Cache-Control": "no-store"}, "application/json")


def _add_health(app: FastAPI, parts: Parts) -> None:
    @app.get("/healthz", response_class=PlainTextResponse, summary="Alive")
    async def alive() -> Response:
        return PlainTextResponse("alive\n", headers={"Cache-Control": "no-store"})

    @app.get("/readyz", response_class=PlainTextResponse, responses=documented("unavailable"), summary="Ready")
    async def ready() -> Response:
        if await parts.readiness.ready():
            return PlainTextResponse("ready\n", headers={"Cache-Control": "no-store"})
        raise Problem("unavailable", "The probe question got no answer, or the server is stopping.", retry_after=5)

    @app.get("/metrics", response_class=PlainTextResponse, summary="Counters for Prometheus")
    async def metrics() -> Response:
        return Response(parts.metrics.render(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


async def _json_only(request: Request) -> None:
    """Refuse a body that doesn't say it is JSON; other sites' forms can't say so."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem("not_json", "Send JSON, with the header Content-Type: application/json.")


async def _nothing_here(request: Request) -> Response:
    """Refuse an address of ours that no route took, or a method that its route doesn't know."""
    methods: set[str] = set()
    for route in request.app.routes:
        if (
            isinstance(route, Route)
            and route.endpoint is not _nothing_here
            and route.matches(request.scope)[0] == Match.PARTIAL
        ):
            methods |= route.methods or set()
    if methods:
        allowed = ", ".join(sorted(methods))
        raise Problem("method_not_allowed", f"Use {allowed} here.", headers={"Allow": allowed})
    raise Problem("not_found", "There is nothing at this address. The API is described at /api/v1/openapi.json.")


_EVENTS = (
    "`event: statement` for each verified statement (`text`, `citations`), then `event: answer` with the whole answer, "
    "the same JSON as `/api/v1/ask` gives. `event: error` with problem details ends a stream that failed. Comment "
    "lines keep the connection open; a stream that ends without `answer` or `error` was cut."
)
