"""A scripted stand-in for the HTTP API, and a plain website that embeds the widget; both on loopback."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WIDGET = Path(__file__).parents[2] / "assistant" / "web" / "widget"
FIXTURES = Path(__file__).parent / "fixtures"
TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".css": "text/css", ".html": "text/html; charset=utf-8"}
CHART = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 120" width="300" height="120">'
    '<rect x="60" y="20" width="200" height="30" fill="#0c6368"/>'
    '<rect x="60" y="70" width="98" height="30" fill="#b26a00"/>'
    '<text x="4" y="40" font-size="13">Canada</text><text x="4" y="90" font-size="13">Cambodia</text></svg>'
)


def citation(number: int, quote: str, section: str = "Key Findings", source: str = "technical") -> dict[str, Any]:
    """Return a citation as the API gives it."""
    return {
        "number": number,
        "pmid": "28287490",
        "source": source,
        "section": section,
        "quote": quote,
        "start": 10,
        "end": 10 + len(quote),
        "url": "https://pubmed.ncbi.nlm.nih.gov/28287490/",
    }


def finding(cohort: str, n: int, value: float, source: str = "technical") -> dict[str, Any]:
    """Return a finding as the API gives it."""
    return {
        "pmid": "28287490",
        "measure": "vitamin B12",
        "who": "mother",
        "cohort": cohort,
        "n": n,
        "statistic": "median",
        "value": value,
        "low": None,
        "high": None,
        "unit": "pmol/L",
        "p": "<0.001",
        "source": source,
        "section": "Key Findings",
    }


MOTHERS = "Canadian mothers had higher median serum B12 (348 pmol/L vs. 171 pmol/L; p<0.001)."
MILK = "Breast Milk: Breast milk from Canadian mothers had more B12 than breast milk from Cambodian mothers."
PAPER = "In the mothers' blood, total vitamin B12 was 698 pmol/L (95% CI 648–747) in Canada."
CITATIONS = [
    citation(1, MOTHERS),
    citation(2, MILK, "What The Research Found", "summary"),
    citation(3, PAPER, "Vitamin B12 concentrations", "published"),
]
STATEMENTS = [
    {
        "text": "Canadian mothers had higher median serum B12 (348 pmol/L vs. 171 pmol/L) [1].",
        "citations": CITATIONS[:1],
    },
    {"text": "- **Breast milk** from Canadian mothers had more B12 [2].", "citations": CITATIONS[1:2]},
]
ANSWER: dict[str, Any] = {
    "text": f"{STATEMENTS[0]['text']}\n\n{STATEMENTS[1]['text']}\n\n**The study page and the published paper "
    "don't agree here.** Mothers' B12 in Canada – study page: 348 pmol/L (median) [1]; "
    "published paper: 698 pmol/L (geometric mean) [3].",
    "outcome": "answered",
    "citations": CITATIONS,
    "conflicts": [
        {
            "pmid": "28287490",
            "measure": "vitamin B12",
            "who": "mother",
            "cohort": "Canada",
            "page": "348 pmol/L (median)",
            "published": "698 pmol/L (geometric mean)",
            "reason": "different statistics",
            "page_citation": CITATIONS[0],
            "published_citation": CITATIONS[2],
        }
    ],
    "findings": [finding("Canada", 40, 348.0), finding("Cambodia", 67, 171.0)],
    "follow_ups": ["What about the infants?", "How was B12 measured?"],
    "confidence": 0.9,
}


def plain(text: str, outcome: str) -> dict[str, Any]:
    """Return an answer without citations."""
    empty: dict[str, Any] = {"citations": [], "conflicts": [], "findings": [], "follow_ups": []}
    return {"text": text, "outcome": outcome, **empty, "confidence": 1.0}


class FakeApi(ThreadingHTTPServer):
    """Plays the part that `play` names, records every request, and waits at `gate` where the part is slow.

    Attributes:
        play: "good", "slow" (statements before `gate`, the answer after), "silent", "429", "500", "422", "cut",
            "no_stream", "stream_error", or an answer to give.
        requests: (method, path, JSON body or None, Cookie header or None), in order.
        allowed: The only origin that may call, or "*".
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.play: str | dict[str, Any] = "good"
        self.gate = threading.Event()
        self.requests: list[tuple[str, str, Any, str | None]] = []
        self.page_csp = ""
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self) -> FakeApi:
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self.shutdown()
        self.server_close()

    def asked(self) -> list[Any]:
        """Return the bodies of the questions asked."""
        return [body for _, path, body, _ in self.requests if path.startswith("/api/v1/ask")]


