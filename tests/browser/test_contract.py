"""One question through every way in: Python, command line, HTTP, its stream and the widget give the same answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from chromium import in_chromium
from webserver import served

from assistant import cli
from assistant.pipeline import Assistant
from assistant.web.serve import build

pytestmark = [pytest.mark.model, *in_chromium]
ASKED = (
    ("How much B12 was in the breast milk in Cambodia?", "parent", "answered"),
    ("maternal serum B12, median, n and p, both sites", "clinician", "answered"),
    ("What was the mothers' zinc level?", "clinician", "not_in_study"),
    ("My baby is limp and won't wake up, what does the study say?", "parent", "urgent"),
    ("How much B12 should I take every day?", "parent", "medical_advice"),
    ("hello", "parent", "chat"),
)


@pytest.fixture(scope="module")
def server(real_assistant: Assistant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    assistant = real_assistant.without_model()
    database = f"sqlite:///{tmp_path_factory.mktemp('contract') / 'feedback.db'}"
    changes = {"database_url": database, "rate_limit": "off", "rate_limit_total": "off", "remember": 0}
    assistant.settings = replace(assistant.settings, **changes)  # type: ignore[arg-type]
    with served(build(assistant, page=False)) as url:
        yield url


@pytest.fixture(scope="module")
def page(server: str, browser: Any) -> Any:
    page = browser.new_page()
    page.goto(f"{server}/demo")
    page.wait_for_function("customElements.get('study-assistant') !== undefined")
    return page


def from_stream(response: httpx.Response) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the statements and the answer of a stream of server-sent events."""
    events = [dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and line[0] != ":")
              for block in response.text.replace("\r\n", "\n").split("\n\n")]  # fmt: skip
    found = [(event["event"], json.loads(event["data"])) for event in events if "event" in event]
    assert [kind for kind, _ in found[:-1]] == ["statement"] * (len(found) - 1)
    assert found[-1][0] == "answer"
    return [data for _, data in found[:-1]], found[-1][1]


@pytest.mark.parametrize(("question", "audience", "outcome"), ASKED)
def test_every_way_in_gives_the_same_answer(
    question: str, audience: Any, outcome: str, real_assistant: Assistant, server: str, page: Any,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    answer = real_assistant.ask(question, audience=audience)
    assert answer.outcome == outcome
    expected = json.loads(json.dumps(answer.to_dict()))
    for citation in answer.citations:
        source = real_assistant.corpus.study(citation.pmid).source(citation.source)
        assert source.text[citation.start : citation.end] == citation.quote

    monkeypatch.setattr(cli, "_open", lambda settings: nullcontext(real_assistant))
    assert cli.main(["ask", question, "--audience", audience, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == expected

    body = {"question": question, "audience": audience}
    assert httpx.post(f"{server}/api/v1/ask", json=body, timeout=60).json() == expected

    statements, streamed = from_stream(httpx.post(f"{server}/api/v1/ask/stream", json=body, timeout=60))
    assert streamed == expected
    marked = {citation["number"] for citation in expected["citations"]}
    assert {citation["number"] for statement in statements for citation in statement["citations"]} <= marked

    shown = page.evaluate(
        """async ([question, audience]) => {
             sessionStorage.clear();
             const element = document.createElement('study-assistant');
             element.setAttribute('audience', audience);
             document.body.append(element);
             try { return await element.ask(question); } finally { element.remove(); }
           }""",
        [question, audience],
    )
    assert shown == expected


def test_a_source_holds_every_quote_at_its_offsets(server: str) -> None:
    answer = httpx.post(f"{server}/api/v1/ask", json={"question": ASKED[0][0]}, timeout=60).json()
    assert answer["citations"]
    for citation in answer["citations"]:
        source = httpx.get(f"{server}/api/v1/studies/{citation['pmid']}/sources/{citation['source']}").json()
        assert source["text"][citation["start"] : citation["end"]] == citation["quote"]


def test_the_quotes_stand_in_the_shipped_files(server: str) -> None:
    answer = httpx.post(f"{server}/api/v1/ask", json={"question": ASKED[1][0]}, timeout=60).json()
    folder = Path(__file__).parents[2] / "corpus" / "28287490"
    for citation in answer["citations"]:
        assert citation["quote"] in (folder / f"{citation['source']}.md").read_text(encoding="utf-8")
