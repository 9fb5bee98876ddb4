"""The widget in Chromium, against a scripted API, on friendly and hostile pages."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe import violations
from chromium import ATTACKS, SHOTS, in_chromium
from fake_api import ANSWER, CHART, CITATIONS, MOTHERS, STATEMENTS, WIDGET, FakeApi, plain
from webserver import app_for, served

from assistant.messages import Messages
from assistant.web.read import add_reading
from assistant.web.serve import add_files

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
QUESTION = "Did mothers in Canada have more B12?"
LIMIT = 12_000
pytestmark = in_chromium


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as server:
        yield server


@pytest.fixture
def site(api: FakeApi) -> Iterator[FakeApi]:
    """Another origin, whose pages embed the widget from `api`."""
    with FakeApi() as server:
        server.own, server.url = server.url, api.url  # type: ignore[attr-defined]
        yield server


Visit = Callable[..., Any]


@pytest.fixture
def visit(browser: Any, site: FakeApi) -> Iterator[Visit]:
    """Open a fixture page; scripts that fail and dialogs that open are collected in `page.trouble`."""
    contexts = []

    def open_page(
        name: str = "plain.html", width: int = 1200, height: int = 800, before: str = "", **options: Any
    ) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.trouble = []
        page.on("pageerror", lambda error: page.trouble.append(str(error)))
        page.on("dialog", lambda dialog: (page.trouble.append(dialog.message), dialog.dismiss()))
        if before:
            page.add_init_script(before)
        page.goto(f"{site.own}site/{name}")  # type: ignore[attr-defined]
        page.locator("study-assistant .box").first.wait_for(state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()


def button(page: Any) -> Any:
    """Return the widget that floats."""
    return page.locator("study-assistant[position]")


def opened(page: Any) -> Any:
    widget = button(page)
    widget.locator(".launch").click()
    return widget


def ask(widget: Any, question: str = QUESTION) -> None:
    widget.locator(".ask textarea").fill(question)
    widget.locator(".ask textarea").press("Enter")


def answered(page: Any, question: str = QUESTION) -> Any:
    widget = opened(page)
    ask(widget, question)
    widget.locator(".rate").wait_for()
    return widget


def focused(page: Any) -> str:
    """Return class, role or tag of what has focus, shadow trees included."""
    return page.evaluate(
        "() => { let at = document.activeElement;"
        " while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;"
        " return at.className || at.id || at.localName }"
    )


def rated(api: FakeApi) -> list[Any]:
    """Return the bodies of the ratings sent."""
    return [body for _, path, body, _ in api.requests if path == "/api/v1/feedback"]


def shoot(page: Any, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"widget-{name}.png")


# What it is


def test_one_file_within_its_budget() -> None:
    source = (WIDGET / "widget.js").read_bytes()
    assert len(gzip.compress(source, 9)) <= LIMIT
    assert max(map(len, source.decode().splitlines())) <= 160, "hand-written, not minified"


def test_never_parses_html_and_never_sets_a_cookie() -> None:
    source = (WIDGET / "widget.js").read_text(encoding="utf-8")
    barred = r"innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|\beval\b|new Function|\.cookie|srcdoc"
    assert not re.search(barred, source)


def test_both_languages_have_every_word(visit: Visit) -> None:
    source = (WIDGET / "widget.js").read_text(encoding="utf-8")
    words = source[source.index("const WORDS") : source.index("const EXAMPLES")]
    languages = visit().evaluate(f"() => {{ {words}; return WORDS }}")
    assert languages["en"].keys() == languages["fr"].keys()
    assert all(value for texts in languages.values() for value in texts.values())


# Nothing before it is wanted


def test_nothing_is_loaded_or_stored_before_the_first_question(visit: Visit, api: FakeApi) -> None:
    page = visit()
    page.wait_for_timeout(300)
    assert [path for _, path, _, _ in api.requests if "favicon" not in path] == ["/widget.js"]
    widget = opened(page)
    page.wait_for_timeout(300)
    assert len(api.requests) == 1
    assert page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [0, 0, ""]
    ask(widget)
    widget.locator(".rate").wait_for()
    assert page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [1, 0, ""]
    assert not any(cookie for _, _, _, cookie in api.requests)


# Asking


def test_an_answer_with_its_citations(visit: Visit, api: FakeApi) -> None:
    page = visit()
    widget = answered(page)
    assert api.asked() == [{"question": QUESTION, "history": [], "audience": "parent", "study": "28287490"}]
    assert widget.locator(".said p").first.inner_text() == STATEMENTS[0]["text"]
    assert widget.locator(".said li strong").inner_text() == "Breast milk"
    assert widget.locator(".notice").inner_text().startswith("The study page and the published paper don't agree")
    widget.locator(".cite").first.click()
    card = widget.locator(".card")
    assert card.locator("blockquote").inner_text() == MOTHERS
    assert "Key Findings" in card.locator(".from").inner_text()
    place = f"read/28287490/technical?start=10&end={10 + len(MOTHERS)}#quote"
    links = {"Read in context ↗": f"{api.url}{place}", "Open the study ↗": CITATIONS[0]["url"]}
    assert {link.inner_text(): link.get_attribute("href") for link in card.locator("a").all()} == links
    for link in card.locator("a").all():
        assert (link.get_attribute("rel"), link.get_attribute("target")) == ("noopener noreferrer", "_blank")
    assert widget.locator(".cite").first.get_attribute("aria-expanded") == "true"
    assert not page.trouble


def test_statements_appear_before_the_answer(visit: Visit, api: FakeApi) -> None:
    api.play = "slow"
    widget = opened(visit())
    ask(widget)
    widget.locator(".said li").wait_for()
    assert widget.locator(".wait").is_visible() and not widget.locator(".rate").count()
    widget.locator(".cite").first.click()
    api.gate.set()
    widget.locator(".rate").wait_for()
    assert widget.locator(".card blockquote").inner_text() == MOTHERS, "an open quote stays open"
    assert not widget.locator(".wait").count()


def test_a_follow_up_carries_the_conversation(visit: Visit, api: FakeApi) -> None:
    widget = answered(visit())
    widget.get_by_role("button", name="What about the infants?").click()
    widget.locator(".turn:nth-of-type(3) .rate, .turn >> nth=1 >> .rate").first.wait_for()
    history = api.asked()[1]["history"]
    assert [turn["role"] for turn in history] == ["user", "assistant"]
    assert history[0]["content"] == QUESTION and history[1]["content"] == ANSWER["text"]


def test_a_question_that_is_too_long_stays(visit: Visit, api: FakeApi) -> None:
    widget = opened(visit())
    ask(widget, "é" * 2001)
    assert "2001" in widget.locator("textarea").evaluate("node => node.validationMessage")
    assert widget.locator("textarea").input_value() == "é" * 2001 and not api.asked()
    ask(widget, "é" * 2000)
    widget.locator(".rate").wait_for()


def test_a_server_without_streams(visit: Visit, api: FakeApi) -> None:
    api.play = "no_stream"
    answered(visit())
    assert [path for method, path, _, _ in api.requests if method == "POST"] == ["/api/v1/ask/stream", "/api/v1/ask"]


def test_an_emergency_stands_out(visit: Visit, api: FakeApi) -> None:
    api.play = plain("**This sounds like an emergency.**\n\n- Call your emergency number **now**.", "urgent")
    widget = opened(visit())
    ask(widget, "he is blue")
    widget.locator(".turn.urgent li").wait_for()
    assert not widget.locator(".rate").count(), "no time to rate"
    assert "emergency" in widget.locator("[role=status]").inner_text()


# When it goes wrong

TROUBLE = {
    "429": "try again in 17 seconds",
    "500": "went wrong on our side",
    "422": "There is no study with PMID 1.",
    "cut": "The connection broke",
    "stream_error": "went wrong on our side",
}


@pytest.mark.parametrize("play", TROUBLE)
def test_trouble_is_told_and_can_be_retried(play: str, visit: Visit, api: FakeApi) -> None:
    api.play = play
    page = visit()
    widget = opened(page)
    ask(widget)
    text = widget.locator(".trouble p").inner_text()
    assert TROUBLE[play] in text and "Your question is kept" in text and "secret" not in text
    assert text in widget.locator("[role=status]").inner_text()
    assert widget.locator(".you").inner_text().endswith(QUESTION)
    if play == "cut":
        assert widget.locator(".said .cite").count() == 2, "what was verified stays"
    api.play = "good"
    widget.get_by_role("button", name="Try again").click()
    widget.locator(".rate").wait_for()
    assert not widget.locator(".trouble").count() and widget.locator(".you").count() == 1
    assert api.asked()[-1]["question"] == QUESTION
    assert api.requests[-1][1] == ("/api/v1/ask" if play == "cut" else "/api/v1/ask/stream")


def test_offline(visit: Visit) -> None:
    page = visit()
    widget = opened(page)
    page.context.set_offline(True)
    ask(widget)
    assert "offline" in widget.locator(".trouble p").inner_text()
    page.context.set_offline(False)
    widget.get_by_role("button", name="Try again").click()
    widget.locator(".rate").wait_for()


def test_a_server_that_is_gone(visit: Visit, api: FakeApi) -> None:
    page = visit()
    widget = opened(page)
    page.route("**/api/**", lambda route: route.abort("connectionrefused"))
    ask(widget)
    assert "can’t be reached" in widget.locator(".trouble p").inner_text()


def test_silence_is_told_and_ends(visit: Visit, api: FakeApi) -> None:
    api.play = "silent"
    page = visit()
    page.clock.install()
    widget = opened(page)
    ask(widget)
    assert widget.locator(".wait").inner_text().endswith("Reading the study…")
    page.clock.fast_forward(9_000)
    assert "Still reading" in widget.locator(".wait").inner_text()
    assert "Still reading" in widget.locator("[role=status]").inner_text()
    page.clock.fast_forward(25_000)
    assert "No answer came in time." in widget.locator(".trouble p").inner_text()


# The conversation lives in the tab


def test_reload_keeps_the_conversation_and_a_new_tab_has_none(visit: Visit, api: FakeApi) -> None:
    page = visit()
    answered(page)
    page.reload()
    widget = opened(page)
    assert widget.locator(".said .cite").count() == 4 and len(api.asked()) == 1
    other = page.context.new_page()
    other.goto(page.url)
    assert not button(other).locator(".turn").count()
    widget.get_by_role("button", name="New conversation").click()
    assert not widget.locator(".turn").count() and focused(page) == "textarea"
    assert page.evaluate("sessionStorage.length") == 0


def test_a_question_cut_off_by_a_reload_is_not_lost(visit: Visit, api: FakeApi) -> None:
    api.play = "slow"
    page = visit()
    widget = opened(page)
    ask(widget)
    widget.locator(".said li").wait_for()
    page.reload()
    api.play = "good"
    widget = opened(page)
    assert widget.locator(".you").inner_text().endswith(QUESTION)
    widget.get_by_role("button", name="Try again").click()
    widget.locator(".rate").wait_for()


def test_works_where_storage_is_barred(visit: Visit) -> None:
    page = visit(before="Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('no') } })")
    answered(page)
    assert not page.trouble


# Nothing in the text acts

HOSTILE = (
    '<img src=x onerror="window.hit=1"> <script>window.hit=1</script> [click](javascript:window.hit=1) '
    "[data](data:text/html,x) [ok](https://example.org/a) [9] \\[1\\] **<b>bold</b>** [1]"
)


def test_hostile_text_is_inert_everywhere(visit: Visit, api: FakeApi) -> None:
    bad = {**CITATIONS[0], "quote": HOSTILE, "section": HOSTILE, "source": HOSTILE, "url": "javascript:window.hit=1"}
    row = {**ANSWER["findings"][0], "measure": HOSTILE, "source": "technical"}
    api.play = {**plain(HOSTILE, "answered"), "citations": [bad], "findings": [row], "follow_ups": [HOSTILE]}
    page = visit()
    widget = opened(page)
    ask(widget, HOSTILE)
    widget.locator(".rate").wait_for()
    widget.locator(".cite").click()
    widget.locator("summary").click()
    assert widget.locator(".said p").first.inner_text().startswith('<img src=x onerror="window.hit=1"> <script>')
    context, ok = [link.get_attribute("href") for link in widget.locator("a").all()][::-1]
    assert ok == "https://example.org/a"
    assert context.startswith(f"{api.url}read/28287490/%3Cimg%20src=x%20onerror="), "an address of ours, encoded"
    assert widget.locator(".cite").count() == 1, "[9] has no citation and stays text"
    tags = page.evaluate(
        "() => [...document.querySelector('study-assistant').shadowRoot.querySelectorAll('*')].flatMap(node =>"
        " [...node.attributes].filter(a => a.name.startsWith('on')).map(a => a.name)"
        " .concat(['script', 'iframe', 'b', 'style'].includes(node.localName) ? [node.localName] : []))"
    )
    assert tags == []
    page.wait_for_timeout(200)
    assert page.evaluate("window.hit") is None and not page.trouble


@pytest.mark.slow
def test_the_attack_lists_are_inert(visit: Visit, api: FakeApi) -> None:
    """Every line of the lists as answer, quote and follow-up; the naughty strings as questions, too."""
    if not ATTACKS.is_dir():
        pytest.skip(f"{ATTACKS} is not here")
    naughty = [text for text in json.loads((ATTACKS / "blns.json").read_text(encoding="utf-8")) if text.strip()]
    lines = [
        line for path in sorted(ATTACKS.glob("xss-*.txt")) for line in path.read_text("utf-8", "replace").splitlines()
    ]
    page = visit()
    strangers: list[str] = []
    page.on("request", lambda request: strangers.append(request.url) if "127.0.0.1" not in request.url else None)
    widget = opened(page)
    texts = naughty + [line for line in lines if line.strip()]
    for at in range(0, len(texts), 200):
        batch = texts[at : at + 200]
        quotes = [
            {**CITATIONS[0], "number": n + 1, "quote": text, "section": text, "url": text}
            for n, text in enumerate(batch)
        ]
        text = "\n\n".join(f"{text} [{n + 1}]" for n, text in enumerate(batch))
        api.play = {**plain(text, "answered"), "citations": quotes, "follow_ups": batch[:20]}
        page.evaluate("q => StudyAssistant.ask(q)", "What?")
        page.evaluate(
            "() => document.querySelector('study-assistant').shadowRoot.querySelectorAll('.cite')"
            ".forEach(marker => marker.click())"
        )
        widget.get_by_role("button", name="New conversation").click()
    questions = page.evaluate("texts => texts.map(text => text.slice(0, 1900).trim()).filter(Boolean)", naughty)
    for text in questions:
        api.play = plain(text, "chat")
        page.evaluate("q => StudyAssistant.ask(q)", text)
    assert len(texts) > 7_000 and len(questions) > 480
    assert [body["question"] for body in api.asked()[-len(questions) :]] == questions
    assert not strangers and not page.trouble
    assert page.evaluate("document.querySelectorAll('script').length") == 1


# Colours

ACCENTS = ["", "#ffffff", "#000", "yellow", "#808080", "rgb(255 0 0 / .2)", "hsl(200 90% 60%)", "oklch(0.8 0.2 140)",
           "color(display-p3 1 0 0)", "#777", "#00f", "no colour", "red; color: blue", "var(--brand)"]  # fmt: skip
CONTRAST = """(root) => {
  const rgb = (css) => css.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = (css) => rgb(css).map((x) => x / 255)
    .map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0.05);
  const ratio = (a, b) => Math.max(light(a) / light(b), light(b) / light(a));
  const of = (selector) => getComputedStyle(root.shadowRoot.querySelector(selector));
  return ['.head', '.you', '.cite'].map((s) => ratio(of(s).color, of(s).backgroundColor))
    .concat(ratio(of('summary').color, of('.panel').backgroundColor));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_holds_whatever_the_accent(scheme: str, visit: Visit) -> None:
    page = visit(color_scheme=scheme)
    page.add_style_tag(content=":root { --brand: #fc0 }")
    widget = answered(page)
    seen = set()
    for accent in ACCENTS:
        widget.evaluate("(node, accent) => node.setAttribute('accent', accent)", accent)
        ratios = widget.evaluate(CONTRAST)
        assert min(ratios) >= 4.5, (accent, ratios)
        seen.add(widget.locator(".head").evaluate("node => getComputedStyle(node).backgroundColor"))
    assert len(seen) == len(ACCENTS) - 3, "three are no colours and get ours; the two reds are one in sRGB"


