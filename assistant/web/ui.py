"""The chat page: Gradio asks and streams, `page.js` shows; the conversation lives in the reader's tab alone."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from assistant.config import Settings
from assistant.corpus import Corpus
from assistant.errors import AssistantError, DatabaseError, QuestionError
from assistant.feedback import RATINGS, Feedback
from assistant.messages import Messages
from assistant.records import AUDIENCES, OUTCOMES, Answer, Audience, Statement, Study
from assistant.web import export, fragments, shell
from assistant.web.desk import Streams
from assistant.web.files import AN_HOUR, File
from assistant.web.shield import log_without_text
from assistant.web.theme import MONO, SANS, colours

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

QUESTION_CHARACTERS = 2_000
COMMENT_CHARACTERS = 2_000
ASSETS = "/page/"
"""Where page.css and page.js are served; beside Gradio's own paths, under the same policy."""
_HERE = Path(__file__).resolve().parent
_TURN = re.compile(r"t[0-9]{1,6}")
_log = logging.getLogger(__name__)
OnFeedback = Callable[[Feedback], object]


class Answers(Streams, Protocol):
    """What the page needs of an assistant."""

    @property
    def corpus(self) -> Corpus:
        """The studies."""
        ...

    @property
    def settings(self) -> Settings:
        """How many questions may be answered at a time, and how many may wait."""
        ...


def mount(
    app: FastAPI, assistant: Answers, messages: Messages, path: str = "/", *, on_feedback: OnFeedback | None = None
) -> FastAPI:
    """Add the chat page to an application and return it.

    Args:
        on_feedback: Told each rating; see `build`.
    """
    import gradio as gr
    from starlette.routing import Route

    links = []
    for name, form in (
        ("page.css", '<link rel="stylesheet" href="{}">'),
        ("page.js", '<script src="{}" defer></script>'),
        ("icon.svg", '<link rel="icon" type="image/svg+xml" href="{}">'),
    ):
        file = File.read(_HERE / name, AN_HOUR)
        app.router.routes.append(Route(f"{ASSETS}{name}", _serving(file), name=name))
        version = hashlib.sha256(file.body).hexdigest()[:12]
        links.append(form.format(f"{'.' if path == '/' else ''}{ASSETS}{name}?v={version}"))
    base = gr.themes.Base(primary_hue="teal", neutral_hue="stone", font=list(SANS), font_mono=list(MONO))
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build(assistant, messages, on_feedback=on_feedback),
        path,
        theme=base.set(**colours()),
        head="".join(links),
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
    )
    return mounted


def build(assistant: Answers, messages: Messages, *, on_feedback: OnFeedback | None = None) -> gr.Blocks:
    """Return the page, not yet served.

    Args:
        on_feedback: Told each rating, on a worker thread; what it raises as `DatabaseError` is told to the reader.

    Raises:
        PromptError: A text of the page is missing.
    """
    import gradio as gr

    page = Page(assistant, messages, on_feedback)
    studies, settings = assistant.corpus.studies, assistant.settings
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    blocks: gr.Blocks = gr.Blocks(title=messages.say("page.title"), analytics_enabled=False, fill_width=True)
    with blocks:
        gr.HTML(shell.header(studies, messages), js_on_load=None, elem_id="masthead", apply_default_css=False)
        gr.HTML(shell.conversation(studies, messages), js_on_load=None, elem_id="shell", apply_default_css=False)
        with gr.Column(elem_id="composer"):
            with gr.Row(elem_id="choices"):
                audience = gr.Radio(
                    [(messages.say(f"page.{name}"), name) for name in AUDIENCES],
                    value="parent",
                    label=messages.say("page.audience"),
                    elem_id="audience",
                    container=False,
                )
                study = gr.Dropdown(
                    [(messages.say("page.all_studies"), ""), *((item.title, item.pmid) for item in studies)],
                    value="",
                    label=messages.say("page.study"),
                    visible=len(studies) > 1,
                    elem_id="study",
                )
                gr.HTML(shell.tools(messages), js_on_load=None, elem_id="tools", apply_default_css=False)
            with gr.Row(elem_id="asking"):
                question = gr.Textbox(
                    label=messages.say("page.question"),
                    placeholder=messages.say("page.placeholder"),
                    show_label=False,
                    container=False,
                    lines=1,
                    max_lines=6,
                    max_length=QUESTION_CHARACTERS,
                    elem_id="question",
                    scale=1,
                )
                ask = gr.Button(messages.say("page.ask"), variant="primary", elem_id="ask", scale=0, min_width=88)
                stop = gr.Button(messages.say("page.stop"), elem_id="stop", scale=0, min_width=88)
        context, reply, rating, rated = (gr.Textbox(visible="hidden", elem_id=name) for name in _WIRES)
        asked = gr.on(
            [question.submit, ask.click],
            page.answer,
            [question, audience, study, context],
            reply,
            js="(...said) => studyPage.ask(...said)",
            trigger_mode="multiple",  # page.js sees to it that there is one at a time
            concurrency_limit=settings.concurrency,
            **quiet,
        )
        asked.then(None, js="() => { studyPage.settle() }", **quiet)
        reply.change(None, reply, js="(turn) => { studyPage.show(turn) }", **quiet)
        stop.click(None, cancels=[asked], js="() => { studyPage.stop() }", **quiet)
        audience.change(None, audience, js="(audience) => { studyPage.audience(audience) }", **quiet)
        rate = gr.Button(visible="hidden", elem_id="rate")  # page.js presses it
        rate.click(
            page.rate,
            rating,
            rated,
            js="() => studyPage.rating()",
            trigger_mode="multiple",  # of two answers rated at once, neither is dropped
            concurrency_limit=4,
            **quiet,
        )
        rated.change(None, rated, js="(said) => { studyPage.rated(said) }", **quiet)
    blocks.queue(max_size=settings.queue + settings.concurrency, default_concurrency_limit=settings.concurrency)
    return blocks


