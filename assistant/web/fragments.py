"""An answer, piece by piece, as the HTML of the chat page; every word from outside is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence

from assistant.messages import Messages
from assistant.records import Answer, Audience, Citation, Finding, Statement, Study
from assistant.web.markdown import escape, render

Draw = Callable[[Sequence[Finding], str], bytes]
"""Findings and a theme → a chart as SVG; ValueError where there is nothing to draw."""
AWAY = 'target="_blank" rel="noopener noreferrer"'
"""Attributes of a link that leaves the page."""
_THUMB = (
    '<svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"{turned}><path fill="none" '
    'stroke="currentColor" stroke-width="1.7" stroke-linejoin="round" '
    'd="M7 11v9H4v-9zm0 0 4-8c1.7 0 2.6 1.1 2.3 2.8L12.7 9H18c1.5 0 2.4 1.3 '
    '2 2.7l-1.7 6.7c-.3 1-1.1 1.6-2.1 1.6H7"/></svg>'
)


def statements(turn: str, shown: Sequence[Statement]) -> str:
    """Return the statements that have come so far."""
    citations = {citation.number: citation for statement in shown for citation in statement.citations}
    return render("\n\n".join(statement.text for statement in shown), _markers(turn, citations))


def reply(
    turn: str, answer: Answer, studies: Mapping[str, Study], audience: Audience, messages: Messages, draw: Draw | None
) -> str:
    """Return a whole reply: its text, figures, sources, follow-ups, and what can be done with it.

    Args:
        turn: Id of the turn on the page; ids of elements begin with it.
        studies: The cited studies, by PMID.
        draw: None for no chart.
    """
    by_number = {citation.number: citation for citation in answer.citations}
    parts = [
        f'<div class="said">{render(answer.text, _markers(turn, by_number))}</div>',
        _figures(answer.findings, messages, draw),
        _sources(turn, answer.citations, studies, messages),
        _follow_ups(answer.follow_ups, messages),
        _actions(turn, audience, messages),
    ]
    return "".join(parts)


def problem(sentence: str, messages: Messages) -> str:
    """Return what stands in the place of a reply that could not be given."""
    retry = escape(messages.say("page.reply.retry"))
    return f'<p class="problem">{escape(sentence)}</p><button type="button" class="retry quiet">{retry}</button>'


def _markers(turn: str, citations: Mapping[int, Citation]) -> dict[int, str]:
    return {
        number: f'<a class="marker" href="#{turn}-s{number}" {_place(citation)}>[{number}]</a>'
        for number, citation in citations.items()
    }


def _place(citation: Citation) -> str:
    """Return the attributes by which the page finds the place in the source; offsets count characters."""
    return (
        f'data-source="{escape(citation.pmid)}/{escape(citation.source)}" data-start="{citation.start}" '
        f'data-end="{citation.end}" data-section="{escape(citation.section)}" data-quote="{escape(citation.quote)}"'
    )


def _sources(turn: str, citations: Sequence[Citation], studies: Mapping[str, Study], messages: Messages) -> str:
    if not citations:
        return ""
    items = []
    for citation in citations:
        study = studies.get(citation.pmid)
        links = [(messages.say("page.source.pubmed"), citation.url if not study else study.url)]
        if study and study.doi:
            links.append((messages.say("page.source.doi"), f"https://doi.org/{study.doi}"))
        shown = "".join(f' <a href="{escape(url)}" {AWAY}>{escape(name)}</a>' for name, url in links if safe(url))
        items.append(
            f'<li id="{turn}-s{citation.number}" tabindex="-1">'
            f'<span class="number" aria-hidden="true">{citation.number}</span>'
            f'<blockquote dir="auto">{escape(citation.quote)}</blockquote>'
            f'<p class="where"><b>{escape(citation.section)}</b> '
            f"<span>{escape(source_name(citation.source, messages))}</span> "
            f'<a class="open" href="#{turn}-s{citation.number}" {_place(citation)} '
            f'aria-label="{escape(messages.say("page.source.read"))} [{citation.number}]">'
            f"{escape(messages.say('page.source.read'))}</a>{shown}</p></li>"
        )
    heading = escape(messages.say("page.sources"))
    return f'<div class="sources"><h3>{heading}</h3><ol>{"".join(items)}</ol></div>'


def safe(url: str) -> bool:
    """Return whether a link may be shown: http(s) alone."""
    return url.startswith(("https://", "http://"))


def source_name(source: str, messages: Messages) -> str:
    """Return what a source is called on the page."""
    known = source in ("summary", "technical", "published", "study")
    return messages.say(f"page.source.{source}") if known else source


def _figures(findings: Sequence[Finding], messages: Messages, draw: Draw | None) -> str:
    """Return the chart and the table of the findings, or "" where there are too few for either."""
    from assistant.charts import alternative, table

    rows = table(findings)
    if len(findings) < 2 or not rows:
        return ""
    summary = escape(messages.say("page.reply.figures"))
    chart = ""
    if draw:
        try:
            drawn = [(theme, draw(findings, theme)) for theme in ("light", "dark")]
        except ValueError:  # figures that no chart can show together; the table has them
            drawn = []
        alt = escape(alternative(findings))
        images = "".join(
            f'<img class="{theme}-only" alt="{alt}" src="data:image/svg+xml;base64,{base64.b64encode(svg).decode()}">'
            for theme, svg in drawn
        )
        name = escape(messages.say("page.reply.chart"))
        chart = f'<figure tabindex="0" role="group" aria-label="{name}">{images}</figure>' if images else ""
    return (
        f'<div class="figures">{chart}<details><summary>{summary}</summary>'
        f'<div class="scroll" tabindex="0" role="group" aria-label="{summary}">{render(rows)}</div></details></div>'
    )


def _follow_ups(questions: Sequence[str], messages: Messages) -> str:
    if not questions:
        return ""
    buttons = "".join(f"<li>{ask_button(question)}</li>" for question in questions)
    return f'<div class="follow-ups"><h3>{escape(messages.say("page.reply.follow_ups"))}</h3><ul>{buttons}</ul></div>'


def ask_button(question: str) -> str:
    """Return a button that asks a question."""
    return f'<button type="button" class="ask" dir="auto">{escape(question)}</button>'


def _actions(turn: str, audience: Audience, messages: Messages) -> str:
    def say(key: str) -> str:
        return escape(messages.say(f"page.reply.{key}", audience))

    thumbs = "".join(
        f'<button type="button" class="thumb" data-rating="{rating}" aria-pressed="false" aria-label="{say(rating)}" '
        f'title="{say(rating)}">{_THUMB.format(turned=turned)}</button>'
        for rating, turned in (("up", ""), ("down", ' class="turned"'))
    )
    return (
        f'<div class="actions"><button type="button" class="copy quiet">{say("copy")}</button>'
        f'<span class="rate" role="group" aria-label="{say("helpful")}">'
        f'<span aria-hidden="true">{say("helpful")}</span>'
        f'{thumbs}</span></div><form class="comment" hidden><label for="{turn}-comment">{say("comment")}</label>'
        f'<textarea id="{turn}-comment" rows="2" maxlength="2000" dir="auto"></textarea>'
        f'<button type="submit" class="send">{say("send")}</button></form>'
    )