# Hostile and strict pages


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_page(scheme: str, visit: Visit) -> None:
    page = visit("hostile.html", color_scheme=scheme)
    inline = page.locator("#inline")
    assert inline.locator(".log").inner_text().startswith("I am inline.")
    box = inline.bounding_box()
    assert box and box["width"] > 1000 and box["height"] >= 300
    widget = answered(page)
    shoot(page, f"hostile-{scheme}")
    style = widget.locator(".said p").first.evaluate(
        "node => (s => [s.fontSize, s.direction, s.letterSpacing, s.textTransform])(getComputedStyle(node))"
    )
    assert style == ["16px", "ltr", "normal", "none"]
    panel = widget.locator(".panel").bounding_box()
    assert panel and panel["width"] == 402 or panel["width"] == 400
    assert page.evaluate("document.elementFromPoint(1000, 700).localName") == "study-assistant", "above the cover"


def test_strict_policy(visit: Visit, site: FakeApi, api: FakeApi) -> None:
    host = api.url.rstrip("/")
    site.page_csp = (
        f"default-src 'none'; script-src {host}; connect-src {host}; img-src {host}; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    page = visit(
        before="addEventListener('securitypolicyviolation', e => (window.broken ||= []).push(e.violatedDirective))"
    )
    widget = answered(page)
    widget.locator("summary").click()
    widget.locator("img").wait_for()
    assert widget.locator(".head").evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(12, 99, 104)"
    assert page.evaluate("window.broken") is None and not page.trouble