_WIRES = ("context", "reply", "rating", "rated")
"""Hidden boxes that stand for the JSON which page.js and the server pass to each other."""


class Page:
    """The page's two events; both take what any visitor may send, and keep nothing."""

    def __init__(self, assistant: Answers, messages: Messages, on_feedback: OnFeedback | None) -> None:
        self._assistant = assistant
        self._messages = messages
        self._on_feedback = on_feedback

    def answer(self, question: str, audience: Audience, study: str, context: str) -> Iterator[str]:
        """Yield the turn as JSON, more complete each time; the last has state "done" or "failed".

        Args:
            context: JSON of `{"turn": id, "history": [{"role", "content"}], "known": ["pmid/source"]}`.
        """
        question, told = question or "", _object(context)
        turn = str(told.get("turn", ""))
        turn = turn if _TURN.fullmatch(turn) else "t0"
        shown: list[Statement] = []
        try:
            history = told.get("history")
            turns = history if isinstance(history, list) else []
            for item in self._assistant.stream(question, audience=audience, history=turns, study=study or None):
                if isinstance(item, Answer):
                    yield json.dumps(self._done(turn, question, audience, item, _strings(told.get("known"))))
                else:
                    shown.append(item)
                    yield json.dumps({"turn": turn, "state": "working", "html": fragments.statements(turn, shown)})
        except QuestionError as exc:
            yield self._failed(turn, self._messages.say("web.empty") if not question.strip() else str(exc))
        except AssistantError as exc:
            log_without_text(exc, "the chat page", _log)
            yield self._failed(turn, self._messages.say("web.unavailable"))
        except Exception as exc:  # the reader is told that it ended, whatever it was
            log_without_text(exc, "the chat page", _log)
            yield self._failed(turn, self._messages.say("web.internal"))

    def rate(self, rating: str) -> str:
        """Hand a rating on; return JSON of the turn and the rating, whether it was kept, and what the reader is told.

        Args:
            rating: JSON of `{"turn", "rating", "comment", "question", "outcome", "audience", "study", "at"}`; "at" is
                given back, so that no two results are the same and each is noticed.
        """
        told = _object(rating)
        feedback = Feedback(
            rating=str(told.get("rating", "")),
            comment=str(told.get("comment", ""))[:COMMENT_CHARACTERS],
            question=str(told.get("question", ""))[:QUESTION_CHARACTERS],
            outcome=str(told.get("outcome", "")),
            audience=str(told.get("audience", "")),
            study=str(told.get("study", "")),
            surface="page",
        )
        known = {"", *(study.pmid for study in self._assistant.corpus.studies)}
        sound = feedback.rating in RATINGS and feedback.outcome in OUTCOMES and feedback.audience in AUDIENCES
        stored, said = False, "web.feedback_not_saved"
        if sound and feedback.study in known and self._on_feedback is not None:
            try:
                self._on_feedback(feedback)
                stored, said = True, "page.reply.thanks"
            except DatabaseError as exc:
                _log.warning("%s", exc)
        back = {name: str(told.get(name, ""))[:40] for name in ("turn", "rating", "at")}
        return json.dumps({**back, "stored": stored, "said": self._messages.say(said)})

    def _done(
        self, turn: str, question: str, audience: Audience, answer: Answer, known: frozenset[str]
    ) -> dict[str, object]:
        studies = self._cited(answer)
        cited = {(c.pmid, c.source): studies[c.pmid] for c in answer.citations if c.pmid in studies}
        new = {place: study for place, study in cited.items() if "/".join(place) not in known}
        return {
            "turn": turn,
            "state": "done",
            "html": fragments.reply(turn, answer, studies, audience, self._messages, _chart),
            "text": answer.text,
            "outcome": answer.outcome,
            "study": answer.citations[0].pmid if answer.citations else "",
            "copy": export.reply(answer, studies),
            "export": export.turn(question, self._messages.say(f"page.{audience}"), answer, studies),
            "sources": shell.sources(new, self._messages),
            "studies": {study.pmid: shell.card(study) for study in new.values()},
        }

    def _failed(self, turn: str, sentence: str) -> str:
        return json.dumps({"turn": turn, "state": "failed", "html": fragments.problem(sentence, self._messages)})

    def _cited(self, answer: Answer) -> Mapping[str, Study]:
        cited = {citation.pmid for citation in answer.citations}
        return {study.pmid: study for study in self._assistant.corpus.studies if study.pmid in cited}


def _chart(findings: Sequence[Any], look: str) -> bytes:
    from assistant.charts import chart

    return chart(findings, "svg", "dark" if look == "dark" else "light")


def _serving(file: File) -> Callable[[Request], Response]:
    return lambda request: file.response(request)


def _object(text: str) -> dict[str, Any]:
    """Return a JSON object, or an empty one for anything else."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> frozenset[str]:
    return frozenset(item for item in value if isinstance(item, str)) if isinstance(value, list) else frozenset()
