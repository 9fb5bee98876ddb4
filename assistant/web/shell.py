"""What is on the chat page before the first question: its name, what it is and isn't, examples, its words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from assistant.messages import Messages
from assistant.records import AUDIENCES, Study
from assistant.web import export
from assistant.web.fragments import ask_button, safe, source_name
from assistant.web.markdown import escape, inline

LISTED = 50
"""Studies that the page names at the start; a larger corpus says how many there are."""
_WORDS = (
    *(f"reply.{key}" for key in ("working", "copied", "thanks", "stopped", "cut", "cut_rating")),
    *(f"reply.{key}" for key in ("offline", "ready", "retry")),
    *(f"source.{key}" for key in ("reading", "close", "passage", "pubmed", "doi", "study")),
    *(f"conversation.{key}" for key in ("file", "head", "cleared")),
    *("asked_by.parent", "asked_by.clinician", "title"),
)


def header(studies: Sequence[Study], messages: Messages) -> str:
    """Return the page's head: name, what the answers come from, and the fold that says the rest."""
    if len(studies) == 1:
        study = studies[0]
        about = messages.say("page.about", title=study.title, journal=study.journal, year=study.year or "")
        heading = messages.say("page.about_study.heading")
    else:
        about = messages.say("page.about_many", count=len(studies))
        heading = messages.say("page.about_study.heading_many")
    said = "".join(f"<p>{inline(messages.say(f'page.about_study.{key}'))}</p>" for key in ("is", "is_not", "privacy"))
    listed = "".join(_study(study, messages) for study in studies[:LISTED])
    return (
        f'<header class="masthead"><h1>{escape(messages.say("page.title"))}</h1>'
        f'<p class="lead">{inline(about)}</p>'
        f'<details class="about"><summary>{escape(heading)}</summary><div>{said}{listed}</div></details></header>'
    )


def conversation(studies: Sequence[Study], messages: Messages) -> str:
    """Return the empty conversation with its examples, and what page.js needs: words and the studies' references."""
    groups = "".join(
        f'<ul class="for-{audience}">'
        + "".join(f"<li>{ask_button(question)}</li>" for question in messages.list("page.examples_list", audience))
        + "</ul>"
        for audience in AUDIENCES
    )
    words = {key: messages.say(f"page.{key}") for key in _WORDS}
    data = {"words": words, "studies": {study.pmid: card(study) for study in studies[:LISTED]}}
    name, examples = escape(messages.say("page.conversation.name")), escape(messages.say("page.examples"))
    return (
        f'<section id="conversation" aria-label="{name}" data-page="{escape(json.dumps(data))}">'
        f'<div class="examples"><h2>{examples}</h2>{groups}</div><div class="turns"></div></section>'
        '<p id="status" class="unseen" role="status"></p>'
    )


def tools(messages: Messages) -> str:
    """Return what can be done with a whole conversation."""
    save, clear = (messages.say(f"page.conversation.{key}") for key in ("export", "clear"))
    return (
        f'<div class="tools" hidden><button type="button" class="save quiet">{escape(save)}</button>'
        f'<button type="button" class="clear quiet">{escape(clear)}</button></div>'
    )


def card(study: Study) -> dict[str, Any]:
    """Return what the page knows of a study: its name, its links, and its reference in every format."""
    return {
        "title": study.title,
        "journal": study.journal,
        "year": study.year,
        "pubmed": study.url if safe(study.url) else "",
        "doi": f"https://doi.org/{study.doi}" if study.doi else "",
        "references": [
            {"name": f"{export.key(study)}.{ending}", "type": kind, "text": export.reference(study, fmt)}
            for fmt, (ending, kind) in export.REFERENCE_FORMATS.items()
        ],
    }


def sources(wanted: Mapping[tuple[str, str], Study], messages: Messages) -> dict[str, dict[str, str]]:
    """Return the texts of sources, keyed "pmid/source", for the page to open citations in."""
    return {
        f"{pmid}/{name}": {"name": source_name(name, messages), "text": study.source(name).text}
        for (pmid, name), study in wanted.items()
    }


def _study(study: Study, messages: Messages) -> str:
    links = [("PubMed", study.url), ("DOI", f"https://doi.org/{study.doi}" if study.doi else "")]
    shown = " ".join(
        f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(name)}</a>'
        for name, url in links
        if safe(url)
    )
    authors = ", ".join(study.authors[:3]) + (" et al." if len(study.authors) > 3 else "")
    line = ". ".join(part for part in (authors, study.journal, str(study.year or "")) if part)
    licence = f" {messages.say('page.about_study.licence', licence=study.licence)}." if study.licence else ""
    names = {"bibtex": "BibTeX", "ris": "RIS", "csl": "CSL-JSON"}
    buttons = "".join(
        f'<button type="button" class="reference quiet" data-study="{escape(study.pmid)}" data-format="{at}">'
        f"{names[fmt]}</button>"
        for at, fmt in enumerate(export.REFERENCE_FORMATS)
    )
    return (
        f'<div class="study"><h2>{escape(study.title)}</h2>'
        f"<p>{escape(line)}. PMID {escape(study.pmid)}.{escape(licence)} {shown}</p>"
        f'<p class="take">{escape(messages.say("page.about_study.reference"))}: {buttons}</p></div>'
    )
