"""Builds the application around fakes, and serves it on a free port where a test needs a real connection."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fakes import FakeAssistant
from fastapi import FastAPI

from assistant.config import Settings
from assistant.messages import Messages
from assistant.store import Store
from assistant.web.api import Parts, create_app
from assistant.web.metrics import Metrics

DEFAULTS: dict[str, Any] = {"rate_limit": "off", "rate_limit_total": "off", "max_concurrency": 2, "queue": 4}


def parts_for(assistant: Any, folder: Path, **changes: Any) -> Parts:
    """Return parts with a database in a folder; rate limits off unless given."""
    values = {**DEFAULTS, "database_url": f"sqlite:///{folder / 'feedback.db'}", **changes}
    draw = values.pop("draw", None)
    settings = dataclasses.replace(Settings(), **values)
    messages = Messages.load(settings.prompts)
    return Parts.of(assistant, settings, messages, Store.open(settings), Metrics(), draw=draw)


def app_for(folder: Path, assistant: Any = None, **changes: Any) -> FastAPI:
    """Return the application around a fake."""
    return create_app(parts_for(assistant or FakeAssistant(), folder, **changes))


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Yield the address of a server in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", proxy_headers=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
