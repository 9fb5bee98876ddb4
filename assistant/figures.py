"""Which findings a question asks about; conservative, so that a question about anything else matches none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.records import Finding, Study
from assistant.vocabulary import WHO, Kind, cohort_pattern, kind, named_who, names, stem, stems, words


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks of a study's findings; false where it asks for none of them.

    Attributes:
        findings: The rows, of every source that was not ruled out, in the study's order.
        who: The `who` that it names, or ().
        cohorts: The cohorts that it names, or () for all.
        sources: The sources that it names, or () for all.
        wants: Of "n", "interval" and "p", what it asks for beside the figure.
    """

    findings: tuple[Finding, ...] = ()
    who: tuple[str, ...] = ()
    cohorts: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether it asks for any finding."""
        return bool(self.findings)

    def of(self, *sources: str) -> tuple[Finding, ...]:
        """Return the findings of these sources."""
        return tuple(finding for finding in self.findings if finding.source in sources)


NOTHING = Asked()

_POLITE = re.compile(
    r"\b(?:please|pls|(?:can|could|would|will) (?:you|u)(?: please| just)?|(?:just )?(?:tell|show|give|remind) me"
    r"|i (?:would like|want) to know|i(?:'m| am) looking for|as (?:given|stated|reported))\b",
    re.I,
)
_NEEDS = re.compile(r"^\W*i (?:just )?(?:need|want) (?=(?:the|all|both)\b)", re.I)
_PAPER = r"(?:paper|abstract|article|publication|publications|journal|pubmed|manuscript|authors(?= \w))"
_PAGE = r"(?:(?:web ?)?(?:page|site)|summary|study page)"
_PAPER_ASKED = re.compile(
    rf"\b(?:{_PAPER} )?(?:actually |really )?publish(?:ed)?"
    r"(?: (?:paper|abstract|record|study|article|version))?\b"
    rf"|(?<!many )\b{_PAPER}\b",
    re.I,
)
_PAGE_ASKED = re.compile(rf"\b{_PAGE}\b", re.I)
_INTERVAL = re.compile(r"\b(?:\d{2}\s?%?\s?)?(?:confidence (?:interval|limit)s?|CIs?\b|intervals?\b)", re.I)
_P = re.compile(r"\bp(?:[- ]?values?)?\b(?!/)|\b(?:statistical(?:ly)? )?significan(?:t|ce)\b", re.I)
_N = re.compile(r"\bsample sizes?\b|\bhow many\b|\b(?:number|count) of\b|\bn\b", re.I)
_CORRELATION = re.compile(
    r"\b(?:(?:cor)?relat(?:ed|ions?|ionships?|es?)|correlat\w*|associat\w*|link(?:s|ed)?|connect\w*|"
    r"(?:rho|r)(?:[- ]values?)?|coefficients?)\b",
    re.I,
)
_SHARE = re.compile(r"%|\bper ?cent(?:ages?)?\b|\b(?:proportion|share|fraction|rate)s?\b", re.I)
# "The mean", "mean B12"; not "what do the levels mean for my baby".
_AVERAGE = re.compile(
    r"\b(?P<name>geometric means?|medians?|averages?|(?<=the )means?"
    r"|means?(?= (?!for|that|to|by|when|if|in|here)\w))\b",
    re.I,
)
# Who is counted; "how many sites", "how many samples" count something else.
_COUNTED = re.compile(
    r"\b(?:participants?|subjects?|people|families|sample sizes?|n|how many (?:were|was|did|took|are)|participated)\b",
    re.I,
)
_UNCOUNTED = re.compile(
    r"\b(?:how many|(?:number|count) of)(?: (?!in\b|per\b|at\b|from\b|each\b)\w+){0,3}?"
    r" (?:samples?|sites?|arms?|groups?|cohorts?|countries|places|studies)\b",
    re.I,
)
_LEVEL = re.compile(
    r"\b(?:levels?|concentrations?|values?|amounts?|figures?|numbers?|results?|status|compar\w+|differ\w*|"
    r"how (?:much|high|low|long|great)|(?:high|low|great)(?:er|est)|"
    r"was|were|did|had|more|less|most|least)\b",
    re.I,
)
_FILLER = frozenset(
    stem(word)
    for word in (
        "a an the this that these those two three of in on at by to for from with and or but between than versus vs "
        "as per each both any all anyone anybody everyone there here it its they their them what which who how where "
        "was were is are be been did do does had have has much many more less most least higher lower highest lowest "
        "greater greatest bigger smaller "
        "level levels concentration concentrations value values amount amounts figure figures number numbers "
        "result results status count compare compared comparing comparison differ differed different difference "
        "average "
        "study studies according accord report reported reports say says said state stated list find found "
        "measure measured measurement observe observed see seen show shown showed group groups cohort cohorts "
        "site sites arm arms country countries place people participant participants subject subjects "
        "all everything u respectively exact exactly precise actual typical sample samples total overall "
        "studied included enrolled part only just "
        "ones join joined reading readings typical usual actually really come came out over "
        "overall end ended up sit sat "
        "took participated serum plasma blood breast breastfed breastfeeding human circulating data so about"
    ).split()
)
_OF_STATES = frozenset(
    stem(word) for word in "take took taken get got receive received use used give gave given".split()
)
_OF_STRENGTH = frozenset(
    stem(word) for word in "strong stronger strongest weak weaker weakest strength no other".split()
)
_SYNONYMS = {stem("enough"): stem("sufficient"), stem("adequate"): stem("sufficient"), "suppl": stem("supplement")}
_HOW = re.compile(r"\bhow (?:much|many|high|low|long|great|big|large|strong)\b", re.I)
_HOW_DONE = re.compile(
    r"\bhow (?:was|were|is|are|did (?:they|the \w+)|do (?:they|you))\b.{0,60}?"
    r"\b(?:measur|assess|determin|analy[sz]|assay|collect|tak(?:e|en)\b|test|obtain|calculat|defin|quantif)",
    re.I,
)
_WHAT_DOES = re.compile(r"\bwhat (?:does|do|can|would|did)\b.{0,40}\bdo\b|\bwhat(?:['’]?s| is)\b.{0,30}\bfor\W*$", re.I)
_OF_ONE = re.compile(
    r"\b(?:highest|lowest|max(?:imum)?|min(?:imum)?|most|least)\b[^?.]*"
    r"\b(?:any|single|individual) (?!group|place|countr)",
    re.I,
)
"""The greatest or the least of single persons, which an average doesn't tell."""
_FIGURES = re.compile(
    r"\b(?:levels?|concentrations?|values?|readings?|figures|numbers)\b(?! of)|\b(?:come|came) out\b", re.I
)
_MOTHERS = "|".join(map(re.escape, WHO["mother"]))
_HER_MILK = re.compile(
    rf"\b(?:{_MOTHERS})(?:['’]s?)? (?:own )?(?=(?:breast ?)?milk\b)"
    rf"|(?<=milk) (?:of|from|in)(?: the)?\s+(?:{_MOTHERS})\b",
    re.I,
)
_BLOOD = re.compile(r"\b(?:serum|plasma|blood|circulating)\b", re.I)


