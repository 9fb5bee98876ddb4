"""The chat page without a browser: its HTML, its two events, and what a reader takes along."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import bibtexparser
import pytest
import rispy
from fakes import FakeAssistant

from assistant.config import Settings
from assistant.errors import DatabaseError, ModelError, PromptError
from assistant.feedback import Feedback
from assistant.messages import Messages
from assistant.records import Answer, Citation, Study
from assistant.web import export, fragments, markdown, shell, ui

SETTINGS = Settings()
MESSAGES = Messages.load(SETTINGS.prompts)
HOSTILE = "<script>alert(1)</script> \"'`${x} {{y}} & p<0.001"


class Text(HTMLParser):
    """Collects the text of HTML, and its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags, self.attributes = "", [], {}  # type: ignore[var-annotated]
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes.update(attrs)


def turns(assistant: Any, context: str = '{"turn": "t7"}') -> list[dict[str, Any]]:
    page = ui.Page(assistant, MESSAGES, None)
    return [json.loads(said) for said in page.answer("What?", "parent", "", context)]


def test_the_package_can_be_imported_without_gradio() -> None:
    import subprocess

    code = "import sys, assistant.web.ui; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(ui.__file__).parents[2]).returncode == 0


def test_each_turn_grows_by_verified_statements_and_ends_done() -> None:
    assistant = FakeAssistant()
    said = turns(assistant)
    assert [turn["state"] for turn in said] == ["working", "working", "done"]
    assert [turn["html"].count('class="marker"') for turn in said[:2]] == [1, 2]
    assert said[-1]["text"] == assistant.ask("What?").text
    assert {turn["turn"] for turn in said} == {"t7"}


def test_sources_come_with_the_first_answer_that_cites_them_and_offsets_point_into_them() -> None:
    first = turns(FakeAssistant())[-1]
    (key,) = first["sources"]
    text = first["sources"][key]["text"]
    places = re.findall(r'data-start="(\d+)" data-end="(\d+)" [^>]*?data-quote="([^"]*)"', first["html"])
    assert len(places) == 4  # two markers, two sources
    for start, end, quote in places:
        assert text[int(start) : int(end)] == Text(f"<p>{quote}</p>").text
    again = turns(FakeAssistant(), context=json.dumps({"turn": "t8", "known": [key]}))[-1]
    assert again["sources"] == {}


@pytest.mark.parametrize(
    "context",
    ["", "null", "[]", "{", '{"turn": "<b>"}', '{"turn": 3, "history": 5, "known": 7}', "[" * 100_000],
    ids=["empty", "null", "list", "broken", "markup", "kinds", "deep"],
)
def test_a_context_that_nobody_would_send_is_answered(context: str) -> None:
    said = turns(FakeAssistant(), context=context)
    assert (said[-1]["state"], said[-1]["turn"]) == ("done", "t0")


@pytest.mark.parametrize(
    ("failure", "words"),
    [(ModelError("secret"), "can't answer right now"), (ZeroDivisionError("secret"), "went wrong on our side")],
    ids=["expected", "unexpected"],
)
def test_a_failure_is_a_sentence_and_says_nothing_of_its_cause(
    failure: Exception, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    (said,) = turns(FakeAssistant(failure=failure))
    assert said["state"] == "failed" and words in Text(said["html"]).text
    assert "secret" not in said["html"] + caplog.text


def _rating(**changes: Any) -> str:
    told = {"turn": "t1", "rating": "up", "comment": "", "question": "q", "outcome": "answered", "audience": "parent"}
    return json.dumps({**told, "study": "28287490", **changes})


def test_a_rating_is_handed_on() -> None:
    got: list[Feedback] = []
    said = json.loads(ui.Page(FakeAssistant(), MESSAGES, got.append).rate(_rating(comment="x" * 5_000)))
    assert (said["stored"], said["turn"], said["rating"]) == (True, "t1", "up")
    assert got == [Feedback("up", "x" * 2_000, "q", "answered", "parent", "28287490", "page")]


def test_no_two_results_of_a_rating_are_the_same() -> None:
    page = ui.Page(FakeAssistant(), MESSAGES, lambda _: None)
    results = {page.rate(_rating(rating="up", at=1)), page.rate(_rating(rating="up+", at=1, comment="c"))}
    assert len(results | {page.rate(_rating(rating="up+", at=2, comment="c"))}) == 3


@pytest.mark.parametrize(
    "rating",
    ["", "[]", _rating(rating="sideways"), _rating(outcome="x"), _rating(audience=""), _rating(study="1")],
    ids=["empty", "list", "rating", "outcome", "audience", "study"],
)
def test_a_rating_that_the_page_would_not_send_is_not_stored(rating: str) -> None:
    got: list[Feedback] = []
    assert json.loads(ui.Page(FakeAssistant(), MESSAGES, got.append).rate(rating))["stored"] is False
    assert got == []


def test_a_dead_database_costs_the_rating_alone() -> None:
    def dead(_: Feedback) -> None:
        raise DatabaseError("gone")

    said = json.loads(ui.Page(FakeAssistant(), MESSAGES, dead).rate(_rating()))
    assert said["stored"] is False and "couldn't be saved" in said["said"]


def test_a_missing_text_fails_when_the_page_is_built() -> None:
    with pytest.raises(PromptError, match="page.title"):
        ui.build(FakeAssistant(), Messages({"page": {"about": "x"}}))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("p<0.001", "p<0.001"),
        ("$x^2$ and \\$5", "$x^2$ and $5"),
        ("&lt;b&gt; &amp;", "&lt;b&gt; &amp;"),
        ("[1](javascript:alert(1))", "[1](javascript:alert(1))"),
        ("![x](http://example.org/x.png)", "![x](http://example.org/x.png)"),
        ("<http://example.org>", "<http://example.org>"),
        ("`code` ~~gone~~", "`code` ~~gone~~"),
        ("# not a heading", "# not a heading"),
        ("{{value}} ${value}", "{{value}} ${value}"),
    ],
)
def test_markdown_shows_what_it_does_not_know_as_written(written: str, shown: str) -> None:
    parsed = Text(markdown.render(written))
    assert (parsed.text.strip(), parsed.tags) == (shown, ["p"])


