"""What a refusal says: what is missing, in the reader's own words, and what can be asked instead."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.lexical import terms
from assistant.records import Study
from assistant.vocabulary import WHO, names

MOST_SUGGESTIONS = 3
# Words that carry a question but are never what it asks for.
_GENERAL = frozenset(
    terms(
        "able about account across actually affect after age aged all already also always amount another "
        "anybody anyone "
        "anything anyway apart appear apply around ask asked attempt available average avoid away back bad "
        "based basically "
        "become began begin behind believe benefit best better big bit born both bother bring brought call "
        "called came "
        "care carry case cause caused causes certain chance change changed changes check checked claim clear "
        "close come "
        "common compare compared comparison concern concluded connect connected consider contain correct "
        "count country "
        "cover curious cut data day deal decide definitely depend describe detail details did difference different "
        "directly discover does doing done due each ease easily effect effects either else end enough "
        "especially even "
        "ever every everyone exact exactly example expect explain explained extra fact far feel fewer few "
        "figure figures "
        "find fine first follow found full further gave general get getting give given gives go goes going "
        "gone good got "
        "group guess guys had half hand happen happened happens happy hard hardly help helped hey high "
        "higher hope how "
        "huge idea important include included increase info information instead interested involve involved "
        "issue just "
        "keep kept kind kinds knew know known last later least leave left less let level levels life like "
        "likely linked "
        "list little live living long longer look looked looking lot lots low lower made main make makes many matter "
        "maybe mean means measure measured mention mentioned method might mind mine minor more most much "
        "must name need "
        "needed never new nice normal note number obviously offer old once one ones only order original other others "
        "otherwise outcome own page paper part particular people perhaps person place plan please point poor "
        "possible "
        "prior probably problem prove provide purpose put question quite range rate ratio read reading real really "
        "reason regard related relation report reported reports research researchers result results right "
        "risk roughly "
        "run said same saw say says science scientists search section see seem seems seen sense separate "
        "serious several "
        "show showed shown side significant similar simple simply since single size small some somehow "
        "someone something "
        "sort specific standard start started state stated stay still stop studied studies study sure "
        "suggest summary "
        "suppose take taken takes talk tell term test tested tests than thanks themselves thing things think thought "
        "time times together told took total touch treat tried true trust try trying turn two type under "
        "understand up "
        "use used useful using usual usually value values various want wanted way ways well went whether whole why "
        "wonder wondering word words work worked working world worried worry worse worth would write wrong "
        "yes yet hi "
        "hello ok okay please thx pls author authors figure interval per exact overall across within without "
        "baseline "
        "participants subjects sample samples reader readers article trial little ones guys folks actual "
        "down husband wife daughter son company declared numeric percent percentage site sites score "
        "vs off alone proportion incidence status often again early earlier sooner during top second through past now "
        "older younger bigger quicker manage prevent raise none round odd beforehand afterwards till concentration "
        "correlation association associated add lose lost because trouble stuff three danger gp nurse midwife doctor "
        "dietitian paediatrician pediatrician drafting draft writing piece guideline evidence table "
        "scores wk wks mg formal gets hers dear sorry tbh idk anyways nobody bothered checking noticed chance"
    )
)
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_PEOPLE = frozenset(term for forms in WHO.values() for form in forms for term in terms(form))


def missing_terms(question: str, study: Study) -> str:
    """Return the words of a question that name what the study never mentions, or "" where all of them occur.

    Neighbouring words stay together; at most two such stretches are named.
    """
    known = {term for source in study.sources for term in terms(source.text)} | set(terms(study.title))
    known |= {term.replace("iz", "is") for term in known} | {term.replace("is", "iz") for term in known}
    known |= {term for finding in study.findings for name in names(finding.who) for term in terms(name)}
    stretches: list[tuple[int, int]] = []
    for word in _WORD.finditer(question):
        stems = terms(word[0])
        if (
            not stems
            or word[0][0].isdigit()
            or (len(word[0]) < 4 and word[0].islower())
            or all(s in known or s in _GENERAL or s in _PEOPLE for s in stems)
        ):
            continue
        if stretches and not question[stretches[-1][1] : word.start()].strip():
            stretches[-1] = (stretches[-1][0], word.end())
        else:
            stretches.append((word.start(), word.end()))
    named = [re.sub(r"['’]s$", "", question[start:end]) for start, end in stretches[:2]]
    return " or ".join(dict.fromkeys(named))


def suggestions(study: Study) -> tuple[str, ...]:
    """Return questions that the study answers, from its findings and its sections."""
    return tuple(dict.fromkeys(_suggested(study)))[:MOST_SUGGESTIONS]


def _suggested(study: Study) -> Iterable[str]:
    level = next((f for f in study.findings if f.value is not None and f.unit and f.statistic != "count"), None)
    if level:
        who = {"milk": "breast milk"}.get(
            level.who, f"the {names(level.who)[1] if len(names(level.who)) > 1 else level.who}"
        )
        place = f" in {level.cohort}" if level.cohort else ""
        yield f"What was the {level.measure} level of {who}{place}?"
    titles = [section.title.lower() for source in study.sources for section in source.sections]
    for pattern, asked in (
        (r"who was|study details|design|participants|methods", "Who took part in the study?"),
        (r"limitation", "What are the study’s limitations?"),
        (r"found|findings|results", "What did the study find?"),
    ):
        if any(re.search(pattern, title) for title in titles):
            yield asked