def test_two_widgets_keep_apart(visit: Visit, api: FakeApi) -> None:
    page = visit("two.html")
    first, second = page.locator("#first"), page.locator("#second")
    assert page.locator("study-assistant").count() == 2
    assert second.get_by_role("heading").inner_text() == "Assistant d’étude"
    ask(second)
    second.locator(".rate").wait_for()
    assert not first.locator(".turn").count()
    assert (api.asked()[0]["study"], api.asked()[0]["audience"]) == ("11111111", "clinician")
    ask(first)
    first.locator(".rate").wait_for()
    page.reload()
    assert first.locator(".you").count() == second.locator(".you").count() == 1
    assert not violations(page)


def test_single_page_app(visit: Visit, api: FakeApi) -> None:
    api.play = "slow"
    page = visit("spa.html")
    widget = opened(page)
    ask(widget)
    widget.locator(".said li").wait_for()
    page.evaluate("document.getElementById('move').click()")
    api.gate.set()
    widget.locator(".rate").wait_for()  # a move doesn't break a question that is under way
    page.evaluate("document.getElementById('away').click()")
    assert not page.locator("study-assistant").count()
    page.evaluate("document.getElementById('back').click()")
    assert widget.locator(".panel").is_visible() and widget.locator(".said .cite").count() == 4
    widget.get_by_role("button", name="Close").click()
    page.evaluate("document.getElementById('away').click()")
    page.evaluate("document.getElementById('anew').click()")
    assert opened(page).locator(".said .cite").count() == 4
    api.gate.clear()
    ask(widget, "And the babies?")
    widget.locator(".turn >> nth=1 >> .said li").wait_for()
    page.evaluate("document.getElementById('away').click(); document.getElementById('back').click()")
    page.wait_for_timeout(100)
    page.evaluate("document.getElementById('away').click()")
    page.wait_for_timeout(100)
    page.evaluate("document.getElementById('anew').click()")
    assert "No answer yet." in opened(page).locator(".trouble p").inner_text()
    assert not page.trouble


