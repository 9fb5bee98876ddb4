"""The fixed texts that readers see, from `prompts/messages.toml`."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from assistant.errors import PromptError
from assistant.records import AUDIENCES


class Messages:
    """Fixed texts by dotted key; a text that differs by audience is a table with `parent` and `clinician`.

    Raises:
        PromptError: A text for one audience has no twin for the other, or is neither text nor list of texts.
    """

    def __init__(self, texts: Mapping[str, Any], source: str = "messages.toml") -> None:
        self._source = source
        self._texts = dict(_flatten(texts))
        for key, value in self._texts.items():
            stem, _, last = key.rpartition(".")
            for audience in AUDIENCES:
                if last in AUDIENCES and f"{stem}.{audience}" not in self._texts:
                    raise PromptError(f"{source}: {stem}.{audience} is missing beside {key}; add it")
            if not isinstance(value, str) and not (
                isinstance(value, list) and all(isinstance(item, str) for item in value)
            ):
                raise PromptError(f"{source}: {key} is {value!r}, expected a text or a list of texts")

    @classmethod
    def load(cls, folder: Path) -> Messages:
        """Return the texts of a prompts folder.

        Raises:
            PromptError: The file is missing, is not TOML, or lacks a text that the package uses.
        """
        path = folder / "messages.toml"
        try:
            messages = cls(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
            raise PromptError(f"{path}: cannot be read ({exc}); restore it or set ASSISTANT_PROMPTS") from exc
        for key, names in REQUIRED.items():
            for audience in AUDIENCES:
                found = messages._find(key, audience)
                for text in [found] if isinstance(found, str) else found:
                    messages._check_fields(key, text, names)
        return messages

    def say(self, key: str, audience: str = "parent", **values: object) -> str:
        """Return a text for an audience, its `{fields}` filled in.

        Raises:
            PromptError: The key is missing, or the text has a field that is not given.
        """
        text = self._find(key, audience)
        if not isinstance(text, str):
            raise PromptError(f"{self._source}: {key} is a list, expected one text")
        self._check_fields(key, text, values)
        return text.format(**values)

    def list(self, key: str, audience: str = "parent") -> tuple[str, ...]:
        """Return a list of texts for an audience.

        Raises:
            PromptError: The key is missing or is a single text.
        """
        found = self._find(key, audience)
        if isinstance(found, str):
            raise PromptError(f"{self._source}: {key} is one text, expected a list")
        return tuple(found)

    def notice(self, language: str) -> str:
        """Return what is said first to a question in another language: in that language where the file has it."""
        key = f"language.notice.{language}"
        return self.say(key if key in self._texts else "language.notice.en")

    def _check_fields(self, key: str, text: str, given: Collection[str]) -> None:
        try:
            used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        except ValueError as exc:
            raise PromptError(f"{self._source}: {key} has a brace too many or too few ({exc})") from exc
        unknown = used - set(given)
        if unknown:
            raise PromptError(f"{self._source}: {key} uses {{{', '.join(sorted(unknown))}}}, which is not given there")

    def _find(self, key: str, audience: str) -> Any:
        for candidate in (f"{key}.{audience}", key):
            if candidate in self._texts:
                return self._texts[candidate]
        raise PromptError(f"{self._source}: {key} is missing; add it, or restore the file")


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


_REQUIRED = """
urgent
advice.lead
advice.context
advice.nothing
chat.greeting
chat.thanks
chat.goodbye
chat.about title year
chat.other
off_topic
refusal.lead missing
refusal.unnamed
refusal.nearest
refusal.perhaps
refusal.also_missing missing
refusal.part part
sources.published
premise
confidence.high
confidence.medium
confidence.low
page.title
page.about journal title year
page.about_many count
page.placeholder
page.audience
page
page.question
page.study
page.all_studies
page.ask
page.stop
page.sources
page.examples
page.examples_list
page.asked_by
page.about_study.heading
page.about_study.heading_many
page.about_study.is
page.about_study.is_not
page.about_study.privacy
page.about_study.reference
page.about_study.licence licence
page.source.summary
page.source.technical
page.source.published
page.source.study
page.source.read
page.source.pubmed
page.source.doi
page.source.reading
page.source.close
page.source.passage
page.reply.working
page.reply.follow_ups
page.reply.figures
page.reply.chart
page.reply.copy
page.reply.copied
page.reply.helpful
page.reply.up
page.reply.down
page.reply.comment
page.reply.send
page.reply.thanks
page.reply.retry
page.reply.stopped
page.reply.cut
page.reply.cut_rating
page.reply.offline
page.reply.ready
page.conversation.name
page.conversation.export
page.conversation.clear
page.conversation.cleared
page.conversation.file
page.conversation.head
read.study
read.jump
read.note
read.nothing
read.no_study
read.no_source names
read.no_place length
read.no_words
web.rate_limited seconds
web.rate_limited_total seconds
web.busy seconds
web.too_long limit
web.empty
web.internal
web.unavailable
web.feedback_not_saved
figures.in_place cohort
figures.in_group cohort
figures.first subject value where
figures.further value where
figures.linked r
figures.not_linked r
figures.whose.mother
figures.whose.milk
figures.whose.infant
figures.whose.dyad
figures.whose.other who
figures.plural.mother
figures.plural.milk
figures.plural.infant
figures.plural.dyad
figures.plural.other who
conflicts.summary
conflicts.technical
conflicts.published
conflicts.side source values
conflicts.average value
conflicts.item page published subject
conflicts.notice items
conflicts.more count
conflicts.listing
conflicts.none
conflicts.one_sided
conflicts.subject_ranking measure
conflicts.ranking_by_r values where
conflicts.ranking_by_p values
conflicts.reason_statistic page published
conflicts.reason_unnamed named
conflicts.reason_value
conflicts.reason_count
conflicts.reason_percent
conflicts.reason_correlation
conflicts.reason_state
conflicts.reason_cut_off
conflicts.reason_ranking
arithmetic.in_who who
arithmetic.complement result subject value where
arithmetic.computed
arithmetic.ratio high high_where low low_where result subject
arithmetic.difference high high_where low low_where result subject
arithmetic.percent high high_where low low_where result subject
arithmetic.equal high high_where low low_where subject
arithmetic.above subject threshold value where
arithmetic.below subject threshold value where
arithmetic.same subject threshold value where
arithmetic.spans interval threshold
arithmetic.group
language.notice.en
language.notice.fr
language.notice.es
language.notice.km
"""
REQUIRED: Mapping[str, tuple[str, ...]] = {
    key: tuple(fields) for key, *fields in map(str.split, _REQUIRED.strip().splitlines())
}
"""Keys that the package says, each with the fields that it fills in; checked when the file is loaded."""
