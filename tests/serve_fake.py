"""Run as a program: serves a fake that answers once told to, as `study-assistant serve` would serve the real thing."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from typing import Any, cast

from fakes import FakeAssistant

from assistant.config import Settings
from assistant.messages import Messages
from assistant.web.serve import Server, build


class Go:
    """Waits, as an event does, for a file named "go"."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "go"

    def wait(self, timeout: float) -> bool:
        until = time.monotonic() + timeout
        while not self._file.exists() and time.monotonic() < until:
            time.sleep(0.02)
        return self._file.exists()


def main(folder: Path) -> None:
    settings = Settings(
        database_url=f"sqlite:///{folder / 'feedback.db'}", rate_limit="off", rate_limit_total="off", max_concurrency=2
    )
    fake: Any = FakeAssistant(hold=cast(Any, Go(folder)), settings=settings)
    fake.messages = Messages.load(settings.prompts)
    (folder / "widget.js").write_text("")
    (folder / "demo.html").write_text("")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = build(cast(Any, fake), page="page" in sys.argv, widget=folder)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    Server(app, "127.0.0.1", port).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