# Script interface


def test_methods_and_events(visit: Visit, api: FakeApi) -> None:
    page = visit()
    page.evaluate(
        "() => { window.seen = []; for (const name of ['open', 'close', 'question', 'answer', 'error', 'feedback'])"
        " addEventListener('study-assistant:' + name, e => seen.push([name, e.detail])) }"
    )
    answer = page.evaluate("q => StudyAssistant.ask(q)", QUESTION)
    assert answer == ANSWER
    page.evaluate("StudyAssistant.close()")
    api.play = "429"
    kind = page.evaluate(
        "() => document.querySelector('study-assistant').ask('again').catch(e => [e.kind, e.problem.status])"
    )
    assert kind == ["busy", 429]
    assert "question" in page.evaluate("() => StudyAssistant.ask('  ').catch(e => e.message)")
    page.evaluate("StudyAssistant.close()")
    seen = page.evaluate("seen")
    assert [name for name, _ in seen] == ["open", "question", "answer", "close", "open", "question", "error", "close"]
    assert seen[2][1] == {"question": QUESTION, "answer": ANSWER}
    assert seen[6][1]["kind"] == "busy" and seen[6][1]["seconds"] == 17


@pytest.mark.parametrize("rating, name", [("up", "Helpful"), ("down", "Not helpful")])
def test_feedback(rating: str, name: str, visit: Visit, api: FakeApi) -> None:
    page = visit()
    widget = answered(page)
    widget.get_by_role("button", name=name, exact=True).click()
    widget.locator(".rate").get_by_text("Thank you.").wait_for()
    counted = {"rating": rating, "comment": "", "outcome": "answered", "study": "28287490", "surface": "widget"}
    assert rated(api) == [counted], "without a word more"
    assert focused(page) == "textarea" and not widget.get_by_role("button", name="Helpful").count()
    widget.locator(".rate").get_by_role("button", name="Send").click()
    assert focused(page) == "textarea" and len(rated(api)) == 1, "nothing to send"
    widget.locator(".rate textarea").fill("clear <b>words</b>")
    widget.locator(".rate").get_by_role("button", name="Send").click()
    widget.locator(".rate textarea").wait_for(state="detached")
    widget.locator(".rate").get_by_text("Thank you.").wait_for()
    assert rated(api) == [counted, {**counted, "rating": f"{rating}+", "comment": "clear <b>words</b>"}]


