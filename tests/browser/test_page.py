"""The chat page in Chromium, behind everything that guards it, around an assistant that answers at once."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe import violations
from chromium import ATTACKS, SHOTS, in_chromium
from fake_page import NAUGHTY, PageAssistant

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
from webserver import parts_for, served  # noqa: E402

from assistant.records import Answer  # noqa: E402
from assistant.web import ui  # noqa: E402
from assistant.web.api import create_app  # noqa: E402

BOX = "#question textarea"
pytestmark = in_chromium


@dataclass
class Site:
    """A served page and the assistant behind it."""

    url: str
    assistant: PageAssistant


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The whole application, its headers and gate included."""
    assistant = PageAssistant()
    parts = parts_for(assistant, tmp_path_factory.mktemp("page"))
    app = ui.mount(create_app(parts), assistant, parts.messages, on_feedback=assistant.rate)
    with served(app) as url:
        yield Site(url, assistant)


Visit = Callable[..., Any]


@pytest.fixture
def visit(browser: Any, site: Site) -> Iterator[Visit]:
    """Open the page in a tab of its own; what goes wrong is in `page.trouble`, what it asks for in `page.asked`."""
    contexts = []
    site.assistant.calls.clear()
    site.assistant.ratings.clear()
    site.assistant.go.set()

    def open_page(width: int = 1280, height: int = 860, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.trouble, page.asked = [], []
        page.on("pageerror", lambda error: page.trouble.append(str(error)))
        page.on("console", lambda said: page.trouble.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: (page.trouble.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(site.url)
        page.wait_for_selector("body.ready")
        return page

    yield open_page
    site.assistant.go.set()
    site.assistant.play = None
    for context in contexts:
        context.close()


def ask(page: Any, question: str, state: str = "done") -> Any:
    """Ask, wait for the end, and return the turn."""
    before = page.locator("article").count()
    page.fill(BOX, question)
    page.press(BOX, "Enter")
    turn = page.locator("article").nth(before)
    playwright.expect(turn).to_have_attribute("data-state", state, timeout=15_000)
    return turn


def test_nothing_is_asked_of_another_host(visit: Visit, site: Site) -> None:
    page = visit()
    ask(page, "What were the figures?")
    page.click("a.marker")
    asked = [url for url in page.asked if not url.startswith(("data:", "blob:"))]
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(site.url + "/")] == []
    assert page.trouble == []


def test_statements_appear_as_they_are_verified(visit: Visit, site: Site) -> None:
    page = visit()
    site.assistant.go.clear()
    page.fill(BOX, "slow, what did the study find?")
    page.press(BOX, "Enter")
    said = page.locator("#t1 .said > p")
    playwright.expect(said).to_have_count(1)
    assert page.locator("#t1").get_attribute("data-state") == "working"
    assert page.locator("#t1 .working").is_visible()
    page.focus("#t1 a.marker")  # a reader's place is kept while more arrives
    site.assistant.go.set()
    playwright.expect(said).to_have_count(3)
    playwright.expect(page.locator("#t1")).to_have_attribute("data-state", "done")


@pytest.mark.parametrize("width", [1280, 360], ids=["beside", "over"])
def test_a_marker_opens_its_source_at_the_sentence_highlighted_to_the_character(
    visit: Visit, site: Site, width: int
) -> None:
    page = visit(width=width, height=740)
    turn = ask(page, "What did the study find?")
    assert turn.locator("a.marker").count() == 3
    for number in range(3):
        marker = turn.locator("a.marker").nth(number)
        place = marker.evaluate("node => ({...node.dataset})")
        source = site.assistant.study.source(place["source"].partition("/")[2])
        quote = source.text[int(place["start"]) : int(place["end"])]
        marker.click()
        assert page.locator("#reader mark").evaluate_all("marks => marks.map(m => m.textContent).join('')") == quote
        mark, text = page.locator("#reader mark").bounding_box(), page.locator("#reader .text").bounding_box()
        assert text["y"] <= mark["y"] and mark["y"] + mark["height"] <= text["y"] + text["height"]
        shown = page.locator("#reader .passage").inner_text()
        assert all(section.title in shown for section in source.sections)
        if width > 1080:
            said = turn.locator(".said").bounding_box()
            assert said["x"] + said["width"] <= page.locator("#reader").bounding_box()["x"]  # beside, not over
        page.keyboard.press("Escape")
        playwright.expect(page.locator("#reader")).not_to_be_visible()
        assert marker.evaluate("node => node === document.activeElement")


def test_hovering_and_focusing_a_marker_shows_the_quote(visit: Visit) -> None:
    page = visit()
    turn = ask(page, "What did the study find?")
    tip = page.get_by_role("tooltip")
    for number, act in enumerate(("hover", "focus")):
        marker = turn.locator("a.marker").nth(number)
        getattr(marker, act)()
        playwright.expect(tip).to_contain_text(marker.get_attribute("data-quote"))
        page.mouse.move(1, 1)  # else the focused marker, scrolled into view, may push another one under the pointer
    page.keyboard.press("Escape")
    playwright.expect(tip).not_to_be_visible()


def test_sources_stand_below_with_their_section_and_links(visit: Visit, site: Site) -> None:
    page = visit()
    turn = ask(page, "What did the study find?")
    items = turn.locator(".sources li")
    assert items.count() == 3
    first = items.first
    playwright.expect(first).to_contain_text("It found that babies in Cambodia, where diets often lack animal products")
    playwright.expect(first).to_contain_text("Quick Summary")
    playwright.expect(first).to_contain_text("Study page, summary")
    assert first.get_by_role("link", name="PubMed").get_attribute("href") == site.assistant.study.url
    assert first.get_by_role("link", name="DOI").get_attribute("href") == "https://doi.org/10.3390/nu9030270"
    items.nth(2).get_by_role("link", name="Read it in the source").click()
    playwright.expect(page.locator("#reader-title")).to_have_text("Published record")


def test_the_conversation_and_its_sources_outlast_a_reload_but_not_the_tab(visit: Visit, site: Site) -> None:
    page = visit()
    ask(page, "What did the study find?")
    before = page.locator("#t1 .said").inner_text()
    page.reload()
    page.wait_for_selector("body.ready")
    assert page.locator("#t1 .said").inner_text() == before
    page.click("#t1 a.marker")
    assert page.locator("#reader mark").inner_text().startswith("It found that babies in Cambodia")
    page.keyboard.press("Escape")
    ask(page, "And in milk?")
    assert [turn["content"] for turn in site.assistant.calls[-1]["history"]][0] == "What did the study find?"
    assert visit().locator("article").count() == 0


def test_the_server_keeps_no_history(visit: Visit, site: Site) -> None:
    ask(visit(), "What did the study find?")
    page = visit()
    ask(page, "And in milk?")
    assert site.assistant.calls[-1]["history"] == []
    ask(page, "And in babies?")
    history = site.assistant.calls[-1]["history"]
    assert [turn["role"] for turn in history] == ["user", "assistant"]
    assert history[0]["content"] == "And in milk?" and "[1]" in history[1]["content"]


def test_the_reader_can_change_in_the_middle(visit: Visit, site: Site) -> None:
    page = visit()
    assert page.get_by_role("button", name="How many mothers and babies took part?").is_visible()
    ask(page, "What did the study find?")
    page.locator("#audience label", has_text="clinician").click()
    ask(page, "And in milk?")
    assert [call["audience"] for call in site.assistant.calls] == ["parent", "clinician"]
    assert page.locator(".asked .for").all_inner_texts() == ["for a parent", "for a clinician"]
    page.get_by_role("button", name="Start anew").click()
    assert page.locator("article").count() == 0
    page.get_by_role("button", name="How strong was the maternal").click()
    playwright.expect(page.locator("article")).to_have_attribute("data-state", "done")
    assert site.assistant.calls[-1]["audience"] == "clinician"


def test_a_follow_up_is_asked_by_its_button(visit: Visit, site: Site) -> None:
    page = visit()
    ask(page, "What did the study find?").get_by_role("button", name="How many mothers took part?").click()
    playwright.expect(page.locator("#t2")).to_have_attribute("data-state", "done")
    assert site.assistant.calls[-1]["question"] == "How many mothers took part?"


def test_figures_come_as_a_chart_and_a_table(visit: Visit) -> None:
    page = visit()
    turn = ask(page, "What were the figures?")
    picture = turn.locator("figure img.light-only")
    assert picture.is_visible() and not turn.locator("figure img.dark-only").is_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 300
    assert "698" in picture.get_attribute("alt")
    turn.locator(".figures summary").click()
    playwright.expect(turn.locator("td", has_text="648–747")).to_be_visible()


def test_text_from_outside_shows_as_written_and_does_nothing(visit: Visit) -> None:
    page = visit(width=360, height=740)
    question = "naughty <img src=x onerror=alert(1)> **b** $y$ {{value}} [1](javascript:alert(1)) مرحبا"
    turn = ask(page, question)
    assert turn.locator(".question").inner_text() == question
    assert turn.locator(".question").get_attribute("dir") == "auto"
    shown = turn.locator(".said").inner_text()
    assert NAUGHTY in shown and "p<0.001) and infants" in shown
    live = turn.locator("b, img, script, .said a:not(.marker)")
    assert live.filter(has_not_text="Key Findings").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.trouble == []


def test_a_new_conversation_is_not_ended_by_what_the_last_one_waited_for(visit: Visit, site: Site) -> None:
    page = visit()
    ask(page, "What did the study find?")
    page.get_by_role("button", name="Start anew").click()
    site.assistant.go.clear()
    page.fill(BOX, "slow, what did the study find?")
    page.press(BOX, "Enter")
    page.wait_for_timeout(1500)
    assert page.locator("article").get_attribute("data-state") == "working"
    site.assistant.go.set()
    playwright.expect(page.locator("article")).to_have_attribute("data-state", "done")


AT_ONCE = 200
"""Lines of the attack lists in one answer."""


@pytest.mark.slow
def test_the_attack_lists_are_inert(visit: Visit, site: Site) -> None:
    """Every line as answer, quote, section, address and follow-up; every fourth naughty string as a question."""
    if not ATTACKS.is_dir():
        pytest.skip(f"{ATTACKS} is not here")
    naughty = [text for text in json.loads((ATTACKS / "blns.json").read_text(encoding="utf-8")) if text.strip()]
    lines = [
        line for path in sorted(ATTACKS.glob("xss-*.txt")) for line in path.read_text("utf-8", "replace").splitlines()
    ]
    with (ATTACKS / "giskard_prompt_injections.csv").open(encoding="utf-8", newline="") as file:
        orders = [value for row in csv.reader(file) for value in row]
    texts = [text for text in naughty + lines + orders if text.strip()]
    page = visit()
    for at in range(0, len(texts), AT_ONCE):
        site.assistant.play = site.assistant.quoting(texts[at : at + AT_ONCE])
        turn = ask(page, "What?")
        assert turn.locator("a.marker").count() >= len(texts[at : at + AT_ONCE])
        live = "script, iframe, object, embed, form:not(.comment), style, img:not(figure img), [onerror], [onload]"
        assert turn.locator(live).count() == 0
        turn.locator("a.marker").first.click()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Start anew").click()
    site.assistant.play = Answer("Noted.", "chat")
    questions = page.evaluate(
        "texts => texts.map(text => text.slice(0, 1900)).filter(text => text.trim())", naughty[::4]
    )
    for text in questions:
        ask(page, text)
        page.get_by_role("button", name="Start anew").click()
    assert len(texts) > 8_000 and len(questions) > 120
    assert len(site.assistant.calls) == len(questions) + -(-len(texts) // AT_ONCE)
    strangers = [url for url in page.asked if not url.startswith((site.url, "data:", "blob:"))]
    assert strangers == [] and page.trouble == []


def test_a_question_written_from_right_to_left_is_shown_so(visit: Visit) -> None:
    page = visit()
    turn = ask(page, "هل يصل فيتامين ب12 إلى الطفل؟")
    assert turn.locator(".question").evaluate("node => getComputedStyle(node).direction") == "rtl"
    assert page.locator(BOX).get_attribute("dir") == "auto"


def test_a_thumb_counts_when_it_is_pressed_and_a_comment_follows(visit: Visit, site: Site) -> None:
    page = visit()
    turn = ask(page, "What did the study find?")
    turn.get_by_role("button", name="No, not helpful").click()
    playwright.expect(page.locator("#status")).to_have_text("Thank you.")
    (rating,) = site.assistant.ratings
    assert (rating.rating, rating.comment, rating.surface) == ("down", "", "page")
    assert (rating.question, rating.outcome) == ("What did the study find?", "answered")
    assert (rating.audience, rating.study) == ("parent", "28287490")
    assert [thumb.is_disabled() for thumb in turn.locator(".thumb").all()] == [True, True]
    turn.locator("form textarea").fill("too short")
    turn.get_by_role("button", name="Send").click()
    playwright.expect(turn.locator(".thanks")).to_be_visible()
    assert [(said.rating, said.comment) for said in site.assistant.ratings] == [("down", ""), ("down+", "too short")]
    assert page.trouble == []


def test_an_answer_is_rated_once_also_after_a_reload(visit: Visit, site: Site) -> None:
    page = visit()
    turn = ask(page, "What did the study find?")
    turn.get_by_role("button", name="Yes, helpful").click()
    playwright.expect(page.locator("#status")).to_have_text("Thank you.")
    page.reload()
    page.wait_for_selector("body.ready")
    turn = page.locator("#t1")
    assert [thumb.is_disabled() for thumb in turn.locator(".thumb").all()] == [True, True]
    assert turn.locator(".thumb[aria-pressed=true]").get_attribute("data-rating") == "up"
    turn.locator("form textarea").fill("and clear")
    turn.get_by_role("button", name="Send").click()
    playwright.expect(turn.locator(".thanks")).to_be_visible()
    assert [(said.rating, said.comment) for said in site.assistant.ratings] == [("up", ""), ("up+", "and clear")]


def test_two_answers_can_be_rated_and_nothing_more_needs_to_be_said(visit: Visit, site: Site) -> None:
    page = visit()
    first, second = ask(page, "What did the study find?"), ask(page, "Is there zinc in it?")
    first.get_by_role("button", name="Yes, helpful").click()
    second.get_by_role("button", name="No, not helpful").click()
    for turn in (first, second):
        turn.get_by_role("button", name="Send").click()
        playwright.expect(turn.locator(".thanks")).to_be_visible()
    assert [(said.rating, said.comment) for said in site.assistant.ratings] == [("up", ""), ("down", "")]


def test_a_thumb_that_does_not_arrive_can_be_pressed_again_and_goes_with_the_comment(visit: Visit, site: Site) -> None:
    page = visit()
    turn = ask(page, "What did the study find?")
    page.context.set_offline(True)
    turn.get_by_role("button", name="Yes, helpful").click()
    playwright.expect(turn.locator("form .problem")).to_contain_text("didn't arrive")
    assert [thumb.is_enabled() for thumb in turn.locator(".thumb").all()] == [True, True]
    assert not site.assistant.ratings
    page.context.set_offline(False)
    turn.locator("form textarea").fill("at last")
    turn.get_by_role("button", name="Send").click()
    playwright.expect(turn.locator(".thanks")).to_be_visible()
    assert [(said.rating, said.comment) for said in site.assistant.ratings] == [("up", "at last")]


def test_a_comment_that_cannot_be_kept_says_so_and_is_not_lost(visit: Visit, site: Site) -> None:
    page = visit()
    turn = ask(page, "What did the study find?")
    turn.get_by_role("button", name="Yes, helpful").click()
    turn.locator("form textarea").fill("lose")
    turn.get_by_role("button", name="Send").click()
    playwright.expect(turn.locator("form .problem")).to_contain_text("couldn't be saved")
    turn.locator("form textarea").fill("kept")
    turn.get_by_role("button", name="Send").click()
    playwright.expect(turn.locator(".thanks")).to_be_visible()
    assert [(said.rating, said.comment) for said in site.assistant.ratings] == [("up", ""), ("up+", "kept")]


def test_copying_takes_the_sources_along(visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    ask(page, "What did the study find?").get_by_role("button", name="Copy").click()
    playwright.expect(page.locator("#status")).to_have_text("Copied, with its sources")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "[1] study page, summary, Quick Summary (PMID 28287490, DOI 10.3390/nu9030270)" in copied
    assert "> It found that babies in Cambodia" in copied


def test_the_conversation_and_the_reference_can_be_saved(visit: Visit) -> None:
    page = visit()
    ask(page, "What did the study find?")
    ask(page, "Is zinc in it?")
    with page.expect_download() as got:
        page.get_by_role("button", name="Save").click()
    saved = Path(got.value.path()).read_text(encoding="utf-8")
    assert got.value.suggested_filename == "conversation.md"
    assert saved.startswith("# Ask the study\n") and "## Is zinc in it?" in saved and "Not medical advice" in saved
    page.click(".about summary")
    kinds = (("BibTeX", "bib", "@article{"), ("RIS", "ris", "TY  - JOUR"), ("CSL-JSON", "json", '"DOI"'))
    for name, ending, holds in kinds:
        with page.expect_download() as got:
            page.get_by_role("button", name=name).click()
        assert got.value.suggested_filename == f"chebaya2017_28287490.{ending}"
        assert holds in Path(got.value.path()).read_text(encoding="utf-8")


def test_a_failure_is_a_sentence_and_a_retry(visit: Visit, site: Site) -> None:
    page = visit()
    turn = ask(page, "broken?", "failed")
    playwright.expect(turn.locator(".problem")).to_contain_text("can't answer right now")
    playwright.expect(page.locator("#status")).to_contain_text("can't answer right now")
    turn.get_by_role("button", name="Try again").click()
    playwright.expect(page.locator("article")).to_have_attribute("data-state", "failed")
    assert [call["question"] for call in site.assistant.calls] == ["broken?", "broken?"]


def _refuse(route: Any) -> None:
    body = json.dumps({"title": "Too many", "status": 429, "detail": "Please wait 7 seconds.", "retry_after": 7})
    route.fulfill(status=429, content_type="application/problem+json", body=body, headers={"Retry-After": "7"})


@pytest.mark.parametrize(
    ("act", "said"),
    [(_refuse, "Please wait 7 seconds."), (lambda route: route.abort(), "didn't arrive")],
    ids=["429", "no connection"],
)
def test_a_refused_question_is_not_lost(visit: Visit, act: Callable[[Any], None], said: str) -> None:
    page = visit()
    page.route("**/queue/join*", act)
    turn = ask(page, "What did the study find?", "failed")
    playwright.expect(turn.locator(".problem")).to_contain_text(said)
    page.unroute("**/queue/join*")
    turn.get_by_role("button", name="Try again").click()
    playwright.expect(page.locator("article")).to_have_attribute("data-state", "done")
    assert page.locator("article .question").inner_text() == "What did the study find?"


def test_a_question_can_be_stopped(visit: Visit, site: Site) -> None:
    page = visit()
    site.assistant.go.clear()
    page.fill(BOX, "slow?")
    page.press(BOX, "Enter")
    playwright.expect(page.locator("#t1 .said > p")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    playwright.expect(page.locator("#t1")).to_have_attribute("data-state", "failed")
    site.assistant.go.set()
    page.get_by_role("button", name="Try again").click()
    playwright.expect(page.locator("article")).to_have_attribute("data-state", "done")


def test_an_empty_question_is_not_sent(visit: Visit, site: Site) -> None:
    page = visit()
    page.fill(BOX, "   ")
    page.press(BOX, "Enter")
    page.click("#ask")
    page.wait_for_timeout(500)
    assert site.assistant.calls == [] and page.locator("article").count() == 0


def test_the_keyboard_alone_does_everything(visit: Visit, site: Site) -> None:
    page = visit()

    def tab_to(selector: str, key: str = "Tab") -> None:
        for _ in range(60):
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
            page.keyboard.press(key)
        pytest.fail(f"the keyboard doesn't reach {selector}")

    tab_to("#audience input")
    page.keyboard.press("ArrowRight")
    tab_to(BOX)
    page.keyboard.type("What were the figures?")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#t1")).to_have_attribute("data-state", "done")
    assert site.assistant.calls[-1]["audience"] == "clinician"
    tab_to("a.marker", "Shift+Tab")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#reader mark")).to_be_focused()
    tab_to("#reader .close", "Shift+Tab")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#reader")).not_to_be_visible()
    tab_to(".figures summary")
    page.keyboard.press("Enter")
    assert page.locator(".figures table").is_visible()
    tab_to(".thumb[data-rating=down]")
    page.keyboard.press("Space")
    page.keyboard.type("fine")
    playwright.expect(page.locator("form.comment button")).to_be_enabled()  # the thumb itself has arrived
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    playwright.expect(page.locator(".thanks")).to_be_visible()
    tab_to("button.clear")
    page.keyboard.press("Enter")
    playwright.expect(page.locator(BOX)).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_in_any_state(visit: Visit, site: Site, scheme: str, width: int) -> None:
    page = visit(width=width, height=800, color_scheme=scheme)
    SHOTS.mkdir(exist_ok=True)

    def look(state: str) -> None:
        page.wait_for_timeout(400)  # transitions: a colour half-way has another contrast
        page.screenshot(path=str(SHOTS / f"page-{width}-{scheme}-{state}.png"))
        assert violations(page) == [], state
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state

    look("start")
    page.click(".about summary")
    look("about")
    page.click(".about summary")
    site.assistant.go.clear()
    page.fill(BOX, "slow?")
    page.press(BOX, "Enter")
    playwright.expect(page.locator("#t1 .said > p")).to_have_count(1)
    look("working")
    site.assistant.go.set()
    playwright.expect(page.locator("#t1")).to_have_attribute("data-state", "done")
    for turn in (ask(page, "What were the figures?"), ask(page, "What were the figures again?")):  # names may clash
        turn.locator(".figures summary").click()
        turn.locator(".thumb").first.click()
    look("done")
    turn.locator("a.marker").first.focus()
    look("quote")
    assert page.get_by_role("tooltip").is_visible()
    turn.locator("a.marker").first.click()
    look("source")
    page.keyboard.press("Escape")
    ask(page, "broken?", "failed")
    look("failed")


def test_at_400_percent_nothing_is_covered_or_cut(visit: Visit) -> None:
    page = visit(width=320, height=256)
    turn = ask(page, "What were the figures?")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    turn.locator("a.marker").last.scroll_into_view_if_needed()
    box = turn.locator("a.marker").last.bounding_box()
    covering = page.evaluate("([x, y]) => document.elementFromPoint(x, y).className", [box["x"] + 4, box["y"] + 4])
    assert covering == "marker"


def test_motion_is_reduced_where_the_reader_wants_that(visit: Visit, site: Site) -> None:
    page = visit(reduced_motion="reduce")
    site.assistant.go.clear()
    page.fill(BOX, "slow?")
    page.press(BOX, "Enter")
    playwright.expect(page.locator("#t1 .said > p")).to_have_count(1)
    moving = "() => document.getAnimations().filter(a => a.playState === 'running').map(a => a.animationName)"
    assert page.evaluate(moving) == []