def matching(question: str, study: Study) -> Asked:
    """Return which of a study's findings a question asks about.

    Every word of the question must be accounted for, by the study's own words for measures, groups and who was
    studied, or by the everyday words in which figures are asked for; one that isn't, and nothing is matched.
    """
    if _HOW_DONE.search(question) or _WHAT_DOES.search(question) or _OF_ONE.search(question):
        return NOTHING
    rest = _POLITE.sub(" ", _NEEDS.sub(" ", question))
    sources = sources_named(rest, study)
    rest = _PAGE_ASKED.sub(" ", _PAPER_ASKED.sub(" ", rest))
    cohorts, rest = _cohorts(rest, study)
    wants = tuple(name for name, cue in (("interval", _INTERVAL), ("p", _P), ("n", _N)) if cue.search(rest))
    average = _AVERAGE.search(rest)
    correlation, share = bool(_CORRELATION.search(rest)), bool(_SHARE.search(_INTERVAL.sub(" ", rest)))
    cued = bool(_LEVEL.search(rest) or average or wants or correlation or share or cohorts)
    blood = bool(_BLOOD.search(rest))
    for cue in (_INTERVAL, _P, _N, _CORRELATION, _SHARE, _AVERAGE, _HOW):
        rest = cue.sub(" ", rest)
    rest = _HER_MILK.sub(" ", " ".join(rest.split()))
    rest = _without_units(rest, study)
    everyone = tuple(dict.fromkeys((*(f.who for f in study.findings), "mother", "milk", "infant", "dyad")))
    who = named_who(rest, everyone)
    left = _left(rest, who)
    # Words that name a measure, in the measures' own words.
    measured = {f.measure: _measure_stems(f, everyone) for f in study.findings}
    named = {word for word in left if any(word in known for known in measured.values())}
    of_levels = {word for f in study.findings if kind(f) == "level" for word in measured[f.measure]}
    wanted = _kind(study, measured, named - of_levels, correlation, share, bool(_N.search(question)))
    unknown = set(left) - named
    if wanted == "correlation":
        unknown -= _OF_STRENGTH
    if wanted == "state":
        unknown -= _OF_STATES
    if wanted == "count" and (_UNCOUNTED.search(question) or not (who or _COUNTED.search(question))):
        return NOTHING
    if unknown or not (cued or who):
        return NOTHING
    found = [f for f in study.findings if kind(f) == wanted and named <= measured[f.measure]]
    found = _who_asked(found, wanted, who, blood)
    found = [f for f in found if not cohorts or f.cohort in cohorts]
    found = [f for f in found if not sources or f.source in sources]
    if average and wanted == "level":
        found = [f for f in found if _is_average(f, average["name"].lower())]
    if "interval" in wants:
        found = [f for f in found if f.low is not None]
    if "p" in wants:
        found = [f for f in found if f.p]
    exact = [f for f in found if measured[f.measure] == named]
    measures = {f.measure for f in exact or found}
    ambiguous = len(measures) > 1 and wanted == "level"
    told = named or average or (who and (wants or _FIGURES.search(question)))
    if not found or ambiguous or (wanted == "level" and not told):
        return NOTHING
    return Asked(tuple(exact or found), who, cohorts, sources, wants)