def test_an_answer_is_rated_once(visit: Visit, api: FakeApi) -> None:
    page = visit()
    widget = answered(page)
    widget.get_by_role("button", name="Helpful", exact=True).click()
    widget.locator(".rate").get_by_text("Thank you.").wait_for()
    widget.evaluate("node => node.setAttribute('lang', 'fr')")  # makes everything anew
    assert widget.locator(".rate").inner_text() == "Merci."
    page.reload()
    assert opened(page).locator(".rate").inner_text() == "Thank you."
    assert len(rated(api)) == 1


def test_a_rating_that_does_not_arrive_can_be_sent_again(visit: Visit, api: FakeApi) -> None:
    page = visit()
    widget = answered(page)
    page.context.set_offline(True)
    widget.get_by_role("button", name="Not helpful").click()
    widget.locator(".rate").get_by_text("That could not be sent.").wait_for()
    assert "could not be sent" in widget.locator("[role=status]").inner_text() and not rated(api)
    page.context.set_offline(False)
    widget.get_by_role("button", name="Not helpful").click()
    widget.locator(".rate").get_by_text("Thank you.").wait_for()
    page.context.set_offline(True)
    widget.locator(".rate textarea").fill("too long")
    widget.locator(".rate").get_by_role("button", name="Send").click()
    widget.locator(".rate").get_by_text("That could not be sent.").wait_for()
    page.context.set_offline(False)
    assert widget.locator(".rate textarea").input_value() == "too long", "what was written is not lost"
    widget.locator(".rate").get_by_role("button", name="Send").click()
    widget.locator(".rate textarea").wait_for(state="detached")
    assert [(body["rating"], body["comment"]) for body in rated(api)] == [("down", ""), ("down+", "too long")]


