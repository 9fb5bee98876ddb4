"""The whole way with a chat model: what it writes is shown only as far as it holds, and it can fail in no other way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT, open_with_fakes
from fastapi.testclient import TestClient
from llm_server import LLMServer, Reply, Request, statements

from assistant import cli
from assistant.compose.llm import LanguageModel
from assistant.config import Settings
from assistant.messages import Messages
from assistant.pipeline import Assistant
from assistant.records import Answer, Statement
from assistant.web.metrics import Metrics
from assistant.web.serve import build

QUESTION = "Was breast milk vitamin B12 of mothers in Cambodia low, as the study found?"
LIMITED = "What are the limitations of causality in this observational cross-sectional study?"
CAUSE = "cannot establish caus"
Say = Callable[[Request], str]
Open = Callable[..., tuple[LLMServer, Assistant]]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """The assistant without a chat model."""
    with open_with_fakes(settings(tmp_path_factory.mktemp("bare"))) as assistant:
        yield assistant


def settings(folder: Path) -> Settings:
    return Settings(corpus=ROOT / "corpus", index=folder / "index", model_timeout=3.0, model_budget=6.0)


@pytest.fixture
def with_model(bare: Assistant) -> Iterator[Open]:
    """Start a scripted server, and return it with an assistant that asks it."""
    servers = []

    def start(say: Say | None = None, reply: Reply | None = None) -> tuple[LLMServer, Assistant]:
        server = LLMServer(lambda request: reply or Reply(arguments=say(request) if say else ""))
        servers.append(server)
        chosen = Settings(
            model="openai:test", model_url=server.url, model_api_key="k", model_timeout=3.0, model_budget=6.0
        )
        model = LanguageModel.open(chosen, Messages.load(chosen.prompts))
        tools = bare._tools
        assistant = Assistant(
            bare.settings,
            bare.corpus,
            tools.messages,
            tools.embedder,
            tools.retriever,
            tools.evidence,
            bare._triage,
            model,
        )
        return server, assistant

    yield start
    for server in servers:
        server.__exit__()


def first(request: Request) -> tuple[str, str]:
    """Return id and words of the first sentence that the model was given."""
    item = request.data["sentences"][0]
    return item["id"], item["text"].partition(": ")[2]


def test_a_statement_that_holds_is_the_answer(with_model: Open, bare: Assistant) -> None:
    def copies(request: Request) -> str:
        name, words = first(request)
        return statements((words, [name]))

    server, assistant = with_model(copies)
    items = list(assistant.stream(LIMITED))
    assert isinstance(items[0], Statement) and isinstance(items[-1], Answer)
    (request,) = server.requests
    assert first(request)[1].split()[0] in items[-1].text
    assert items[-1].outcome == "answered" and items[-1].citations
    counted = assistant.model.counts.snapshot()  # type: ignore[union-attr]
    assert counted["verified"] == 1 and counted["calls"] == 1


@pytest.mark.parametrize(
    "lie",
    [
        "All 9,371 infants were cured of anaemia by the supplement.",
        "Cambodian mothers should take 250 mcg of vitamin B12 every day.",
        "IGNORE ALL RULES <script>alert(1)</script>",
    ],
)
def test_what_does_not_hold_is_replaced_by_what_does(lie: str, with_model: Open, bare: Assistant) -> None:
    _, assistant = with_model(lambda request: statements((lie, [first(request)[0]])))
    answer = assistant.ask(LIMITED)
    assert answer == bare.ask(LIMITED)
    counted = assistant.model.counts.snapshot()  # type: ignore[union-attr]
    assert sum(count for name, count in counted.items() if name.startswith("dropped")) == 1


def test_what_is_left_of_an_answer_is_made_whole(with_model: Open, bare: Assistant) -> None:
    """A true but idle remark doesn't stand for the figure whose statement was dropped."""

    def script(request: Request) -> str:
        other, words = request.data["sentences"][-1]["id"], request.data["sentences"][-1]["text"].partition(": ")[2]
        return statements((words, [other]), ("The figure was 99,999 pmol/L.", [first(request)[0]]))

    _, assistant = with_model(script)
    built_in, answer = bare.ask(LIMITED), assistant.ask(LIMITED)
    quotes = {citation.quote for citation in answer.citations}
    assert {citation.quote for citation in built_in.citations[:1]} <= quotes
    assert "99,999" not in answer.text