def test_only_the_numbers_of_citations_become_markers() -> None:
    html = markdown.render("A [1], b [2] and **c [1]**.", {1: "<a>1</a>"})
    assert html == "<p>A <a>1</a>, b [2] and <strong>c <a>1</a></strong>.</p>\n"


def _hostile_answer() -> Answer:
    citation = Citation(1, "28287490", "technical", HOSTILE, HOSTILE, 0, 5, "javascript:alert(1)")
    return Answer(f"{HOSTILE} [1]", "answered", (citation,), follow_ups=(HOSTILE,))


def test_everything_in_a_reply_is_escaped() -> None:
    html = fragments.reply("t1", _hostile_answer(), {}, "parent", MESSAGES, None)
    parsed = Text(html)
    assert "script" not in parsed.tags and parsed.text.count("<script>alert(1)</script>") == 4
    assert "{{" not in html and "${" not in html  # Gradio's templates would read them
    assert "javascript:" not in html


def test_the_shell_is_escaped_and_holds_every_study(study: Study) -> None:
    odd = dataclasses.replace(study, pmid="7", title=HOSTILE, links={"pubmed": "javascript:alert(1)"}, doi="")
    html = shell.header([study, odd], MESSAGES) + shell.conversation([study, odd], MESSAGES)
    assert "{{" not in html and "javascript:" not in html
    parsed = Text(html)
    assert HOSTILE in parsed.text and "script" not in parsed.tags
    assert set(json.loads(parsed.attributes["data-page"])["studies"]) == {"28287490", "7"}
    assert "Not medical advice" in parsed.text and "isn't medical advice" in parsed.text


def test_the_reference_reads_back_as_the_record(study: Study) -> None:
    (entry,) = bibtexparser.parse_string(export.reference(study, "bibtex")).entries
    assert entry.entry_type == "article" and entry["year"] == "2017" and entry["doi"] == study.doi
    assert entry["author"].split(" and ")[1] == "Karakochuk, C. D." and entry["author"].count(" and ") == 15
    (ris,) = rispy.loads(export.reference(study, "ris"))
    assert (ris["title"], ris["doi"], ris["journal_name"]) == (study.title, study.doi, "Nutrients")
    assert len(ris["authors"]) == 16 and ris["authors"][8] == "Shahab-Ferdows, S."
    (csl,) = json.loads(export.reference(study, "csl"))
    assert (csl["title"], csl["DOI"], csl["issued"]) == (study.title, study.doi, {"date-parts": [[2017]]})
    assert csl["author"][0] == {"family": "Chebaya", "given": "P."} and csl["container-title"] == "Nutrients"


def test_a_two_line_record_and_odd_names_have_a_reference_too(study: Study) -> None:
    bare = dataclasses.replace(study, authors=(), journal="", year=None, volume="", issue="", pages="", doi="")
    assert all(bare.title[:20] in export.reference(bare, fmt) for fmt in export.REFERENCE_FORMATS)
    odd = dataclasses.replace(bare, authors=("World Health Organization",), title="A & B}\nER  - ", pages="10-19")
    (entry,) = bibtexparser.parse_string(export.reference(odd, "bibtex")).entries
    assert entry["author"] == "{World Health Organization}" and r"\&" in entry["title"]
    (ris,) = rispy.loads(export.reference(odd, "ris"))
    assert (ris["start_page"], ris["end_page"], ris["title"]) == ("10", "19", "A & B} ER -")


def test_a_saved_conversation_shows_questions_and_quotes_as_they_were(study: Study) -> None:
    answer = _hostile_answer()
    saved = export.turn(f"# {HOSTILE}\n- x", "parent", answer, {study.pmid: study})
    parsed = Text(__import__("markdown_it").MarkdownIt("commonmark").render(saved.replace(answer.text, "")))
    assert HOSTILE in parsed.text and set(parsed.tags) <= {"h2", "p", "em", "a", "blockquote"}


def test_the_page_is_served_with_nothing_of_gradios_that_it_does_not_need(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    app = ui.mount(FastAPI(), FakeAssistant(), MESSAGES)
    with TestClient(app) as client:
        config = client.get("/config").json()
        assert "javascript" in client.get("/page/page.js").headers["content-type"]
        assert client.get("/page/page.css").status_code == 200
        html = client.get("/").text
        css = client.get("/theme.css").text
    assert {item["api_visibility"] for item in config["dependencies"]} == {"private"}
    assert config["footer_links"] == [] and config["analytics_enabled"] is False and config["run_history"] is False
    assert "./page/page.js?v=" in html.replace("\\u002f", "/")
    assert not re.findall(r"@import|url\(\s*['\"]?https?:", css)
    assert "fonts.googleapis" not in json.dumps(config) + html + css
