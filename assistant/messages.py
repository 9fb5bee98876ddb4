"""The fixed texts that readers see, from `prompts/messages.toml`."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping
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
                messages.say(key, audience, **dict.fromkeys(names, "…"))
        return messages

    def say(self, key: str, audience: str = "parent", **values: object) -> str:
        """Return a text for an audience, its `{fields}` filled in.

        Raises:
            PromptError: The key is missing, or the text has a field that is not given.
        """
        text = self._find(key, audience)
        if not isinstance(text, str):
            raise PromptError(f"{self._source}: {key} is a list, expected one text")
        unknown = {name for _, name, _, _ in string.Formatter().parse(text) if name} - set(values)
        if unknown:
            raise PromptError(f"{self._source}: {key} uses {{{', '.join(sorted(unknown))}}}, which is not given there")
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


REQUIRED: Mapping[str, tuple[str, ...]] = {
    "urgent": (),
    "advice.lead": (),
    "advice.context": (),
    "advice.nothing": (),
    "chat.greeting": (),
    "chat.thanks": (),
    "chat.goodbye": (),
    "chat.about": ("title", "year"),
    "chat.other": (),
    "off_topic": (),
    "refusal.lead": ("missing",),
    "refusal.unnamed": (),
    "refusal.nearest": (),
    "refusal.also_missing": ("missing",),
    "premise": (),
    "sources.published": (),
    "confidence.medium": (),
    "confidence.low": (),
    "language.notice.en": (),
    "conflicts.notice": ("items",),
    "conflicts.more": ("count",),
    "conflicts.listing": (),
    "conflicts.none": (),
    "conflicts.one_sided": (),
    "web.rate_limited": ("seconds",),
    "web.rate_limited_total": ("seconds",),
    "web.busy": ("seconds",),
    "web.too_long": ("limit",),
    "web.empty": (),
    "web.internal": (),
    "web.unavailable": (),
    "web.feedback_not_saved": (),
}
"""Keys that the package says, each with the fields that it fills in; checked when the file is loaded."""