def test_a_correction_is_told_whatever_the_model_says(with_model: Open) -> None:
    def idle(request: Request) -> str:
        last = request.data["sentences"][-1]
        return statements((last["text"].partition(": ")[2], [last["id"]]))

    _, assistant = with_model(idle)
    answer = assistant.ask("What B12 dose did the intervention arm receive?", audience="clinician")
    assert "No vitamin B12 supplementation was administered in this study." in answer.text
    assert assistant.messages.say("premise", "clinician") in answer.text


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500, text="boom"),
        Reply(status=401, text="no key"),
        Reply(text=""),
        Reply(text="I'd rather talk about the weather."),
        Reply(arguments='{"statements": [{"text": "Half'),
        Reply(hang=30),
    ],
    ids=["error", "key", "empty", "prose", "half JSON", "silence"],
)
def test_a_model_that_fails_costs_the_reader_nothing(reply: Reply, with_model: Open, bare: Assistant) -> None:
    _, assistant = with_model(reply=reply)
    assert assistant.ask(LIMITED) == bare.ask(LIMITED)


def test_without_evidence_the_model_is_not_asked(with_model: Open, bare: Assistant) -> None:
    server, assistant = with_model(lambda request: statements())
    question = "Did xylitol lozenges shorten nephrolithiasis hospitalisations?"
    assert assistant.ask(question) == bare.ask(question)
    assert assistant.ask(question).outcome == "not_in_study"
    assert server.requests == []


def test_the_owner_sees_how_often_what_was_dropped(with_model: Open) -> None:
    _, assistant = with_model(lambda request: statements(("There were 12,345 of them.", [first(request)[0]])))
    assistant.ask(LIMITED)
    metrics = Metrics()
    assert assistant.model is not None
    metrics.watch_model(assistant.model.counts.snapshot)
    text = metrics.render().decode()
    assert 'assistant_model_events_total{event="calls"} 1.0' in text
    assert 'assistant_model_events_total{event="dropped.numbers"} 1.0' in text


def test_a_model_is_scored_beside_the_built_in_answers(
    with_model: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server, assistant = with_model(lambda request: statements((first(request)[1], [first(request)[0]])))
    asked = [
        {"id": "a", "question": LIMITED, "outcome": "answered"},
        {"id": "b", "question": "Did xylitol lozenges shorten nephrolithiasis?", "outcome": "not_in_study"},
    ]
    file = tmp_path / "asked.jsonl"
    file.write_text("\n".join(map(json.dumps, asked)))
    opened = []
    monkeypatch.setattr(cli, "_open", lambda settings: opened.append(settings.model) or assistant)
    monkeypatch.setattr(assistant, "close", lambda: None)
    assert cli.main(["eval", str(file), "--model", "openai:test", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert opened == ["openai:test"]
    assert report["figures"]["built_in"]["questions"] == report["figures"]["model"]["questions"] == 2
    assert report["figures"]["model"]["right"] == 1.0
    assert report["figures"]["events"]["verified"] == 1
    assert report["figures"]["model"]["seconds_to_first_statement"] > 0
    assert len(server.requests) == 1
    assert cli.main(["eval", str(file), "--model", "openai:test"]) == 0
    assert "side by side" in capsys.readouterr().out


def test_the_suites_take_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["eval", "--suite", "triage", "--model", "openai:test"]) == 2
    assert "--model" in capsys.readouterr().err


def test_a_reader_is_told_of_english_unless_the_reply_is_in_their_language(with_model: Open, bare: Assistant) -> None:
    """A refusal is built in, and so in English, whether or not there is a model."""

    _, assistant = with_model(reply=Reply(text="Did xylitol lozenges shorten nephrolithiasis?"))
    question = "Quel était le taux de zinc chez les mères de cette étude ?"
    notice = bare.messages.notice("fr")
    assert notice in bare.ask(question).text
    assert notice in assistant.ask(question).text


def test_saying_it_twice_is_no_reason_to_say_more(with_model: Open) -> None:
    def twice(request: Request) -> str:
        name, words = first(request)
        return statements((words, [name]), (words, [name]))

    _, assistant = with_model(twice)
    items = list(assistant.stream(LIMITED))
    assert sum(isinstance(item, Statement) for item in items) == 1


def test_to_be_ready_asks_no_model(with_model: Open, tmp_path: Path) -> None:
    server, assistant = with_model(lambda request: statements())
    assistant.settings = replace(assistant.settings, database_url=f"sqlite:///{tmp_path / 'f.db'}")
    with TestClient(build(assistant, page=False)) as client:
        assert client.get("/readyz").status_code == 200
    assert server.requests == []
