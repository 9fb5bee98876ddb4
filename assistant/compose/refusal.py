"""What a refusal says: what is missing, in the reader's own words, and what can be asked instead."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from assistant.lexical import terms
from assistant.records import Study
from assistant.vocabulary import WHO, cohort_pattern, names

MOST_SUGGESTIONS = 3
# Words that carry a question but are never what it asks for.
_GENERAL = frozenset(
    terms(
        "able about below account across actually affect after age aged all already also always amount another "
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
        "didnt doesnt wasnt werent isnt arent cant wont havent hasnt dont couldnt wouldnt ive im thats whats "
        "vs off alone proportion incidence status often again early earlier sooner during top second through past now "
        "older younger bigger quicker manage prevent raise none round odd beforehand afterwards till concentration "
        "correlation association associated add lose lost because trouble stuff three danger gp nurse midwife doctor "
        "dietitian paediatrician pediatrician drafting draft writing piece guideline evidence table "
        "scores wk wks mg formal gets hers dear sorry tbh idk anyways nobody bothered checking noticed chance "
        "earth sister brother aunt uncle cousin niece nephew granny grandma grandad grandmother grandfather "
        "friend friends mate neighbour neighbor colleague partner boss teacher pal lady ladies gentlemen "
        "library email sent whatever somewhere anywhere somehow plate journal club presentation lecture "
        "class exam catch caught receive received daily weekly registrar consultant trainee curious wondered"
    )
)
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_NAME = re.compile(r"[A-Z][a-z]{2,}(?:[-'’][A-Za-z]+)*")
_NAMES = re.compile(rf"{_NAME.pattern}(?: {_NAME.pattern})*")
_CODE = re.compile(
    r"[a-z]{2,}[A-Z]{1,3}\d*|[A-Z][a-z]+[A-Z]\w*"
    r"|(?!(?:RCT|BMI|SDS?|IQR|NHS|USA|WHO|DOI|PMID|FAQ|PDF|URL|TLDR|AUC|CIS?|NICU|ASAP|LOL|TBH|NOT|AND|ANY|ALL|THE)\b)"
    r"[A-Z]{3,5}\d*"
)
"""Names as laboratories write them: "holoTC", "HbA", "MCV"; general abbreviations are none."""
_CHOICE = re.compile(
    r"^\W*(?:was it |is it |were (?:they"
    r"|these) )?([\w-]+(?: [\w-]+)?),? or ([\w-]+(?: [\w-]+)?)\W*$",
    re.I,
)
_VITAMIN = re.compile(r"\bvitamin [a-ek]\d{0,2}\b", re.I)
_CALENDAR = frozenset(
    terms(
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
        "september october november december christmas google facebook instagram internet pubmed english doctor "
        "vitamin"
    )
)
_PEOPLE = frozenset(term for forms in WHO.values() for form in forms for term in terms(form))


def missing_terms(question: str, study: Study) -> str:
    """Return the words of a question that name what the study never mentions, or "" where all of them occur.

    Neighbouring words stay together; at most two such stretches are named.
    """
    known = _known(study)
    stretches: list[tuple[int, int]] = []
    for word in _WORD.finditer(question):
        stems = terms(word[0])
        if (
            not stems
            or word[0][0].isdigit()
            or (len(word[0]) < 4 and word[0].islower())
            or all(s in known or s in _GENERAL or s in _PEOPLE for s in stems)
            or (word[0][0].isupper() and _shortened(word[0], study))
        ):
            continue
        if stretches and not question[stretches[-1][1] : word.start()].strip():
            stretches[-1] = (stretches[-1][0], word.end())
        else:
            stretches.append((word.start(), word.end()))
    named = [re.sub(r"['’]s$", "", question[start:end]) for start, end in stretches[:2]]
    return " or ".join(dict.fromkeys(named))


def missing_name(question: str, study: Study) -> str:
    """Return a name, code, vitamin or choice ("foremilk or hindmilk?") that the study never mentions, or "".

    Names have no other words for them: a sentence that lacks "holoTC" or "Vietnamese" tells nothing of it, however
    much it looks like an answer. A question that is mostly in capitals has no names that could be told.
    """
    words = list(_WORD.finditer(question))
    capitals = [word for word in words if word[0][0].isupper()]
    if len(words) > 3 and 2 * len(capitals) > len(words):
        return ""
    known = _known(study)
    if (choice := _CHOICE.match(question)) and not set(terms(" ".join(choice.groups()))) & (known | _GENERAL | _PEOPLE):
        return " or ".join(choice.groups())
    for word in words:
        opens = not question[: word.start()].strip(" \"'“‘(") or question[: word.start()].rstrip()[-1:] in ".?!:;"
        own = re.search(r"\b(?:i|i['’]m|my|our|we)\b[^,.;:?!]*$", question[: word.start()], re.I)  # "we are from Oslo"
        named = (_NAME.fullmatch(word[0]) and not opens and not own) or _CODE.fullmatch(word[0])
        if named and not set(terms(word[0])) & (known | _GENERAL | _PEOPLE | _CALENDAR):
            if not _shortened(word[0], study):
                run = _NAMES.match(question, word.start())
                return run[0] if run else word[0]
    text = " ".join(source.text for source in study.sources).lower()
    vitamins = (match[0] for match in _VITAMIN.finditer(question))
    return next((name for name in vitamins if not re.search(rf"\b{re.escape(name.lower())}\b", text)), "")


def codes(text: str) -> frozenset[str]:
    """Return the codes of a text ("holoTC", "DHA"); general abbreviations are none."""
    return frozenset(word for word in _WORD.findall(text) if _CODE.fullmatch(word))


def _shortened(word: str, study: Study) -> bool:
    """Return whether a name is another or a shorter one for what a source does name."""
    return _shortens_a_cohort(word, study) or _spelled_out(word, study)


def _shortens_a_cohort(word: str, study: Study) -> bool:
    """Return whether a name stands for a cohort ("Canadian") or begins one's name ("Camb")."""
    cohorts = {finding.cohort for finding in study.findings if finding.cohort}
    begins = any(cohort.lower().startswith(word.lower()) for cohort in cohorts)
    return begins or any(cohort_pattern(cohort, study).search(word) for cohort in cohorts)


def _spelled_out(code: str, study: Study) -> bool:
    """Return whether a source spells out what a code of three letters or more is short for ("animal-source food")."""
    if not re.fullmatch(r"[A-Z]{3,5}", code):
        return False
    pattern = re.compile(r"\b" + r"[\s-]+".join(rf"{letter}\w+" for letter in code), re.I)
    return any(pattern.search(source.text) for source in study.sources)


def _known(study: Study) -> frozenset[str]:
    """Return the stems of all that a study's sources say, in both spellings, and of what those studied are called."""
    return _stems(
        (study.title, *(source.text for source in study.sources)),
        tuple(name for finding in study.findings for name in names(finding.who)),
    )


@functools.lru_cache(64)
def _stems(texts: tuple[str, ...], people: tuple[str, ...]) -> frozenset[str]:
    known = {term for text in texts for term in terms(text)}
    known |= {term.replace("iz", "is") for term in known} | {term.replace("is", "iz") for term in known}
    return frozenset(known | {term for name in people for term in terms(name)})


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
