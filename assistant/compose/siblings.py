"""A sentence about one of the compared groups → the sentence beside it that says the same of the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assistant.lexical import terms
from assistant.records import Section, Sentence, Study
from assistant.vocabulary import cohort_pattern, named_cohorts

_ALIKE = 0.5
"""Least share of the shorter sentence's terms, groups left out, that the other one has too."""


def with_sibling(group: Sequence[Sentence], question: str, study: Study) -> tuple[Sentence, ...]:
    """Return the sentences in the source's order with a sibling beside them, or as they are where there is none.

    "The Canadian group was assessed at 8 weeks" answers half of "when were the samples taken?"; a question that names
    a group itself is answered for that group.
    """
    group = tuple(group)
    patterns = [cohort_pattern(finding.cohort, study) for finding in study.findings if finding.cohort]

    def content(text: str) -> set[str]:
        for pattern in dict.fromkeys(patterns):
            text = pattern.sub(" ", text)
        return {term for term in terms(text) if not term[0].isdigit()}

    own = named_cohorts(" ".join(sentence.text for sentence in group), study)
    if named_cohorts(question, study) or len(own) != 1:
        return group
    said = content(group[-1].text)
    for beside in _beside(group, study):
        other = content(beside.text)
        alike = len(said & other) >= _ALIKE * max(1, min(len(said), len(other)))
        about = named_cohorts(beside.text, study)
        if beside.tells and alike and len(said & other) > 1 and about and not about & own:
            return tuple(sorted((*group, beside), key=lambda sentence: sentence.start))
    return group


def _beside(group: Sequence[Sentence], study: Study) -> Iterator[Sentence]:
    """Yield the sentences right before and after, in the same section."""
    for section in _sections(study):
        if group[0] in section.sentences and group[-1] in section.sentences:
            first, last = section.sentences.index(group[0]), section.sentences.index(group[-1])
            yield from section.sentences[last + 1 : last + 2]
            yield from section.sentences[max(0, first - 1) : first]


def _sections(study: Study) -> Iterator[Section]:
    for source in study.sources:
        yield from source.sections
