"""Do the cited sentences support this statement? What `verify` doesn't ask, since only a model's words need it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from assistant import contrasts, verify
from assistant.compose import Draft
from assistant.contrasts import Groups
from assistant.evidence import Evidence
from assistant.lexical import terms
from assistant.numerals import numbers
from assistant.records import Sentence, Study
from assistant.translation import translation_faults
from assistant.vocabulary import WHO, cohort_pattern, named_who, names

Kind = Literal[
    "numbers", "quotes", "markup", "figures", "direction", "denial", "significance", "who", "cohort", "names", "claims",
    "words", "evidence", "translation",
]  # fmt: skip
FLOOR = 0.5
"""Least probability, by the evidence model, that the cited sentences bear the statement out."""
UNBACKED = 0.0
"""Share of a statement's content words, everyday ones aside, that its cited sentences may lack: none. One word is
enough to say too much ("higher B12 and folate")."""
_MARKUP = re.compile(
    r"[<>{}`|\\]|https?:|www\.|\]\(|!\[|\*\*|^\s*#|[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]"
)
# Words that make a claim of their own: whoever says them must have them from the source.
_CLAIMS = frozenset(
    terms(
        "cause causes caused because due prevent prevents cure cures treat treats treatment protect protects improve "
        "improves improved harm harmful safe safely safety danger dangerous risk risks recommend recommendation must "
        "need needs needed ensure dose dosage doses proves proven guarantee always never only every best optimal "
        "effective benefit benefits beneficial deficiency deficient toxic warning consult prescribe randomized trial "
        "placebo supplement supplements supplementation take daily"
    )
) | {"should"}
_PLAIN = frozenset(
    terms(
        "study studies researcher researchers scientists found find finding findings show shows showed shown report "
        "reports reported see seen saw look looked level levels amount amounts concentration concentrations measure "
        "measured value values compared comparison group groups people participants there result results also while "
        "called known means mean say says said whose country countries include included including overall respectively "
        "s vs versus n p one two both same different average averaged averages typical typically against next each "
        "part lived living live place places got gets given give gives gave go went come came made make makes used use "
        "using uses time times during since once taken collected sample samples checked check test tested "
        "tests carried "
        "done work worked based according example such like also another others respectively among within across "
        "under over around roughly nearly almost exactly just around total altogether number numbers figure figures "
        "no not nor none never neither without cannot comparing contrast differ differed differs difference "
        "differences similarly unlike instead rather "
        "however though although moreover further furthermore addition additionally tended tend amounted stood came "
        "versus respective corresponding seen noted note describes described describe observed observe recorded"
    )
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a statement isn't shown: the kind, for counting, and the owner's explanation."""

    kind: Kind
    why: str


class Support:
    """Judges what a model wrote from a study's sentences.

    Args:
        study: Whose cohorts and figures they are.
        evidence: Says how likely sentences bear a statement out.
        floor: Least such probability.
    """

    def __init__(self, study: Study, evidence: Evidence, floor: float = FLOOR) -> None:
        self._study = study
        self._evidence = evidence
        self._floor = floor
        cohorts = dict.fromkeys(finding.cohort for finding in study.findings if finding.cohort)
        self._cohorts = {cohort: cohort_pattern(cohort, study) for cohort in cohorts}
        self._whos = dict.fromkeys((*WHO, *(finding.who for finding in study.findings if finding.who)))
        self._owners = _owners(study)
        self._vocabulary = {stem for sentence in study.sentences for stem in terms(sentence.in_context)} | _PLAIN

    def holding(self, drafts: Iterable[Draft], count: Callable[[str], None] = lambda name: None) -> Iterator[Draft]:
        """Yield the drafts without fault, each as soon as it is judged.

        Args:
            drafts: What a model wrote.
            count: Told `verified` or `dropped.<kind>` for each draft.
        """
        for draft in drafts:
            found = self.faults(draft)
            count(f"dropped.{found[0].kind}" if found else "verified")
            if not found:
                yield draft

    def faults(self, draft: Draft) -> list[Fault]:
        """Return why a draft can't be shown, `verify.faults` included; nothing where it can. Cheap checks first."""
        found = [Fault("markup", "has markup, a link or hidden characters")] if _MARKUP.search(draft.text) else []
        if draft.language != "en":
            reasons = translation_faults(draft.text, draft.english, draft.language, tuple(self._cohorts))
            found += [Fault("translation", reason) for reason in reasons]
        english = Draft(draft.english or draft.text, draft.cites, draft.computed)
        found += [
            Fault("quotes" if "stand in" in why and "quote" in why.split()[:2] else "numbers", why)
            for why in verify.faults(english, self._study)
        ]
        quotes = [sentence.in_context for sentence in draft.cites]
        found = found or self.disagreements(english.text, draft.cites)
        found = found or unbacked(english.text, quotes, self._cohorts, self._implied(quotes))
        if not found:
            bears = max(self._evidence.judge(english.text, quotes).sentences, default=0.0)
            if bears < self._floor:
                found = [
                    Fault("evidence", f"the cited sentences bear it out with {bears:.2f}, under {self._floor:.2f}")
                ]
        return found

    def disagreements(self, text: str, cites: Sequence[Sentence]) -> list[Fault]:
        """Return where a text and its cited sentences differ on groups, figures, directions or denials."""
        quotes = [sentence.in_context for sentence in cites]
        found = disagreements(text, quotes, self._cohorts, self._implied(quotes))
        whos: Groups = {who: re.compile(rf"\b(?:{'|'.join(map(re.escape, names(who)))})\b", re.I) for who in self._whos}
        for kind, groups in (("cohort", self._cohorts), ("who", whos)):
            for value, name in contrasts.whose(text, {k: v for k, v in groups.items() if k != "dyad"}):
                whose = self._owners.get((kind, value), ())
                if whose and name not in whose and "dyad" not in whose:
                    found.append(Fault("figures", f"gives {value} to {name}, whose it isn't"))
        found += [
            Fault("who", f"speaks of {who}, of whom no cited sentence speaks")
            for who in named_who(text, self._whos)
            if not named_who(" ".join(quotes), [who])
            and not (who == "dyad" or "dyad" in named_who(" ".join(quotes), ["dyad"]))
        ]
        given = {word.casefold() for quote in quotes for word in re.findall(r"[^\W_]+", quote)}
        for match in re.finditer(r"\b[A-Z][^\W_]+", text):
            word = match[0].casefold()
            opens = match.start() == 0 or text[: match.start()].rstrip().endswith((".", "!", "?", ":"))
            if word in given or any(pattern.search(match[0]) for pattern in self._cohorts.values()):
                continue
            if not opens or not set(terms(word)) <= self._vocabulary:
                found.append(Fault("names", f"says {match[0]!r}, which no cited sentence says"))
        return found

    def _implied(self, quotes: Sequence[str]) -> set[str]:
        """Return whose figures the quotes give: "lower in Cambodia (148 vs. 347)" speaks of Canada, whose 347 it is."""
        owners = [self._owners.get(("cohort", number.value), ()) for quote in quotes for number in numbers(quote)]
        return {cohort for every in owners if len(every) == 1 for cohort in every}