class _Handler(BaseHTTPRequestHandler):
    server: FakeApi
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_OPTIONS(self) -> None:
        self._send(204, b"", "text/plain")

    def do_GET(self) -> None:
        self.server.requests.append(("GET", self.path, None, self.headers.get("Cookie")))
        name = self.path.split("?")[0].lstrip("/")
        if name.endswith("chart.svg"):
            return self._send(200, CHART.encode(), "image/svg+xml")
        if name == "api/v1/studies":
            return self._json(200, {"studies": [{"pmid": "28287490", "title": "B12", "url": "https://example.org/"}]})
        folder = FIXTURES if name.startswith("site/") else WIDGET
        path = folder / (name.removeprefix("site/").removeprefix("demo/") if name != "demo" else "demo.html")
        if not path.is_file():
            return self._send(404, b"{}", "application/problem+json")
        body = path.read_bytes().replace(b"{HOST}", self.server.url.encode())
        return self._send(200, body, TYPES.get(path.suffix, "text/plain"), page=path.suffix == ".html")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(("POST", self.path, body, self.headers.get("Cookie")))
        play = self.server.play
        if self.path.endswith("/feedback"):
            return self._json(200, {"stored": True})
        if play == "429":
            return self._json(429, {"title": "Too many", "status": 429, "detail": "x"}, {"Retry-After": "17"})
        if play == "500":
            return self._send(500, b"<h1>Internal Server Error</h1>", "text/html")
        if play == "422":
            return self._json(422, {"title": "No", "status": 422, "detail": "There is no study with PMID 1."})
        if self.path.endswith("/ask"):
            return self._json(200, ANSWER if isinstance(play, str) else play)
        if play == "no_stream":
            return self._json(404, {"title": "Not found", "status": 404, "detail": "no"})
        if play == "silent":
            self.server.gate.wait(60)
            return None
        return self._stream(play)

    def _stream(self, play: str | dict[str, Any]) -> None:
        self.send_response(200)
        self._headers("text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self._write(": heartbeat\n\n")
        if isinstance(play, dict):
            return self._write(f"event: answer\r\ndata: {json.dumps(play)}\r\n\r\n")
        for item in STATEMENTS:
            # In pieces that split an event and, where there is one, a character.
            raw = f"event: statement\ndata: {json.dumps(item, ensure_ascii=False)}\n\n".encode()
            for at in range(0, len(raw), 97):
                self.wfile.write(raw[at : at + 97])
                self.wfile.flush()
        if play == "cut":
            return None
        if play == "slow":
            self.server.gate.wait(60)
        if play == "stream_error":
            return self._write('event: error\ndata: {"title": "x", "status": 500, "detail": "secret"}\n\n')
        return self._write(f"event: answer\ndata: {json.dumps(ANSWER)}\n\n")

    def _write(self, text: str) -> None:
        try:
            self.wfile.write(text.encode())
            self.wfile.flush()
        except OSError:
            self.close_connection = True  # the visitor left

    def _json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        kind = "application/json" if status < 400 else "application/problem+json"
        self._send(status, json.dumps(value).encode(), kind, headers)

    def _send(
        self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None, page: bool = False
    ) -> None:
        self.send_response(status)
        self._headers(kind)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if page and self.server.page_csp:
            self.send_header("Content-Security-Policy", self.server.page_csp)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _headers(self, kind: str) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
        self.send_header("Access-Control-Allow-Headers", "Content-Type")
        self.send_header("Access-Control-Expose-Headers", "Retry-After")