def test_figures_and_chart_are_loaded_when_looked_at(visit: Visit, api: FakeApi) -> None:
    page = visit()
    widget = answered(page)
    assert not any("chart" in path for _, path, _, _ in api.requests)
    widget.locator("summary").click()
    widget.locator("img").wait_for()
    assert "median 348 pmol/L p <0.001" in widget.locator("tr >> nth=1").inner_text()
    charts = [path for _, path, _, _ in api.requests if "chart" in path]
    assert charts == ["/api/v1/studies/28287490/chart.svg?measure=vitamin+B12&theme=light"]


# With the API itself


@pytest.fixture
def real(site: FakeApi, fake_assistant: Any, tmp_path: Path) -> Iterator[str]:
    """The whole API around the shipped study, with `site` as the one site that may embed."""
    own = site.own.rstrip("/")  # type: ignore[attr-defined]
    app = app_for(tmp_path, fake_assistant, allowed_origins=(own,), draw=lambda findings, theme: CHART.encode())
    add_files(app, WIDGET)
    add_reading(app, fake_assistant.corpus, Messages.load(fake_assistant.settings.prompts), lambda code: None)
    with served(app) as host:
        site.url = f"{host}/"
        yield host


def test_the_same_answer_as_from_python(real: str, visit: Visit, fake_assistant: Any) -> None:
    page = visit()
    question = "How many mother-infant pairs were studied in Canada?"
    expected = fake_assistant.ask(question, study="28287490").to_dict()
    assert expected["citations"]
    assert page.evaluate("q => StudyAssistant.ask(q)", question) == json.loads(json.dumps(expected))
    widget = button(page)
    widget.locator(".cite").first.click()
    assert widget.locator("blockquote").inner_text() == expected["citations"][0]["quote"]
    with page.expect_popup() as opening:
        widget.get_by_role("link", name="Read in context").click()
    assert "".join(opening.value.locator("mark").all_inner_texts()) == expected["citations"][0]["quote"]
    assert opening.value.evaluate("window.opener") is None
    widget.get_by_role("button", name="Helpful", exact=True).click()
    widget.locator(".rate").get_by_text("Thank you.").wait_for()
    widget.locator(".rate textarea").fill("clear")
    widget.locator(".rate").get_by_role("button", name="Send").click()
    widget.locator(".rate textarea").wait_for(state="detached")
    if expected["findings"]:
        widget.locator("summary").click()
        widget.locator("img").wait_for()
    assert not page.trouble


