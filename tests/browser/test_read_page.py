"""A citation's permalink in Chromium, without JavaScript: the passage in sight, on any screen, and on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe import violations
from chromium import SHOTS, in_chromium
from fake_api import FakeApi
from fakes import FakeAssistant
from webserver import parts_for, served

from assistant.records import Study
from assistant.web.api import create_app
from assistant.web.read import add_reading

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
pytestmark = in_chromium
Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def study() -> Study:
    """The shipped study."""
    return FakeAssistant().corpus.studies[0]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API and the pages, no site listed."""
    parts = parts_for(FakeAssistant(), tmp_path_factory.mktemp("read"))
    app = create_app(parts)
    add_reading(app, parts.assistant.corpus, parts.messages, parts.metrics.refusal)
    with served(app) as url:
        yield url


@pytest.fixture
def visit(browser: Any, host: str) -> Iterator[Visit]:
    """Open a path; what goes wrong is in `page.trouble`, what it asks for in `page.asked`."""
    contexts = []

    def open_page(path: str, width: int = 1280, height: int = 800, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.trouble, page.asked = [], []
        page.on("pageerror", lambda error: page.trouble.append(str(error)))
        page.on("console", lambda said: page.trouble.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"{host}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def link(study: Study, source: str, part: str) -> tuple[str, str]:
    """Return the permalink of the sentence that has a part in it, and the sentence."""
    found = next(sentence for sentence in study.source(source).sentences if part in sentence.text)
    return f"/read/{study.pmid}/{source}?start={found.start}&end={found.end}#quote", found.text


def test_a_permalink_brings_the_passage_into_sight_without_javascript(visit: Visit, study: Study) -> None:
    path, text = link(study, "technical", "routine B12 screening")
    page = visit(path, width=360, height=640, java_script_enabled=False)
    mark = page.locator("mark")
    assert mark.inner_text() == text
    box = mark.bounding_box()
    assert box and 0 <= box["y"] and box["y"] + box["height"] <= 640, "all of it, though it stands near the end"
    assert mark.evaluate("node => node === document.activeElement || node.matches(':target')")
    assert page.locator("body").evaluate("node => getComputedStyle(node).maxWidth") == "704px", "the style is there"
    assert {url.partition("?")[0].rpartition("/")[2] for url in page.asked} <= {"technical", "read.css", "icon.svg"}


def test_the_link_at_the_top_leads_to_the_passage(visit: Visit, study: Study) -> None:
    path, _ = link(study, "technical", "routine B12 screening")
    page = visit(path.removesuffix("#quote"), height=400)
    assert page.locator("mark").bounding_box()["y"] > 400
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("mark")).to_be_focused()
    playwright.expect(page.locator("mark")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_is_cut(visit: Visit, study: Study, scheme: str, width: int) -> None:
    SHOTS.mkdir(exist_ok=True)
    start = study.source("summary").text.index("Connection:")
    end = study.source("summary").text.index("How long") + 20
    record = study.record.text.index("journal")
    places = {
        "sentence": link(study, "published", "In breast milk")[0],
        "across": f"/read/{study.pmid}/summary?start={start}&end={end}#quote",
        "record": f"/read/{study.pmid}/study?start={record}&end={record + 21}#quote",
        "whole": f"/read/{study.pmid}/technical",
    }
    for name, path in places.items():
        page = visit(path, width=width, color_scheme=scheme)
        page.screenshot(path=str(SHOTS / f"read-{name}-{width}-{scheme}.png"))
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert [said for said in page.trouble if "icon" not in said and "404" not in said] == []
    page = visit("/read/1/technical", width=width, color_scheme=scheme)
    assert violations(page) == []


def test_on_paper_the_passage_stays_marked_and_links_say_where_they_lead(visit: Visit, study: Study) -> None:
    page = visit(link(study, "technical", "routine B12 screening")[0], color_scheme="dark")
    page.emulate_media(media="print")
    style = page.locator("mark").evaluate("node => (s => [s.textDecorationLine, s.color])(getComputedStyle(node))")
    assert style == ["underline", "rgb(0, 0, 0)"]
    shown = page.locator("header a").last.evaluate("node => getComputedStyle(node, '::after').content")
    assert "https://doi.org/" in shown or "attr(href)" in shown
    assert not page.locator("a[href='#quote']").is_visible()


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "not listed"])
def test_only_a_listed_site_can_frame_it(listed: bool, browser: Any, study: Study, tmp_path: Path) -> None:
    with FakeApi() as site:
        parts = parts_for(FakeAssistant(), tmp_path, allowed_origins=(site.url.rstrip("/"),) if listed else ())
        app = create_app(parts)
        add_reading(app, parts.assistant.corpus, parts.messages, parts.metrics.refusal)
        with served(app) as host:
            page = browser.new_page()
            page.goto(f"{site.url}site/plain.html")
            address = f"{host}/read/{study.pmid}/technical"
            page.evaluate(
                "src => new Promise(done => document.body.append("
                "Object.assign(document.createElement('iframe'), {src, onload: done})))",
                address,
            )
            assert page.frames[-1].locator("main").count() == listed
            page.close()
