"""A source as a page of its own, with a passage marked: the permalink of a citation; no script in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from assistant.corpus import Corpus
from assistant.messages import Messages
from assistant.records import RECORD, Source, Study
from assistant.split import HEADING, blocks
from assistant.web.files import AN_HOUR, File
from assistant.web.fragments import AWAY, safe, source_name
from assistant.web.markdown import escape
from assistant.web.problems import Problem

STYLE = "page/read.css"
"""Where the page's style is served, seen from the root."""
_HERE = Path(__file__).resolve().parent
_OFFSET = re.compile(r"[0-9]{1,9}")
_MARK = '<mark id="quote" tabindex="-1">'


@dataclass(frozen=True, slots=True)
class _Block:
    """What is shown of a stretch of text, as which element, in which list; `opening` is the element's start tag."""

    tag: str
    start: int
    end: int
    list: str = ""
    opening: str = ""


class Reading:
    """Pages of a corpus's texts.

    Args:
        refused: Told the code of each refusal.
    """

    def __init__(self, corpus: Corpus, messages: Messages, refused: Callable[[str], None]) -> None:
        self._corpus = corpus
        self._messages = messages
        self._refused = refused
        self.style = File.read(_HERE / "read.css", AN_HOUR)
        self._version = hashlib.sha256(self.style.body).hexdigest()[:12]

    def respond(self, request: Request) -> Response:
        """Return the page of a text, or one that says in a sentence why there is none; run in a worker thread."""
        try:
            title, body = self._page(request.path_params, request.query_params)
            status = 200
        except Problem as problem:
            self._refused(problem.code)
            status, title = problem.status, self._messages.say("read.nothing")
            body = f"<main><h1>{escape(title)}</h1><p>{escape(problem.detail)}</p></main>"
        up = "../" * (request.scope["raw_path"].count(b"/") - 1)  # a proxy may serve all this below a path of its own
        document = (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
            f'<link rel="stylesheet" href="{up}{STYLE}?v={self._version}">'
            f'<link rel="icon" type="image/svg+xml" href="{up}page/icon.svg"></head><body>{body}</body></html>\n'
        )
        # Never by validator: a 304 would carry another policy than the page did.
        return HTMLResponse(document, status, {"Cache-Control": "no-cache" if status == 200 else "no-store"})

    def _page(self, place: dict[str, str], query: QueryParams) -> tuple[str, str]:
        study, source = self._find(place.get("pmid", ""), place.get("source", ""))
        start, end = self._place(query, len(source.text))
        text, marked = _render(source, start, end)
        if end and not marked:
            raise Problem("invalid", self._messages.say("read.no_words"))
        return f"{source_name(source.name, self._messages)}: {study.title}", (
            f"{self._header(study, source, marked)}<main>{text}</main>"
            f"<footer><p>{escape(self._messages.say('read.note'))}</p></footer>"
        )

    def _find(self, pmid: str, name: str) -> tuple[Study, Source]:
        try:
            study = self._corpus.study(pmid)
        except KeyError as exc:
            raise Problem("not_found", self._messages.say("read.no_study")) from exc
        try:
            return study, study.source(name)
        except KeyError as exc:
            names = ", ".join(source.name for source in (*study.sources, study.record))
            raise Problem("not_found", self._messages.say("read.no_source", names=names)) from exc

    def _place(self, query: QueryParams, length: int) -> tuple[int, int]:
        """Return the offsets that are asked for; 0 and 0 where none are."""
        given = query.getlist("start"), query.getlist("end")
        if given == ([], []):
            return 0, 0
        if all(len(values) == 1 and _OFFSET.fullmatch(values[0]) for values in given):
            start, end = (int(values[0]) for values in given)
            if start < end <= length:
                return start, end
        raise Problem("invalid", self._messages.say("read.no_place", length=length))

    def _header(self, study: Study, source: Source, marked: bool) -> str:
        say = self._messages.say
        where = " · ".join(str(part) for part in (study.journal, study.year) if part)
        links = [(say("read.study"), study.url)]
        if study.doi:
            links.append((say("page.source.doi"), f"https://doi.org/{study.doi}"))
        shown = [f'<a href="{escape(url)}" {AWAY}>{escape(name)}</a>' for name, url in links if safe(url)]
        if marked:
            shown.insert(0, f'<a href="#quote">{escape(say("read.jump"))}</a>')
        return (
            f'<header><p class="from">{escape(source_name(source.name, self._messages))}</p>'
            f'<h1 dir="auto">{escape(study.title)}</h1><p class="where">{escape(where)}</p>'
            f'<p class="links">{" ".join(shown)}</p></header>'
        )


def add_reading(app: FastAPI, corpus: Corpus, messages: Messages, refused: Callable[[str], None]) -> None:
    """Serve every text of a corpus at /read/{pmid}/{source}, and the style of these pages.

    Args:
        refused: Told the code of each refusal.
    """
    reading = Reading(corpus, messages, refused)

    async def style(request: Request) -> Response:
        return reading.style.response(request)

    app.router.routes.append(Route(f"/{STYLE}", style, methods=["GET"]))
    for path in ("/read/{pmid}/{source}", "/read/{rest:path}", "/read"):
        app.router.routes.append(Route(path, reading.respond, methods=["GET"]))


def _render(source: Source, start: int, end: int) -> tuple[str, bool]:
    """Return a source as HTML, the characters between two offsets marked, and whether anything is."""
    text = source.text
    parts: list[str] = []
    marked, inside = False, ""
    for block in _blocks(source):
        if block.list != inside:
            parts.append((f"</{inside}>" if inside else "") + (f"<{block.list}>" if block.list else ""))
            inside = block.list
        left, right = max(start, block.start), min(end, block.end)
        shown = escape(text[block.start : block.end])
        if left < right:
            mark, marked = "<mark>" if marked else _MARK, True
            pieces = (text[block.start : left], text[left:right], text[right : block.end])
            before, quoted, after = map(escape, pieces)
            shown = f"{before}{mark}{quoted}</mark>{after}"
        parts.append(f"{block.opening}{shown}</{block.tag}>")
    return "".join(parts) + (f"</{inside}>" if inside else ""), marked


def _blocks(source: Source) -> Iterator[_Block]:
    """Yield headings, paragraphs and list items in order; the record, which is no prose, as one block."""
    text = source.text
    if source.name == RECORD:
        yield _Block("pre", 0, len(text), opening="<pre>\n")  # browsers drop the line break after the tag
        return
    at, level = 0, 1
    for heading in HEADING.finditer(text):
        yield from _prose(text, at, heading.start())
        level = min(len(heading["marks"]) + 1, level + 1, 6)  # below the title, and none left out
        yield _Block(f"h{level}", *heading.span("title"), opening=f'<h{level} dir="auto">')
        at = heading.end()
    yield from _prose(text, at, len(text))


def _prose(text: str, start: int, end: int) -> Iterator[_Block]:
    for left, right, item in blocks(text, start, end):
        marker = text[text.rfind("\n", 0, left) + 1 : left].strip()
        if not item:
            yield _Block("p", left, right, opening='<p dir="auto">')
        elif marker[0].isdigit():
            yield _Block("li", left, right, "ol", f'<li dir="auto" value="{int(marker[:-1])}">')
        else:
            yield _Block("li", left, right, "ul", '<li dir="auto">')