def test_a_site_that_is_not_listed(real: str, visit: Visit, site: FakeApi) -> None:
    page = visit()
    page.goto(page.url.replace("127.0.0.1", "localhost"))
    widget = opened(page)
    ask(widget)
    assert "can’t be reached" in widget.locator(".trouble p").inner_text()


def test_the_demo_as_it_is_served(real: str, browser: Any) -> None:
    page = browser.new_page()
    broken: list[str] = []
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    page.goto(f"{real}/demo")
    page.get_by_role("button", name="Ask what the study found").click()
    button(page).locator(".rate").wait_for()
    assert page.get_by_label("Study").locator("option").count() == 3
    assert not broken
    page.close()


# For everyone


def test_keyboard_alone(visit: Visit) -> None:
    page = visit()
    page.evaluate("addEventListener('keydown', e => (window.leaked ||= []).push(e.key))")
    page.locator("#own").focus()
    page.keyboard.press("Tab")
    assert focused(page) == "launch fill"
    page.keyboard.press("Enter")
    assert focused(page) == "textarea"
    page.evaluate("window.leaked = []")
    page.keyboard.type("Did / j k?")
    page.keyboard.press("Enter")
    button(page).locator(".rate").wait_for()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "quiet"
    button(page).locator(".cite").first.focus()
    page.keyboard.press("Space")
    assert focused(page) == "card"
    page.keyboard.press("Escape")
    assert focused(page) == "cite" and button(page).locator(".panel").is_visible()
    page.keyboard.press("Escape")
    assert focused(page) == "launch fill" and not button(page).locator(".panel").is_visible()
    assert page.evaluate("window.leaked") == []


def test_focus_returns_to_the_pages_own_button(visit: Visit) -> None:
    page = visit()
    page.evaluate("() => { document.getElementById('own').onclick = () => StudyAssistant.open() }")
    page.locator("#own").click()
    assert focused(page) == "textarea"
    page.keyboard.press("Escape")
    assert focused(page) == "own"


def test_one_polite_live_region(visit: Visit) -> None:
    page = visit()
    widget = answered(page)
    regions = widget.locator("[aria-live], [role=status], [role=alert], [role=log], output")
    assert regions.count() == 1 and regions.get_attribute("role") == "status"
    said = regions.inner_text()
    assert "348 pmol/L vs. 171 pmol/L" in said and "[1]" not in said


def test_opening_by_attribute_takes_no_focus_and_no_phone(visit: Visit) -> None:
    page = visit()
    page.evaluate("document.querySelector('study-assistant').setAttribute('open', '')")
    assert button(page).locator(".panel").is_visible() and focused(page) == "body"
    small = visit(
        width=360,
        height=740,
        before="addEventListener('DOMContentLoaded', () => document.querySelector('script').dataset.open = '')",
    )
    assert not button(small).locator(".panel").is_visible()


def test_phone(visit: Visit) -> None:
    page = visit(width=360, height=740, has_touch=True, is_mobile=True)
    shoot(page, "phone-closed")
    widget = opened(page)
    assert focused(page) == "h2", "no keyboard that covers the greeting"
    ask(widget)
    widget.locator(".rate").wait_for()
    shoot(page, "phone")
    panel = widget.locator(".panel").bounding_box()
    assert panel == {"x": 0, "y": 0, "width": 360, "height": 740}
    assert page.evaluate(
        "document.querySelector('study-assistant').shadowRoot.querySelector('dialog').matches(':modal')"
    )
    assert not violations(page)


def test_the_on_screen_keyboard_leaves_the_input_visible(visit: Visit) -> None:
    page = visit(
        width=360,
        height=740,
        before="const fake = new EventTarget(); Object.assign(fake, {height: 740, offsetTop: 0, scale: 1});"
        "Object.defineProperty(window, 'visualViewport', {value: fake})",
    )
    widget = opened(page)
    page.evaluate(
        "Object.assign(visualViewport, {height: 400, offsetTop: 60}); visualViewport.dispatchEvent(new Event('resize'))"
    )
    box = widget.locator("textarea").bounding_box()
    assert box and 60 <= box["y"] and box["y"] + box["height"] <= 460
    page.evaluate(
        "Object.assign(visualViewport, {height: 200, scale: 2}); visualViewport.dispatchEvent(new Event('resize'))"
    )
    assert widget.locator(".panel").bounding_box()["height"] == 400, "pinch zoom is left alone"


