"""Puts the web together: the API, the chat page at /, the widget and its demo, the texts to read; and serves it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistant.messages import Messages
from assistant.records import Finding
from assistant.store import Store
from assistant.web.api import Parts, create_app
from assistant.web.files import AN_HOUR, ASK_AGAIN, WIDGET, File
from assistant.web.metrics import Metrics
from assistant.web.problems import Problem
from assistant.web.read import add_reading
from assistant.web.recording import RecordedAssistant, Recorder
from assistant.web.remembering import Remembering

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.web.ui import Answers

FINISH_WITHIN = 60
"""Seconds that accepted requests have to finish after SIGTERM."""
CONNECTIONS = 1000
"""Connections at a time; one more is refused by the server itself."""
_SERVED = frozenset({".css", ".js", ".png", ".svg", ".webp"})


def build(assistant: Assistant, *, page: bool = True, widget: Path = WIDGET) -> FastAPI:
    """Return the whole application around an open assistant; its shutdown closes what it opened, not the assistant.

    Args:
        assistant: Its settings are the server's.
        page: Whether the chat page is mounted at /.
        widget: Folder of the widget and its demo page.

    Raises:
        AssistantError: A setting can't be used.
    """
    settings = assistant.settings
    store, metrics = Store.open(settings), Metrics()
    if assistant.model:
        metrics.watch_model(assistant.model.counts.snapshot)
    recorder = Recorder(store, metrics.lost)
    streams = None if assistant.model else Remembering(assistant, settings.remember)
    recorded = RecordedAssistant(assistant, recorder, metrics.answer, streams)
    probe = assistant.without_model()  # to be ready must not wait for a chat model, nor cost anything
    parts = Parts.of(recorded, settings, assistant.messages, store, metrics, probe=probe, draw=_draw)
    app = create_app(parts, closing=(recorder.close, store.close))
    add_files(app, widget)
    add_reading(app, assistant.corpus, assistant.messages, metrics.refusal)
    if page:
        mount_page(app, recorded, assistant.messages, store)
    return app


def serve(assistant: Assistant, host: str = "127.0.0.1", port: int = 7860, *, page: bool = True) -> None:
    """Serve an open assistant until SIGTERM or SIGINT; what was accepted by then is finished.

    Args:
        assistant: Left open.
        host: Address to listen on.
        port: Port to listen on; 0 for a free one.
        page: Whether the chat page is mounted at /.

    Raises:
        AssistantError: A setting can't be used.
    """
    Server(build(assistant, page=page), host, port).run()


class Server(uvicorn.Server):
    """Uvicorn, which at the end also lets go of the connections that Gradio's pages hold open for ever."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            proxy_headers=False,  # it would believe anything that comes from loopback; `VisitorMiddleware` does not
            server_header=False,
            access_log=False,
            log_level="warning",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=20,
            timeout_graceful_shutdown=FINISH_WITHIN,
        )
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the shutdown."""
        for route in self._app.routes:
            held = getattr(getattr(route, "app", None), "stop_event", None)
            if isinstance(held, asyncio.Event):
                held.set()
        super().handle_exit(sig, frame)


def mount_page(app: FastAPI, assistant: Answers, messages: Messages, store: Store) -> None:
    """Mount the chat page at /, after everything else, since it takes what is left."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Gradio reads it when it is imported and when a page is made
    from assistant.web import ui

    ui.mount(app, assistant, messages, on_feedback=store.add_feedback)


def add_files(app: FastAPI, folder: Path) -> None:
    """Serve the widget at /widget.js, its demo page at /demo, and what the page needs below that."""
    files: dict[str, File] = {"/widget.js": File.read(folder / "widget.js", AN_HOUR)}
    demo = (folder / "demo.html").read_bytes()
    for path in sorted(folder.iterdir()):
        if path.suffix in _SERVED and path.name != "widget.js":
            files[f"/demo/{path.name}"] = File.read(path, ASK_AGAIN)

    async def send(request: Request) -> Response:
        if request.url.path == "/demo":  # never by validator: a 304 would carry a policy without the page's hashes
            return Response(demo, media_type="text/html", headers={"Cache-Control": "no-store"})
        found = files.get(request.url.path)
        if found is None:
            raise Problem("not_found", "There is no such file.")
        return found.response(request)

    for path_ in ("/widget.js", "/demo", "/demo/{rest:path}"):
        app.router.routes.append(Route(path_, send, methods=["GET"]))


def _draw(findings: Sequence[Finding], theme: str) -> bytes:
    """Return the chart of findings as SVG."""
    from assistant.charts import chart

    return chart(findings, "svg", "dark" if theme == "dark" else "light")
