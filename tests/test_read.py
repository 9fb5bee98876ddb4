"""A text as a page: every character of it once, the passage marked to the character, nothing live."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from fakes import FakeAssistant
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from webserver import parts_for

from assistant.corpus import read_corpus
from assistant.records import Source
from assistant.web.api import create_app
from assistant.web.read import _render, add_reading

LISTED = "https://hospital.example"
TECHNICAL = "/read/28287490/technical"
CORPORA = (Path(__file__).parent.parent / "corpus", Path(__file__).parent / "data" / "corpus")
SENTENCES = [
    pytest.param(study.source(sentence.source), sentence, id=f"{study.pmid}-{sentence.source}-{sentence.start}")
    for folder in CORPORA
    for study in read_corpus(folder).studies
    for sentence in study.sentences
]


class Page(HTMLParser):
    """What a browser would make of a page.

    Attributes:
        tags: Every start tag with its attributes, in order.
        marks: The text of each mark.
        text: The text of `main`, or of all where there is no `main`.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.marks: list[str] = []
        self.text = ""
        self._inside: list[str] = []
        body = html[html.index("<main>") : html.index("</body>")] if "<main>" in html else html
        self.feed(body.replace("<pre>\n", "<pre>"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside.append(tag)
        if tag == "mark":
            self.marks.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag, "every element is closed, in order"

    def handle_data(self, data: str) -> None:
        self.text += data if "footer" not in self._inside else ""
        if "mark" in self._inside:
            self.marks[-1] += data


def rendered(source: Source, start: int = 0, end: int = 0) -> Page:
    return Page(_render(source, start, end)[0])


def client(folder: Path, corpus: Path = CORPORA[0], **changes: Any) -> TestClient:
    parts = parts_for(FakeAssistant(corpus=corpus), folder, **changes)
    app = create_app(parts)
    add_reading(app, parts.assistant.corpus, parts.messages, parts.metrics.refusal)
    return TestClient(app, base_url="https://ask.example")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """The API and the pages, one site listed."""
    return client(tmp_path_factory.mktemp("read"), allowed_origins=(LISTED,))


@pytest.mark.parametrize(("source", "sentence"), SENTENCES)
def test_every_sentence_can_be_marked_exactly(source: Source, sentence: Any) -> None:
    page = rendered(source, sentence.start, sentence.end)
    assert page.marks == [sentence.text]
    assert page.text == rendered(source).text


def test_the_whole_text_is_there_as_headings_paragraphs_and_lists(site: TestClient) -> None:
    response = site.get("/read/28287490/summary")
    assert response.status_code == 200 and response.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(response.text)
    text = (CORPORA[0] / "28287490" / "summary.md").read_text("utf-8")
    assert "".join(page.text.split()) == "".join(re.sub(r"^(#+|-) ", "", text, flags=re.M).split())
    tags = [tag for tag, _ in page.tags]
    assert tags.count("h2") == 1 and tags.count("h3") == len(re.findall("^## ", text, re.M))
    assert tags.count("li") == len(re.findall("^- ", text, re.M))
    assert not page.marks and 'id="quote"' not in response.text
    head = response.text.partition("<main>")[0]
    for shown in ("Correlations between Maternal", "Nutrients · 2017", "https://pubmed.ncbi.nlm.nih.gov/28287490/"):
        assert shown in head
    assert 'rel="noopener noreferrer"' in head


def test_a_passage_across_headings_is_marked_in_parts(site: TestClient) -> None:
    response = site.get(f"{TECHNICAL}?start=10&end=40")
    page = Page(response.text)
    assert page.marks == ["l Analysis Details", "Key Fin"]
    marks = [attributes for tag, attributes in page.tags if tag == "mark"]
    assert marks == [{"id": "quote", "tabindex": "-1"}, {}]
    assert 'href="#quote"' in response.text


def test_offsets_count_characters_not_utf_16_units_or_bytes() -> None:
    text = "# 🧪 Ünïts\n\nThe 🙂🙂 mothers 𝟙 had “more”."
    start = text.index("mothers")
    assert rendered(Source("summary", text, ()), start, start + 9).marks == ["mothers 𝟙"]


ITEMS = "Before:\n\n- One is here\n  and goes on.\n* Two\n\n3. Three\n4) Four\n\nAfter."


def test_a_passage_across_list_items() -> None:
    page = rendered(Source("summary", ITEMS, ()), ITEMS.index("here"), ITEMS.index("Four") + 4)
    assert page.marks == ["here\n  and goes on.", "Two", "Three", "Four"]
    tags = [f"{tag}{attributes.get('value') or ''}" for tag, attributes in page.tags if tag != "mark"]
    assert tags == ["p", "ul", "li", "li", "ol", "li3", "li4", "p"]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(["# ", "### ", "- ", "  * ", "\n", "\n\n", "ab c", "é🙂z", " ", "<b>&"]), max_size=14),
    st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
@example(["# ", "ab c", "\n", "- ", "ab c", "\n", "ab c"], (0, 40))
def test_no_character_is_lost_doubled_or_marked_outside_the_passage(pieces: list[str], place: tuple[int, int]) -> None:
    text = "".join(pieces)
    start, end = min(place), min(max(place), len(text))
    page = rendered(Source("summary", text, ()), start, end)
    plain = re.compile(r"[^\s#*-]")
    assert plain.findall(page.text) == plain.findall(text)
    assert plain.findall("".join(page.marks)) == plain.findall(text[start:end])


def test_the_record_is_shown_as_it_is(site: TestClient) -> None:
    text = (CORPORA[0] / "28287490" / "study.toml").read_text("utf-8")
    start = text.index('journal = "Nutrients"')
    page = Page(site.get(f"/read/28287490/study?start={start}&end={start + 30}").text)
    assert page.text == text and page.marks == [text[start : start + 30]]


HOSTILE = (
    '<script>hit()</script><img src=x onerror="hit()"> </mark></main> &lt;b&gt; {{x}} ${y} "\' [a](javascript:hit())'
)


def test_text_from_outside_is_shown_as_written(tmp_path: Path) -> None:
    folder = tmp_path / "corpus" / "1"
    folder.mkdir(parents=True)
    quoted = HOSTILE.replace("\\", "\\\\").replace('"', '\\"')
    (folder / "study.toml").write_text(
        f'pmid = "1"\ntitle = "{quoted}"\njournal = "{quoted}"\ndoi = "10.1/{quoted}"\n'
        '[links]\npubmed = "javascript:hit()"\n',
        encoding="utf-8",
    )
    (folder / "summary.md").write_text(f"# {HOSTILE}\n\n- {HOSTILE}\n\n{HOSTILE}.\n", encoding="utf-8")
    response = client(tmp_path, tmp_path / "corpus").get("/read/1/summary?start=0&end=200")
    page = Page(response.text)
    assert page.text.count(HOSTILE) == 3
    assert {tag for tag, _ in page.tags} == {"main", "h2", "ul", "li", "p", "mark", "footer"}
    assert not re.search(r"<(script|img|b)\b|href=.javascript", response.text)
    inside = re.findall(r"<[a-z][^>]*>", response.text)
    assert not [tag for tag in inside if re.search(r"\son[a-z]+=", re.sub(r'"[^"]*"', '""', tag))]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/read/1/technical", 404, "no such study"),
        ("/read/28287490/nothing", 404, "it has summary, technical, published, study"),
        ("/read/28287490/technical/more", 404, "no such study"),
        ("/read/..%2F..%2Fetc/passwd", 404, "no such study"),
        ("/read/%00/%ff", 404, "no such study"),
        ("/read/", 404, "no such study"),
        ("/read", 404, "no such study"),
        *(
            (f"{TECHNICAL}?{query}", 422, "start before end")
            for query in (
                "start=40&end=10",
                "start=10&end=10",
                "start=10",
                "end=10",
                "start=&end=",
                "start=-1&end=10",
                "start=1.5&end=10",
                "start=%D9%A1&end=10",
                "start=0&end=999999",
                "start=0&end=" + "9" * 5000,
                "start=0&start=1&end=10",
                "start=<script>&end=10",
            )
        ),
        (f"{TECHNICAL}?start=28&end=30", 422, "no words"),
        (f"{TECHNICAL}?start=0&end=1", 422, "no words"),
    ],
)
def test_what_can_not_be_shown_is_said_in_a_sentence(site: TestClient, path: str, status: int, words: str) -> None:
    response = site.get(path)
    assert response.status_code == status and response.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(response.text)
    assert words in page.text and [tag for tag, _ in page.tags] == ["main", "h1", "p"]
    assert response.headers["cache-control"] == "no-store"
    assert "'none'" in response.headers["content-security-policy"]


