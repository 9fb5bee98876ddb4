"""Origins, Gradio's routes, headers, proxies, rates, and thousands of hostile questions."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio
import pytest
from fakes import FakeAssistant
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from webserver import app_for, parts_for

from assistant.config import Settings
from assistant.errors import ConfigError, ExtraError
from assistant.records import Answer
from assistant.web import limits
from assistant.web.api import create_app
from assistant.web.limits import Rates
from assistant.web.serve import add_files, mount_page

ATTACKS = Path(__file__).resolve().parents[2] / "shared" / "data" / "attacks"
LISTED = "https://hospital.example"
EVIL = "https://evil.example"
ASK = {"question": "q"}


def page() -> gradio.Blocks:
    """A small page of the kind that is mounted."""
    with gradio.Blocks(analytics_enabled=False, title="t") as blocks:
        box = gradio.Textbox()
        box.submit(lambda text: text, box, box, api_name="echo")
    return blocks


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """The application with a Gradio page and static files, one site listed."""
    tmp_path = tmp_path_factory.mktemp("whole")
    folder = tmp_path / "widget"
    folder.mkdir()
    (folder / "widget.js").write_text("// a widget\n" * 200)
    (folder / "demo.html").write_text("<style>b{}</style><script src='/widget.js'></script><script>alert(1)</script>")
    (folder / "demo.css").write_text("p{}")
    (folder / "README.md").write_text("not served")
    parts = parts_for(FakeAssistant(), tmp_path, allowed_origins=(LISTED,))
    app = create_app(parts)
    add_files(app, folder)
    mount_page(app, parts.assistant, parts.messages, parts.store)
    return TestClient(app, base_url="https://ask.example")


def csp(response: Any) -> dict[str, str]:
    """Read a content security policy."""
    found: str = response.headers["content-security-policy"]
    return {part.split()[0]: " ".join(part.split()[1:]) for part in found.split(";")}


EVERYWHERE = [
    ("POST", "/api/v1/ask"),
    ("POST", "/api/v1/ask/stream"),
    ("POST", "/api/v1/feedback"),
    ("GET", "/api/v1/studies"),
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/widget.js"),
    ("GET", "/"),
    ("GET", "/page/page.js"),
    ("GET", "/config"),
    ("GET", "/gradio_api/info"),
    ("POST", "/gradio_api/queue/join"),
    ("GET", "/gradio_api/queue/data?session_hash=x"),
    ("GET", "/gradio_api/startup-events"),
]


@pytest.mark.parametrize(("method", "path"), EVERYWHERE)
@pytest.mark.parametrize(
    "origin",
    [
        EVIL,
        "null",
        "http://hospital.example",
        "https://hospital.example.evil.example",
        "https://hospital.example:8443",
        "https://HOSPITAL.example/",
        "https://evil.example#https://hospital.example",
        "ask.example",
        "*",
        "",
    ],
)
def test_a_site_that_is_not_listed_is_refused_and_the_setting_named(
    whole: TestClient, method: str, path: str, origin: str
) -> None:
    response = whole.request(method, path, headers={"Origin": origin}, json=ASK if method == "POST" else None)
    assert response.status_code == 403 and response.json()["code"] == "origin_not_allowed"
    assert "ASSISTANT_ALLOWED_ORIGINS" in response.json()["detail"]
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(("method", "path"), EVERYWHERE)
def test_preflights_follow_the_same_list(whole: TestClient, method: str, path: str) -> None:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "content-type"}
    assert whole.options(path, headers={"Origin": EVIL, **asked}).status_code == 403
    allowed = whole.options(path, headers={"Origin": LISTED, **asked})
    assert allowed.status_code == 200 and allowed.headers["access-control-allow-origin"] == LISTED
    assert "access-control-allow-credentials" not in allowed.headers


def test_a_listed_site_may_ask_without_credentials(whole: TestClient) -> None:
    for path in ("/api/v1/ask", "/api/v1/ask/stream"):
        response = whole.post(path, json=ASK, headers={"Origin": LISTED})
        assert response.status_code == 200 and response.headers["access-control-allow-origin"] == LISTED
        assert "Origin" in response.headers["vary"]
        assert "access-control-allow-credentials" not in response.headers


def test_a_refusal_can_be_read_by_the_listed_site(tmp_path: Path) -> None:
    client = TestClient(app_for(tmp_path, allowed_origins=(LISTED,), rate_limit="1/minute"))
    answers = [client.post("/api/v1/ask", json=ASK, headers={"Origin": LISTED}) for _ in range(2)]
    assert [item.status_code for item in answers] == [200, 429]
    assert answers[1].headers["access-control-allow-origin"] == LISTED
    assert "Retry-After" in answers[1].headers["access-control-expose-headers"]


def test_our_own_page_may_ask_and_two_origins_may_not(whole: TestClient) -> None:
    assert whole.post("/api/v1/ask", json=ASK, headers={"Origin": "https://ask.example"}).status_code == 200
    assert whole.post("/api/v1/ask", json=ASK, headers={"Origin": "https://ask.example:443"}).status_code == 200
    two = [("Origin", "https://ask.example"), ("Origin", EVIL), ("Content-Type", "application/json")]
    assert whole.post("/api/v1/ask", content=json.dumps(ASK), headers=two).status_code == 403


def test_gradio_alone_reflects_any_site_and_mounted_here_it_does_not(whole: TestClient) -> None:
    alone = TestClient(gradio.mount_gradio_app(FastAPI(), page(), path="/"), base_url="https://ask.example")
    reflected = alone.get("/config", headers={"Origin": EVIL})
    assert reflected.headers["access-control-allow-origin"] == EVIL  # what the policy is for
    assert reflected.headers["access-control-allow-credentials"] == "true"
    assert whole.get("/config", headers={"Origin": EVIL}).status_code == 403
    ours = whole.get("/config", headers={"Origin": LISTED})
    assert ours.status_code == 200 and ours.headers["access-control-allow-origin"] == LISTED
    assert "access-control-allow-credentials" not in ours.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/proxy=https://evil.example/"),
        ("GET", "/gradio_api/dev/reload"),
        ("POST", "/gradio_api/run/echo"),
        ("POST", "/gradio_api/api/echo"),
        ("POST", "/gradio_api/call/echo"),
        ("POST", "/gradio_api/call/v2/echo"),
        ("POST", "/gradio_api/component_server"),
        ("GET", "/gradio_api/deep_link?session_hash=x"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/user"),
        ("GET", "/gradio_api/token"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", "/monitoring"),
        ("POST", "/login"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "//evil.example"),
    ],
)
def test_gradio_routes_that_the_page_does_not_need_are_not_there(whole: TestClient, method: str, path: str) -> None:
    response = whole.request(method, f"https://ask.example{path}")
    assert response.status_code == 404 and response.json()["code"] == "not_found"


@pytest.mark.parametrize("path", ["/etc/passwd", "/work/main/pyproject.toml", "../../etc/passwd"])
def test_gradio_gives_no_file_of_the_machine(whole: TestClient, path: str) -> None:
    assert whole.get(f"/gradio_api/file={path}").status_code in (403, 404)


def test_the_page_itself_works_through_the_policy(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    gradio.mount_gradio_app(app, page(), path="/")
    with TestClient(app) as client:  # runs the lifespan, as a server does
        config = client.get("/config").json()
        number = next(item["id"] for item in config["dependencies"] if item["api_name"] == "echo")
        body = {"data": ["hello"], "fn_index": number, "session_hash": "abc"}
        assert client.post("/gradio_api/queue/join", json=body).status_code == 200
        text = client.get("/gradio_api/queue/data", params={"session_hash": "abc"}).text
        assert '"msg":"process_completed"' in text and "hello" in text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(item for item in EVERYWHERE if "queue/data" not in item[1]),  # it waits for an event
        ("GET", "/nothing"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/demo"),
    ],
)
def test_every_response_has_the_headers(whole: TestClient, method: str, path: str) -> None:
    response = whole.request(method, path, json=ASK if method == "POST" else None)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    assert "microphone=()" in response.headers["permissions-policy"]
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert response.headers["cross-origin-resource-policy"] == (
        "cross-origin" if path == "/widget.js" else "same-origin"
    )
    assert csp(response)["base-uri"] in ("'none'", "'self'")
    assert "server" not in response.headers and "set-cookie" not in response.headers


def test_only_the_page_s_own_inline_scripts_may_run(whole: TestClient) -> None:
    response = whole.get("/")
    policy = csp(response)
    assert "'unsafe-inline'" not in policy["script-src"] and "http" not in policy["script-src"]
    inline = re.findall(r"<script\b(?![^>]*\bsrc=)[^>]*>(.*?)</script>", response.text, re.DOTALL)
    assert len(inline) >= 3
    for script in inline:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy["script-src"]
    assert policy["frame-ancestors"] == f"'self' {LISTED}"
    assert policy["connect-src"] == "'self'" and policy["object-src"] == "'none'"


def test_without_listed_sites_only_we_may_frame(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    gradio.mount_gradio_app(app, page(), path="/")
    response = TestClient(app).get("/")
    assert csp(response)["frame-ancestors"] == "'self'" and response.headers["x-frame-options"] == "SAMEORIGIN"


def test_the_demo_page_runs_no_inline_script(whole: TestClient) -> None:
    response = whole.get("/demo")
    assert csp(response)["script-src"] == "'self'" and csp(response)["default-src"] == "'none'"
    assert "'sha256-" in csp(response)["style-src"] and "unsafe" not in csp(response)["style-src"]
    assert whole.get("/demo/demo.css").status_code == 200
    for missing in ("README.md", "../api.py", "..%2fapi.py", "widget.js"):
        assert whole.get(f"/demo/{missing}").status_code == 404


def test_the_widget_is_small_on_the_wire_and_revalidated(whole: TestClient) -> None:
    plain = whole.get("/widget.js", headers={"Accept-Encoding": "identity"})
    packed = whole.get("/widget.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and packed.text == plain.text
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert "javascript" in plain.headers["content-type"] and "max-age=" in plain.headers["cache-control"]
    assert plain.headers["etag"] != packed.headers["etag"] and "Accept-Encoding" in packed.headers["vary"]
    again = whole.get("/widget.js", headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert gzip.compress(plain.content, 9, mtime=0) == gzip.compress(packed.content, 9, mtime=0)


@pytest.mark.parametrize(
    "entry", ["*", "https://*.example.org", "null", "example.org", "https://a.org/x", "ftp://a.org"]
)
def test_a_malformed_entry_stops_the_start_by_name(tmp_path: Path, entry: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(entry)) as caught:
        Settings.from_env({"ASSISTANT_ALLOWED_ORIGINS": f"https://good.example, {entry}"})
    assert "ASSISTANT_ALLOWED_ORIGINS" in str(caught.value)
    with pytest.raises(ConfigError, match=re.escape(entry)):
        app_for(tmp_path, allowed_origins=(entry,))  # settings made in Python pass no parser


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("RATE_LIMIT", "many"),
        ("RATE_LIMIT_TOTAL", "0/minute"),
        ("TRUSTED_HOPS", "-1"),
        ("QUEUE", "ten"),
        ("MAX_CONCURRENCY", "1.5"),
        ("REDIS_URL", "localhost:6379"),
        ("DATABASE_URL", "mysql://x"),
        ("STORE_QUESTIONS", "perhaps"),
        ("RETENTION_DAYS", "1 week"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_value(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"ASSISTANT_{key}={value!r}: expected"):
        Settings.from_env({f"ASSISTANT_{key}": value})


def test_a_password_stays_out_of_the_message() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({"ASSISTANT_DATABASE_URL": "mysql://me:hunter2@host/db"})
    assert "hunter2" not in str(caught.value)


def statuses(client: TestClient, sent: list[str | None]) -> list[int]:
    """Ask once for each X-Forwarded-For."""
    return [
        client.post("/api/v1/ask", json=ASK, headers={"X-Forwarded-For": value} if value else {}).status_code
        for value in sent
    ]


def test_a_visitor_who_asks_too_much_is_told_when_to_come_back(tmp_path: Path) -> None:
    client = TestClient(app_for(tmp_path, rate_limit="2/minute"))
    answers = [client.post("/api/v1/ask", json=ASK) for _ in range(3)]
    assert [item.status_code for item in answers] == [200, 200, 429]
    problem = answers[2].json()
    assert 1 <= int(answers[2].headers["retry-after"]) == problem["retry_after"] <= 121
    assert "wait" in problem["detail"] and str(problem["retry_after"]) in problem["detail"]
    assert client.get("/api/v1/studies").status_code == 200  # reading is free


@pytest.mark.parametrize(
    ("hops", "sent", "wanted"),
    [
        pytest.param(0, ["1.1.1.1", "2.2.2.2", "3.3.3.3"], [200, 200, 429], id="no proxy: the header is ignored"),
        pytest.param(1, ["1.1.1.1", "2.2.2.2", "1.1.1.1", "1.1.1.1"], [200, 200, 200, 429], id="one proxy"),
        pytest.param(
            1, ["6.6.6.6, 1.1.1.1", "7.7.7.7, 1.1.1.1", "8.8.8.8,1.1.1.1"], [200, 200, 429], id="spoofed left"
        ),
        pytest.param(
            2, ["1.1.1.1, 9.9.9.9", "x, 1.1.1.1, 9.9.9.9", "1.1.1.1,9.9.9.8"], [200, 200, 429], id="two proxies"
        ),
        pytest.param(
            2, ["1.1.1.1", "2.2.2.2", "3.3.3.3"], [200, 200, 429], id="past the proxies: the connection counts"
        ),
        pytest.param(1, ["a", "b", "'; DROP"], [200, 200, 429], id="not addresses: the connection counts"),
        pytest.param(1, ["2001:db8::1", "2001:db8::2", "[2001:db8::3]:80"], [200, 200, 429], id="one IPv6 household"),
    ],
)
def test_visitors_are_told_apart_honestly(tmp_path: Path, hops: int, sent: list[str | None], wanted: list[int]) -> None:
    client = TestClient(app_for(tmp_path, rate_limit="2/minute", trusted_hops=hops))
    assert statuses(client, sent) == wanted


def test_all_visitors_together_have_a_limit_too(tmp_path: Path) -> None:
    client = TestClient(app_for(tmp_path, rate_limit_total="2/minute", trusted_hops=1))
    assert statuses(client, ["1.1.1.1", "2.2.2.2", "3.3.3.3"]) == [200, 200, 429]
    assert "Many people" in client.post("/api/v1/ask", json=ASK).json()["detail"]


def test_the_page_s_events_are_counted_too(tmp_path: Path) -> None:
    app = app_for(tmp_path, rate_limit="1/minute")
    gradio.mount_gradio_app(app, page(), path="/")
    client = TestClient(app)
    got = [client.post("/gradio_api/queue/join", json={}).status_code for _ in range(limits.PAGE_EVENTS + 1)]
    assert got[-1] == 429 and 429 not in got[:-1]


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed here; apt-get install redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [program, "--port", str(port), "--save", "", "--dir", str(tmp_path), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


def test_replicas_count_together_in_redis(tmp_path: Path, redis_url: str) -> None:
    replicas = [TestClient(app_for(tmp_path, rate_limit="2/minute", redis_url=redis_url)) for _ in range(2)]
    with replicas[0], replicas[1]:
        assert [replicas[n].post("/api/v1/ask", json=ASK).status_code for n in (0, 1, 0, 1)] == [200, 200, 429, 429]


def test_a_dead_redis_costs_the_sharing_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(app_for(tmp_path, rate_limit="2/minute", redis_url="redis://:hunter2@127.0.0.1:9/0"))
    with client:
        assert [client.post("/api/v1/ask", json=ASK).status_code for _ in range(3)] == [200, 200, 429]
    assert caplog.text.count("Redis does not answer") == 1 and "hunter2" not in caplog.text


def test_redis_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ExtraError, match="pip install"):
        Rates("1/minute", "off", "redis://127.0.0.1:9/0")


def test_nothing_speaks_websocket(whole: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), whole.websocket_connect("/gradio_api/queue/join"):
        pass


def hostile() -> list[str]:
    """Every hostile string of the shared lists, each once."""
    strings = [str(item) for item in json.loads((ATTACKS / "blns.json").read_text(encoding="utf-8"))]
    for path in sorted(ATTACKS.glob("xss-*.txt")):
        strings += path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    with (ATTACKS / "giskard_prompt_injections.csv").open(encoding="utf-8", newline="") as file:
        strings += [cell for row in csv.reader(file) for cell in row]
    planted = json.loads((ATTACKS / "bipia-text-attacks.json").read_text(encoding="utf-8"))
    strings += [text for group in planted.values() for text in group]
    return list(dict.fromkeys(strings))


def test_no_hostile_question_gets_a_5xx(tmp_path: Path) -> None:
    if not ATTACKS.is_dir():
        pytest.skip(f"{ATTACKS} is not here")
    fake = FakeAssistant(statements=1)
    client = TestClient(app_for(tmp_path, fake))
    questions = hostile()
    assert len(questions) > 5000
    wanted = Answer.to_dict(fake.ask("q"))
    for number, question in enumerate(questions):
        path = "/api/v1/ask/stream" if number % 4 == 0 else "/api/v1/ask"
        body = json.dumps({"question": question})  # lone surrogates travel as escapes
        response = client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert response.status_code in (200, 422), (question, response.text)
        if response.status_code == 200 and path == "/api/v1/ask" and "zinc" not in question:
            assert response.json() == wanted


def test_hostile_strings_in_every_other_place_get_no_5xx(tmp_path: Path) -> None:
    if not ATTACKS.is_dir():
        pytest.skip(f"{ATTACKS} is not here")
    client = TestClient(app_for(tmp_path, allowed_origins=(LISTED,), trusted_hops=1), base_url="https://ask.example")
    for text in [str(item) for item in json.loads((ATTACKS / "blns.json").read_text(encoding="utf-8"))]:
        printable = "".join(c for c in text if c.isprintable() and c.isascii()) or "x"
        responses = [
            client.post("/api/v1/ask", json={"question": "q", text or "?": text}),
            client.post("/api/v1/ask", json={"question": "q", "history": [{"role": "user", "content": text}]}),
            client.post("/api/v1/feedback", json={"rating": "up", "comment": text, "question": text}),
            client.get("/api/v1/studies/28287490/chart.svg", params={"measure": text, "who": text}),
            client.get("/api/v1/studies", headers={"Origin": printable, "X-Forwarded-For": printable}),
        ]
        assert [r.status_code for r in responses if r.status_code >= 500] == [], text
        assert responses[0].status_code == 422 and responses[4].status_code == 403