def disagreements(text: str, quotes: Sequence[str], groups: Groups, implied: Collection[str] = ()) -> list[Fault]:
    """Return where a text and its quotes differ; what needs no study.

    Args:
        text: The statement.
        quotes: What it cites.
        groups: What finds those that are compared.
        implied: Groups that the quotes speak of without naming them.
    """
    found = []
    together = " ".join(quotes)
    for name, pattern in groups.items():
        if pattern.search(text) and not pattern.search(together) and name not in implied:
            found.append(Fault("cohort", f"speaks of {name}, of which no cited sentence speaks"))
    said, given = (
        contrasts.leaders(text, groups),
        frozenset[str]().union(*(contrasts.leaders(q, groups) for q in quotes)),
    )
    if given and said - given:
        found.append(Fault("direction", f"says that {', '.join(sorted(said - given))} has more, which is turned round"))
    denied: dict[str, set[bool]] = {}
    for quote in quotes:
        for name, values in contrasts.denials(quote, groups).items():
            denied.setdefault(name, set()).update(values)
    for name, values in contrasts.denials(text, groups).items():
        if name in denied and not values <= denied[name]:
            found.append(Fault("denial", f"denies of {name} what is affirmed, or the other way round"))
    if contrasts.turned(text, quotes):
        found.append(Fault("denial", "affirms what its source denies, or the other way round"))
    claimed = contrasts.significance(text)
    if claimed - frozenset[bool]().union(*(contrasts.significance(quote) for quote in quotes)):
        found.append(Fault("significance", "says of significance what no cited sentence says"))
    return found


def unbacked(
    text: str, quotes: Sequence[str], groups: Groups, implied: Collection[str] = (), spare: float = UNBACKED
) -> list[Fault]:
    """Return what a text says beyond its quotes: claims of its own, or more than a share of words they don't have."""
    backed = _stems(" ".join((*quotes, *implied)), groups)
    backed |= {wide for narrow, wide in _IMPLIES.items() if narrow in backed}
    own = _stems(text, groups)
    found = [
        Fault("claims", f"says {word!r}, which no cited sentence says") for word in sorted((own & _CLAIMS) - backed)
    ]
    if re.search(r"\bshould\b", text, re.I) and not re.search(r"\bshould\b", " ".join(quotes), re.I):
        found.append(Fault("claims", "says 'should', which no cited sentence says"))
    words = own - _PLAIN
    new = words - backed
    if len(new) > spare * len(words):
        found.append(Fault("words", f"says {', '.join(sorted(new)[:4])}, beyond the cited sentences"))
    return found


def coverage(text: str, quotes: Sequence[str]) -> float:
    """Return the share of a text's content words that its quotes have, in [0, 1]."""
    own = _stems(text, {}) - _PLAIN
    return len(own & _stems(" ".join(quotes), {})) / len(own) if own else 1.0


def _stems(text: str, groups: Groups) -> set[str]:
    """Return the content stems of a text, groups by their names and those who are studied by one word each."""
    for name, pattern in groups.items():
        text = pattern.sub(f" {name} ", text)
    text = re.sub(r"\d[\d.,]*", " ", text)
    return {_ONE_WORD.get(stem, stem) for stem in terms(text)}


_IMPLIES = {"serum": "blood", "plasma": "blood", "median": "middl", "pregnanc": "pregnant"}
"""A stem that a source has, and a wider one that a statement may then use."""
_ONE_WORD = {stem: who for who, every in WHO.items() for word in every for stem in terms(word)} | {
    stem: "nursing" for stem in terms("breastfeeding nursing lactation lactating")
}


def _owners(study: Study) -> dict[tuple[str, Decimal], Collection[str]]:
    """Return for each figure the cohorts, and those studied, that any source gives it to."""
    found: dict[tuple[str, Decimal], set[str]] = {}
    for finding in study.findings:
        for value in (finding.value, finding.low, finding.high, finding.n):
            if value is None:
                continue
            number = next(numbers(format(abs(value), "g")), None)
            if number and finding.cohort:
                found.setdefault(("cohort", number.value), set()).add(finding.cohort)
            if number and finding.who:
                found.setdefault(("who", number.value), set()).add(finding.who)
    return {key: frozenset(value) for key, value in found.items()}