def test_the_page_loads_its_style_alone_and_runs_nothing(site: TestClient) -> None:
    for path in (f"{TECHNICAL}?start=10&end=40", "/read/x/y/z", "/read"):
        response = site.get(path)
        policy = dict(part.split(maxsplit=1) for part in response.headers["content-security-policy"].split("; "))
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "img-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": f"'self' {LISTED}",
        }
        assert not re.search(r"<script|<style|\sstyle=", response.text)
        (style,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', response.text)
        sheet = site.get(urljoin(f"https://ask.example{path}", style))
        assert sheet.status_code == 200 and sheet.headers["content-type"].startswith("text/css")
        assert "max-age" in sheet.headers["cache-control"] and "http" not in sheet.text.replace('"http"', "")
        assert response.headers["x-content-type-options"] == "nosniff" and "etag" not in response.headers


def test_only_we_may_frame_it_where_no_site_is_listed(tmp_path: Path) -> None:
    response = client(tmp_path).get(TECHNICAL)
    assert "frame-ancestors 'self'" in response.headers["content-security-policy"]
    assert response.headers["x-frame-options"] == "SAMEORIGIN"


def test_it_stands_behind_the_same_gate(site: TestClient) -> None:
    refused = site.get(TECHNICAL, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403 and refused.json()["code"] == "origin_not_allowed"
    assert site.post(TECHNICAL).status_code == 405
    assert site.head(TECHNICAL).status_code == 200
    before = site.get("/metrics").text
    assert site.get("/read/1/x").status_code == 404
    after = site.get("/metrics").text
    count = re.compile(r'assistant_refusals_total\{code="not_found"\} (\S+)')
    assert float(count.findall(after)[0]) - float((count.findall(before) or [0])[0]) == 1
