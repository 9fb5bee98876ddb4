"""The HTTP API, around a fake assistant."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import socket
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fakes import FakeAssistant
from starlette.testclient import TestClient
from webserver import app_for, served

from assistant.errors import ModelError, QuestionError
from assistant.feedback import Feedback
from assistant.records import Answer
from assistant.store import Store
from assistant.web import health, limits, streaming
from assistant.web.problems import KINDS

OPENAPI = Path(__file__).parent / "test_openapi.json"
SECRET = "does my milk have enough iron?"


def events(text: str) -> list[tuple[str, Any]]:
    """Read server-sent events."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def assert_problem(response: httpx.Response, code: str) -> dict[str, Any]:
    """Check that a response is the problem with this code, and return it."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body: dict[str, Any] = response.json()
    assert (body["code"], body["status"], response.status_code) == (code, KINDS[code][0], KINDS[code][0]), body
    assert body["type"].startswith("urn:") and body["title"] and len(body["detail"]) > 10
    return body


def test_ask_gives_the_same_answer_as_python(tmp_path: Path) -> None:
    fake = FakeAssistant()
    client = TestClient(app_for(tmp_path, fake))
    body = {
        "question": "Did it help?",
        "audience": "clinician",
        "history": [{"role": "user", "content": "Hello"}],
        "study": "28287490",
    }
    response = client.post("/api/v1/ask", json=body)
    assert response.status_code == 200 and response.headers["cache-control"] == "no-store"
    assert Answer.from_dict(response.json()) == FakeAssistant().ask("Did it help?")
    assert fake.calls == [body]


def test_the_stream_gives_each_statement_then_the_same_answer(tmp_path: Path) -> None:
    client = TestClient(app_for(tmp_path, FakeAssistant(statements=3)))
    response = client.post("/api/v1/ask/stream", json={"question": "Did it help?"})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-accel-buffering"] == "no"
    got = events(response.text)
    assert [name for name, _ in got] == ["statement", "statement", "statement", "answer"]
    answer = Answer.from_dict(got[-1][1])
    assert answer == FakeAssistant(statements=3).ask("Did it help?")
    assert got[0][1] == {"text": answer.text.split("\n\n")[0], "citations": [dataclasses.asdict(answer.citations[0])]}


def test_statements_arrive_before_the_work_is_done(tmp_path: Path) -> None:
    fake = FakeAssistant(statements=4, seconds=0.2)
    with served(app_for(tmp_path, fake)) as url:
        with httpx.stream("POST", f"{url}/api/v1/ask/stream", json={"question": "q"}) as response:
            first = next(response.iter_text())
            assert first.startswith("event: statement") and fake.steps < 4


def test_every_citation_points_into_the_text_that_is_served(tmp_path: Path) -> None:
    client = TestClient(app_for(tmp_path))
    for citation in client.post("/api/v1/ask", json={"question": "q"}).json()["citations"]:
        source = client.get(f"/api/v1/studies/{citation['pmid']}/sources/{citation['source']}").json()
        assert source["text"][citation["start"] : citation["end"]] == citation["quote"]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        pytest.param({}, "question", "missing", id="nothing"),
        pytest.param({"question": ""}, "question", "at least 1", id="empty"),
        pytest.param({"question": " \n\t"}, "question", "empty", id="blank"),
        pytest.param({"question": "q" * 2001}, "question", "2000", id="too long"),
        pytest.param({"question": 7}, "question", "string", id="a number"),
        pytest.param({"question": "q", "tempreature": 1}, "tempreature", "not a field", id="unknown field"),
        pytest.param({"question": "q", "audience": "nurse"}, "audience", "'parent' or 'clinician'", id="audience"),
        pytest.param({"question": "q", "history": "hello"}, "history", "list", id="history is text"),
        pytest.param({"question": "q", "history": [{"role": "user"}]}, "history.0.content", "missing", id="turn"),
        pytest.param(
            {"question": "q", "history": [{"role": "system", "content": "obey"}]}, "history.0.role", "'user'", id="role"
        ),
        pytest.param(
            {"question": "q", "history": [{"role": "user", "content": "c", "x": 1}]},
            "history.0.x",
            "not a field",
            id="x",
        ),
        pytest.param(
            {"question": "q", "history": [{"role": "user", "content": "c"}] * 21}, "history", "20", id="21 turns"
        ),
        pytest.param(
            {"question": "q", "history": [{"role": "user", "content": "c" * 8001}]},
            "history.0.content",
            "8000",
            id="turn",
        ),
        pytest.param(
            {"question": "q", "history": [{"role": "user", "content": "c" * 7000}] * 6}, "history", "40000", id="sum"
        ),
        pytest.param({"question": "q", "study": "../etc"}, "study", "pattern", id="study"),
        pytest.param([], "body", "object", id="a list"),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/ask", "/api/v1/ask/stream"])
def test_a_body_that_breaks_a_limit_is_refused_by_name(
    tmp_path: Path, path: str, body: Any, field: str, words: str
) -> None:
    fake = FakeAssistant()
    problem = assert_problem(TestClient(app_for(tmp_path, fake)).post(path, json=body), "invalid")
    assert [words in error["message"] for error in problem["errors"] if error["field"] == field] == [True], problem
    assert fake.calls == []


def test_a_question_of_exactly_2000_characters_is_taken(tmp_path: Path) -> None:
    assert TestClient(app_for(tmp_path)).post("/api/v1/ask", json={"question": "🙂" * 2000}).status_code == 200


def test_a_visitor_reads_how_long_a_question_may_be(tmp_path: Path) -> None:
    response = TestClient(app_for(tmp_path)).post("/api/v1/ask", json={"question": "q" * 2001})
    assert "2,000 characters" in response.json()["detail"] and "shorten" in response.json()["detail"]


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        pytest.param(b'{"question": ', "application/json", "bad_json", id="cut"),
        pytest.param(b"\xff\xfe", "application/json", "bad_json", id="not UTF-8"),
        pytest.param(b"[" * 100_000, "application/json", "bad_json", id="deep"),
        pytest.param(b'{"question": ' + b"9" * 5000 + b"}", "application/json", "bad_json", id="long number"),
        pytest.param(b'{"question": "\\ud800"}', "application/json", "invalid", id="lone surrogate"),
        pytest.param(b'{"question": "q"}', "text/plain", "not_json", id="as text"),
        pytest.param(b"question=q", "application/x-www-form-urlencoded", "not_json", id="a form"),
        pytest.param(b'{"question": "q"}', "", "not_json", id="no type"),
        pytest.param(b" " * (limits.MAX_BODY + 1), "application/json", "too_large", id="large"),
    ],
)
def test_a_body_that_is_no_json_is_refused(tmp_path: Path, content: bytes, kind: str, code: str) -> None:
    fake = FakeAssistant()
    headers = {"Content-Type": kind} if kind else {}
    assert_problem(TestClient(app_for(tmp_path, fake)).post("/api/v1/ask", content=content, headers=headers), code)
    assert fake.calls == []


def test_a_body_without_length_that_grows_too_large_is_refused(tmp_path: Path) -> None:
    chunks = (b" " * 10_000 for _ in range(40))
    response = TestClient(app_for(tmp_path)).post(
        "/api/v1/ask", content=chunks, headers={"Content-Type": "application/json"}
    )
    assert_problem(response, "too_large")


def test_a_body_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_WITHIN", 0.3)
    with served(app_for(tmp_path)) as url:
        with socket.create_connection((urlsplit(url).hostname or "", urlsplit(url).port or 0), timeout=5) as client:
            client.sendall(b"POST /api/v1/ask HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            assert b" 408 " in client.recv(4096).split(b"\r\n")[0]


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        pytest.param(QuestionError("there is no study '1'"), "question", id="question"),
        pytest.param(ModelError(f"cannot read {SECRET}"), "unavailable", id="model"),
        pytest.param(ValueError(SECRET), "internal", id="a bug"),
        pytest.param(OSError(SECRET), "internal", id="an OSError"),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/ask", "/api/v1/ask/stream"])
def test_a_failure_is_a_problem_and_its_text_stays_out(
    tmp_path: Path, path: str, failure: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = TestClient(app_for(tmp_path, FakeAssistant(failure=failure)))
    with caplog.at_level(logging.DEBUG):
        response = client.post(path, json={"question": SECRET})
    assert_problem(response, code)
    assert "iron" not in response.text and "iron" not in caplog.text


def test_a_failure_after_the_start_ends_the_stream_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaks(FakeAssistant):
        def stream(self, question: str, **rest: Any) -> Any:
            for item in super().stream(question, **rest):
                yield item
                raise OSError("the disk went away")

    client = TestClient(app_for(tmp_path, Breaks()))
    got = events(client.post("/api/v1/ask/stream", json={"question": "q"}).text)
    assert [name for name, _ in got] == ["statement", "error"]
    assert got[-1][1]["code"] == "internal"


def test_silence_is_filled_with_heartbeats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.web.api.HEARTBEAT", 0.05)
    monkeypatch.setattr(streaming, "HEARTBEAT", 0.05)
    client = TestClient(app_for(tmp_path, FakeAssistant(statements=1, seconds=0.4)))
    text = client.post("/api/v1/ask/stream", json={"question": "q"}).text
    assert text.startswith(": keep-alive\n\n: keep-alive\n\n")
    assert [name for name, _ in events(text)] == ["statement", "answer"]


def test_an_answer_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = threading.Event()
    monkeypatch.setattr(streaming.Listener.__init__, "__defaults__", (0.2,))
    client = TestClient(app_for(tmp_path, FakeAssistant(hold=hold)))
    response = client.post("/api/v1/ask", json={"question": "q"})
    hold.set()
    assert_problem(response, "busy")
    assert response.headers["retry-after"] == str(response.json()["retry_after"])


@pytest.mark.parametrize("path", ["/api/v1/ask", "/api/v1/ask/stream"])
def test_a_client_that_leaves_stops_the_work(tmp_path: Path, path: str) -> None:
    fake = FakeAssistant(statements=30, seconds=0.05)
    with served(app_for(tmp_path, fake)) as url:
        with pytest.raises(httpx.ReadTimeout):
            with httpx.stream("POST", url + path, json={"question": "q"}, timeout=0.3) as response:
                for _ in response.iter_text():
                    time.sleep(0.4)
                    raise httpx.ReadTimeout("read enough")
        until = time.monotonic() + 3
        while not fake.closed and time.monotonic() < until:
            time.sleep(0.02)
        assert fake.closed == 1 and fake.steps < 30
        assert "assistant_clients_left_total 1.0" in httpx.get(f"{url}/metrics").text


def test_over_the_queue_a_question_is_refused_at_once(tmp_path: Path) -> None:
    hold = threading.Event()
    fake = FakeAssistant(hold=hold)
    with served(app_for(tmp_path, fake, max_concurrency=2, queue=3)) as url:
        got: list[int] = []

        def ask() -> None:
            got.append(httpx.post(f"{url}/api/v1/ask", json={"question": "q"}, timeout=20).status_code)

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 5
        while "assistant_waiting 3.0" not in httpx.get(f"{url}/metrics").text and time.monotonic() < until:
            time.sleep(0.02)
        started = time.monotonic()
        response = httpx.post(f"{url}/api/v1/ask", json={"question": "q"})
        assert time.monotonic() - started < 1
        problem = assert_problem(response, "busy")
        assert response.headers["retry-after"] == str(problem["retry_after"]) and "busy" in problem["detail"]
        assert httpx.get(f"{url}/healthz").status_code == 200
        hold.set()
        for thread in threads:
            thread.join(10)
        assert got == [200] * 5 and fake.most_at_once == 2
        assert httpx.post(f"{url}/api/v1/ask", json={"question": "q"}).status_code == 200


def test_the_studies_their_sources_and_validators(tmp_path: Path) -> None:
    fake = FakeAssistant()
    client = TestClient(app_for(tmp_path, fake))
    (study,) = client.get("/api/v1/studies").json()["studies"]
    assert study["pmid"] == "28287490" and study["title"] == fake.corpus.studies[0].title
    for item in study["sources"]:
        response = client.get(item["url"])
        source = fake.corpus.studies[0].source(item["name"])
        assert response.json()["text"] == source.text and item["characters"] == len(source.text)
        again = client.get(item["url"], headers={"If-None-Match": response.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert study["chart"] is None  # nothing draws here


@pytest.mark.parametrize("path", ["/api/v1/studies/1/sources/summary", "/api/v1/studies/28287490/sources/secret"])
def test_what_is_not_there_is_not_found(tmp_path: Path, path: str) -> None:
    assert_problem(TestClient(app_for(tmp_path)).get(path), "not_found")


def test_the_chart_is_drawn_once_from_the_findings_asked_for(tmp_path: Path) -> None:
    drawn: list[tuple[Any, ...]] = []

    def draw(findings: Any, theme: str) -> bytes:
        drawn.append((theme, findings))
        return b"<svg xmlns='http://www.w3.org/2000/svg'/>"

    fake = FakeAssistant()
    client = TestClient(app_for(tmp_path, fake, draw=draw))
    url = client.get("/api/v1/studies").json()["studies"][0]["chart"]
    for _ in range(2):
        response = client.get(url, params={"who": "milk"})
        assert (
            response.headers["content-type"] == "image/svg+xml"
            and "sandbox" in response.headers["content-security-policy"]
        )
    milk = tuple(item for item in fake.corpus.studies[0].findings if item.who == "milk" and item.value is not None)
    assert drawn == [("light", milk)] and milk
    assert client.get(url, params={"theme": "dark"}).status_code == 200 and drawn[-1][0] == "dark"
    assert_problem(client.get(url, params={"theme": "pink"}), "invalid")
    assert_problem(client.get(url, params={"measure": "gold"}), "not_found")


@pytest.mark.parametrize("keep", [False, True])
def test_feedback_is_stored_and_the_question_only_if_wanted(tmp_path: Path, keep: bool) -> None:
    client = TestClient(app_for(tmp_path, store_questions=keep))
    body = {"rating": "down", "comment": "unclear", "question": SECRET, "study": "28287490", "surface": "widget"}
    response = client.post("/api/v1/feedback", json=body)
    assert (response.status_code, response.json()) == (202, {"stored": True, "question_stored": keep})
    with Store(f"sqlite:///{tmp_path / 'feedback.db'}") as store:
        wanted = Feedback("down", "unclear", SECRET if keep else "", study="28287490", surface="widget")
        assert store.report().comments == (wanted,)


def test_a_comment_after_a_thumb_is_no_second_rating(tmp_path: Path) -> None:
    client = TestClient(app_for(tmp_path))
    for body in ({"rating": "up"}, {"rating": "up+", "comment": "clear"}):
        assert client.post("/api/v1/feedback", json=body).status_code == 202
    with Store(f"sqlite:///{tmp_path / 'feedback.db'}") as store:
        report = store.report()
    assert (report.ups, report.downs, [item.comment for item in report.comments]) == (1, 0, ["clear"])


@pytest.mark.parametrize(
    "body",
    [{}, {"rating": "meh"}, {"rating": "up++"}, {"rating": "up", "comment": "c" * 2001}, {"rating": "up", "stars": 5}],
)
def test_feedback_that_breaks_the_form_is_refused(tmp_path: Path, body: dict[str, Any]) -> None:
    assert_problem(TestClient(app_for(tmp_path)).post("/api/v1/feedback", json=body), "invalid")


def test_a_dead_database_costs_the_feedback_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(app_for(tmp_path, database_url="postgresql://owner:hunter2@127.0.0.1:9/none"))
    body = {"rating": "up", "question": SECRET, "comment": "so private"}
    assert_problem(client.post("/api/v1/feedback", json=body), "feedback_not_saved")
    assert "ASSISTANT_DATABASE_URL" in caplog.text
    for leaked in ("hunter2", "iron", "private"):
        assert leaked not in caplog.text
    assert client.post("/api/v1/ask", json={"question": "q"}).status_code == 200


def test_alive_and_ready(tmp_path: Path) -> None:
    fake = FakeAssistant()
    client = TestClient(app_for(tmp_path, fake))
    assert client.get("/healthz").text == "alive\n" and fake.calls == []
    assert [client.get("/readyz").status_code for _ in range(3)] == [200] * 3
    assert len(fake.calls) == 1  # a good probe counts for a while


def test_not_ready_while_the_probe_fails_or_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_problem(TestClient(app_for(tmp_path, FakeAssistant(failure=ModelError("m")))).get("/readyz"), "unavailable")
    monkeypatch.setattr(health, "WITHIN", 0.1)
    hold = threading.Event()
    assert_problem(TestClient(app_for(tmp_path, FakeAssistant(hold=hold))).get("/readyz"), "unavailable")
    hold.set()


def test_metrics_count_without_naming_anyone(tmp_path: Path) -> None:
    client = TestClient(app_for(tmp_path))
    client.post("/api/v1/ask", json={"question": SECRET})
    client.post("/api/v1/ask", json={"question": ""})
    text = client.get("/metrics").text
    assert 'assistant_requests_total{method="POST",route="/api/v1/ask",status="200"} 1.0' in text
    assert 'assistant_refusals_total{code="invalid"} 1.0' in text
    assert "iron" not in text and "testclient" not in text


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/v1/ask", "method_not_allowed"),
        ("DELETE", "/api/v1/studies", "method_not_allowed"),
        ("POST", "/healthz", "method_not_allowed"),
        ("GET", "/api/v2/ask", "not_found"),
        ("GET", "/docs", "not_found"),
        ("GET", "/.env", "not_found"),
    ],
)
def test_wrong_addresses_and_methods_are_problems(tmp_path: Path, method: str, path: str, code: str) -> None:
    response = TestClient(app_for(tmp_path)).request(method, path)
    assert_problem(response, code)
    assert (code == "method_not_allowed") == ("allow" in response.headers)


def test_replicas_share_nothing(tmp_path: Path) -> None:
    one, two = (TestClient(app_for(tmp_path)) for _ in range(2))
    first = one.post("/api/v1/ask", json={"question": "q"}).json()
    history = [{"role": "user", "content": "q"}, {"role": "assistant", "content": first["text"]}]
    assert two.post("/api/v1/ask", json={"question": "and then?", "history": history}).status_code == 200


def test_no_answer_is_logged_or_set_as_a_cookie(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        response = TestClient(app_for(tmp_path)).post("/api/v1/ask", json={"question": SECRET})
    assert "iron" not in caplog.text and "set-cookie" not in response.headers


def test_the_description_is_the_one_kept_here(tmp_path: Path) -> None:
    """To take a change on: `python tests/test_api.py`, then read the difference."""
    described = TestClient(app_for(tmp_path)).get("/api/v1/openapi.json").json()
    assert described == json.loads(OPENAPI.read_text(encoding="utf-8"))
    assert not re.search(r"https?://(?!127)", json.dumps(described))


if __name__ == "__main__":
    described = app_for(Path("/tmp")).openapi()
    OPENAPI.write_text(json.dumps(described, indent=1, sort_keys=True) + "\n", encoding="utf-8")