def sources_named(question: str, study: Study) -> tuple[str, ...]:
    """Return the sources that a question names, () where it names none or both sides."""
    paper, page = bool(_PAPER_ASKED.search(question)), bool(_PAGE_ASKED.search(question))
    if paper == page:
        return ()
    return tuple(source.name for source in study.sources if (source.name == "published") == paper)


def _cohorts(question: str, study: Study) -> tuple[tuple[str, ...], str]:
    """Return the cohorts that a question names, and the question without them."""
    found = []
    rest = question
    for cohort in dict.fromkeys(f.cohort for f in study.findings if f.cohort):
        pattern = cohort_pattern(cohort, study)
        if pattern.search(question):
            found.append(cohort)
            parts = words(cohort)
            # Of "the low and high dose" only the group's own words go: what stands between them may matter.
            rest = re.sub(
                rf"\b(?:{'|'.join(map(re.escape, parts))})s?\b",
                " ",
                pattern.sub(_keep_between(parts), rest),
                flags=re.I,
            )
    return tuple(found), rest


def _keep_between(parts: Sequence[str]) -> str:
    """Return what replaces a cohort's name: nothing for one word; its match stays for several, to lose them singly."""
    return " " if len(parts) == 1 else r"\g<0>"


def _without_units(text: str, study: Study) -> str:
    """Return a text without the units of the study's findings."""
    for unit in sorted({f.unit for f in study.findings if f.unit and "/" in f.unit}, key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(unit)}(?!\w)", " ", text, flags=re.I)
    return text


def _left(text: str, who: Iterable[str]) -> list[str]:
    """Return the stems of a question that neither name who was studied nor are everyday words of asking."""
    flat = " ".join(words(text))
    for name in (*who, "dyad"):
        flat = re.sub(rf"\b(?:{'|'.join(map(re.escape, names(name)))})\b", " ", flat)
    found = (_SYNONYMS.get(word, word) for word in stems(flat))
    return [word for word in found if word not in _FILLER]


def _measure_stems(finding: Finding, everyone: Iterable[str]) -> frozenset[str]:
    """Return the words that tell a measure from others; whom it was measured in, cut-offs and kind words left out."""
    text = re.sub(r"\([^)]*\)", " ", finding.measure)
    people = {stem(word) for who in everyone for name in names(who) for word in name.split()}
    return frozenset(set(stems(_CORRELATION.sub(" ", text))) - people - _FILLER)


def _kind(
    study: Study, measured: dict[str, frozenset[str]], own: set[str], correlation: bool, share: bool, counting: bool
) -> Kind:
    """Return which kind of finding is asked for; `own` are named words that belong to no measure of levels."""
    if correlation:
        return "correlation"
    owners = {kind(f) for f in study.findings if own and own <= measured[f.measure] and kind(f) != "correlation"}
    if share or owners == {"percent"}:
        return "percent"
    if owners == {"state"} and not counting:
        return "state"
    return "count" if counting else "level"


def _who_asked(found: Sequence[Finding], wanted: Kind, who: tuple[str, ...], blood: bool) -> list[Finding]:
    """Return the findings in whom the question asks about; a pair of people for a correlation, all for a head count."""
    if wanted == "correlation":
        people = {f: set(named_who(f.measure, ("mother", "milk", "infant"))) for f in found}
        asked = {name for name in who if name in {"mother", "milk", "infant"}}
        return [f for f in found if asked <= people[f] or not people[f]]
    if wanted == "count":
        return [] if "milk" in who else [f for f in found if not who or f.who in (*who, "dyad")]
    people_asked = tuple(name for name in who if name != "dyad")
    return [f for f in found if f.who in people_asked or (not people_asked and not (blood and f.who == "milk"))]


def _is_average(finding: Finding, name: str) -> bool:
    """Return whether a finding is the average asked for; one whose kind isn't named may be."""
    name = name.rstrip("s")
    unnamed = not finding.statistic and " " not in name
    return name == "average" or unnamed or finding.statistic.endswith(name)
