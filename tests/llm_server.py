"""A server that speaks OpenAI's chat protocol over real HTTP and says what a test scripts it to say."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What one request gets: words or a tool call's arguments, or a status; in pieces where the client streams."""

    text: str = ""
    arguments: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    """Seconds before each piece."""
    pieces: int = 8
    finish: str = "stop"
    hang: float = 0.0
    """Seconds of silence before anything."""
    can_stream: bool = True
    breaks_off: bool = False
    endless: bool = False
    refusal: str = ""
    error: str = "scripted"


Script = Callable[["Request"], Reply]


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    body: dict[str, Any]
    headers: dict[str, str]
    number: int

    @property
    def system(self) -> str:
        return str(self.body["messages"][0]["content"])

    @property
    def user(self) -> str:
        return str(self.body["messages"][-1]["content"])

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.user))

    def id_of(self, fragment: str) -> str:
        """Return the id under which a sentence was given."""
        return str(next(item["id"] for item in self.data["sentences"] if fragment in item["text"]))


def statements(*items: tuple[str, Sequence[str]], english: Sequence[str] = ()) -> str:
    """Return the JSON that the prompt asks for."""
    listed = [{"text": text, "cites": list(ids)} for text, ids in items]
    for item, words in zip(listed, english, strict=False):
        item["english"] = words  # type: ignore[assignment]
    return json.dumps({"statements": listed}, ensure_ascii=False)


class LLMServer:
    """Serves `script` on a free port of this machine until it is closed; `requests` keeps what it was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self._closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                request = Request(body, {k.lower(): v for k, v in self.headers.items()}, len(outer.requests) + 1)
                outer.requests.append(request)
                try:
                    outer._answer(self, request, outer.script(request))
                except (BrokenPipeError, ConnectionResetError):
                    pass

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> LLMServer:
        return self

    def __exit__(self, *args: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._closing.wait(min(0.05, seconds)):
            pass

    def _answer(self, handler: BaseHTTPRequestHandler, request: Request, reply: Reply) -> None:
        self._wait(reply.hang)
        if reply.status != 200:
            return self._send(handler, reply.status, {"error": {"message": reply.error}}, reply.headers)
        if request.body.get("stream"):
            if not reply.can_stream:
                handler.send_response(200)
                handler.send_header("content-type", "text/event-stream")
                handler.end_headers()
                handler.wfile.write(b"data: [DONE]\n\n")
                return None
            return self._stream(handler, reply)
        message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": reply.refusal or None}
        if reply.arguments:
            message["tool_calls"] = [_call(reply.arguments)]
        choice = {"index": 0, "message": message, "finish_reason": reply.finish}
        return self._send(handler, 200, {"id": "1", "object": "chat.completion", "model": "m", "choices": [choice]}, {})

    def _send(self, handler: BaseHTTPRequestHandler, status: int, body: Any, headers: dict[str, str]) -> None:
        data = json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(data)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def _stream(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        if reply.breaks_off:
            handler.send_header("content-length", "999999")  # so that the end of the connection is no end of the reply
        handler.end_headers()

        def put(delta: dict[str, Any], finish: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
            handler.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
            handler.wfile.flush()

        put({"role": "assistant", "content": ""})
        if reply.refusal:
            put({"refusal": reply.refusal})
        words = reply.arguments or reply.text
        size = max(1, -(-len(words) // reply.pieces))
        started = False
        while True:
            for at in range(0, len(words), size):
                self._wait(reply.pause)
                piece = words[at : at + size]
                if reply.arguments:
                    put(
                        {
                            "tool_calls": [
                                _call(piece) if not started else {"index": 0, "function": {"arguments": piece}}
                            ]
                        }
                    )
                else:
                    put({"content": piece})
                started = True
            if not reply.endless or self._closing.is_set():
                break
        if reply.breaks_off:
            return
        put({}, reply.finish)
        handler.wfile.write(b"data: [DONE]\n\n")


def _call(arguments: str) -> dict[str, Any]:
    return {"index": 0, "id": "c1", "type": "function", "function": {"name": "reply", "arguments": arguments}}