def test_zoomed_to_400_percent(visit: Visit) -> None:
    page = visit(width=320, height=256)
    widget = answered(page)
    widget.locator(".cite").first.click()
    shoot(page, "zoom-400")
    assert widget.locator(".panel").evaluate("node => node.scrollWidth <= node.clientWidth")
    assert widget.locator(".log").evaluate("node => node.scrollWidth <= node.clientWidth")
    for part in (".card", "textarea", "summary", ".head .icon >> nth=-1"):
        widget.locator(part).first.scroll_into_view_if_needed()
        box = widget.locator(part).first.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 320
        assert box["y"] < 256 and box["y"] + box["height"] > 0, part


def test_right_to_left_and_endless_words(visit: Visit, api: FakeApi) -> None:
    api.play = plain("Donaudampfschifffahrts" * 40, "answered")
    widget = answered(visit(width=360, height=740), "هل كان لدى الأمهات B12 أكثر؟")
    assert widget.locator(".you").evaluate("node => getComputedStyle(node).direction") == "rtl"
    assert widget.locator(".log").evaluate("node => node.scrollWidth <= node.clientWidth")


def test_motion_and_forced_colours(visit: Visit, api: FakeApi) -> None:
    api.play = "slow"
    page = visit(reduced_motion="reduce", forced_colors="active")
    widget = opened(page)
    ask(widget)
    widget.locator(".said li").wait_for()
    assert page.evaluate("document.getAnimations().length") == 0
    shoot(page, "forced-colours")
    edges = [
        widget.locator(s).first.evaluate("node => getComputedStyle(node).borderTopStyle")
        for s in (".you", ".panel", ".fill.icon")
    ]
    assert edges == ["solid"] * 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(scheme: str, visit: Visit, api: FakeApi) -> None:
    page = visit(color_scheme=scheme, reduced_motion="reduce")
    widget = button(page)
    states: dict[str, Callable[[], object]] = {
        "closed": lambda: None,
        "open": lambda: opened(page),
        "answered": lambda: (ask(widget), widget.locator(".rate").wait_for()),
        "quote": lambda: widget.locator(".cite").first.click(),
        "figures": lambda: (widget.locator("summary").click(), widget.locator("img").wait_for()),
        "rating": lambda: widget.get_by_role("button", name="Helpful", exact=True).click(),
        "trouble": lambda: (setattr(api, "play", "500"), ask(widget), widget.locator(".trouble").wait_for()),
        "waiting": lambda: (setattr(api, "play", "slow"), ask(widget), widget.locator(".said li >> nth=1").wait_for()),
        "urgent": lambda: (
            setattr(api, "play", plain("**Get help now.**", "urgent")),
            api.gate.set(),
            page.evaluate("StudyAssistant.ask('he is blue')"),
        ),
        "french": lambda: widget.evaluate("node => node.setAttribute('lang', 'fr')"),
    }
    for state, reach in states.items():
        reach()
        shoot(page, f"{state}-{scheme}")
        assert not violations(page), state


# The demo


def test_demo_page(browser: Any, api: FakeApi) -> None:
    source = (WIDGET / "demo.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|<style|\sstyle=", source)
    api.page_csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    broken: list[str] = []
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(f"{api.url}demo")
    shoot(page, "demo")
    snippet = page.locator("#snippet").inner_text()
    assert f'src="{api.url}widget.js"' in snippet and "async></script>" in snippet
    page.get_by_label("Labels").select_option("fr")
    page.get_by_label("Accent colour").fill("#8e2a5b")
    page.get_by_label("Corner").select_option("bottom-left")
    assert 'data-lang="fr"' in page.locator("#snippet").inner_text()
    widget = button(page)
    assert widget.locator(".launch").inner_text() == "Interroger cette étude"
    assert widget.locator(".launch").bounding_box()["x"] == 20
    assert widget.locator(".launch").evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(142, 42, 91)"
    assert not violations(page)
    answered(page)
    shoot(page, "demo-open")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert not [text for text in broken if "favicon" not in text]
    page.close()


@pytest.mark.slow
def test_first_answer_on_a_slow_phone(visit: Visit, record_property: Callable[[str, object], None]) -> None:
    """400 ms round trips, 400 kbit/s, a processor slowed four times: page to answer, the server answering at once."""
    page = visit(width=360, height=740)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    profile = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    session.send("Network.emulateNetworkConditions", profile)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.reload()
    answered(page)
    end = page.evaluate("performance.now()")
    record_property("milliseconds", end)
    assert end < 10_000
