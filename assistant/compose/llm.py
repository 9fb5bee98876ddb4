"""The optional composer: a language model phrases, from numbered sentences, what code then verifies."""

from __future__ import annotations

import json
import logging
import re
import secrets
import string
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.compose import Draft
from assistant.compose.chat import Chat, ModelCounts, ModelFailure
from assistant.compose.parsing import Parser, Written
from assistant.compose.providers import open_chat
from assistant.config import Settings
from assistant.errors import PromptError
from assistant.language import name_of
from assistant.messages import Messages
from assistant.records import Audience, Sentence, Turn
from assistant.rewrite_llm import rewrite

log = logging.getLogger(__name__)

MOST_STATEMENTS = 6
LONGEST_STATEMENT = 500
"""Characters; a longer "statement" is a lecture, and no sentence of a source is as long."""
_MOST_SENTENCES = 40
_NOTHING = re.compile(r'"statements"\s*:\s*\[\s*\]|^\s*\[\s*\]\s*$')
_ANSWER_FIELDS = frozenset({"audience", "most", "language", "translation", "english"})


class LanguageModel:
    """A chat model that writes drafts and stands alone for nothing: what it writes is verified elsewhere.

    Args:
        chat: The model, behind its time limits.
        prompts: Folder with answer.md and rewrite.md.
    """

    def __init__(self, chat: Chat, prompts: Path) -> None:
        self._chat = chat
        self._answer = _template(prompts / "answer.md", _ANSWER_FIELDS)
        self._rewrite = _template(prompts / "rewrite.md", frozenset())

    @classmethod
    def open(cls, settings: Settings, messages: Messages) -> LanguageModel | None:
        """Return the model that the settings name, or None where they name none; nothing is sent to it yet.

        Raises:
            ExtraError: The provider's package is not installed; the message says what to install.
            ConfigError: The model's name, or what goes with it, can't be used.
            PromptError: A prompt is missing or malformed.
        """
        if not settings.model:
            return None
        return cls(open_chat(settings, ModelCounts()), settings.prompts)

    def __repr__(self) -> str:
        return f"LanguageModel({self.name!r})"

    @property
    def name(self) -> str:
        """The model as the settings name it."""
        return self._chat.name

    @property
    def counts(self) -> ModelCounts:
        """What became of calls and statements; whoever verifies adds `dropped.<why>` to it."""
        return self._chat.counts

    def drafts(
        self,
        question: str,
        sentences: Sequence[Sentence],
        audience: Audience,
        language: str = "en",
        count: Callable[[str], None] | None = None,
    ) -> Iterator[Draft]:
        """Yield what the model writes, statement by statement as each is complete; none of it is verified.

        Statements that cite what was not given are left out and counted. Without sentences the model isn't asked. A
        reply that breaks off after a draft just ends.

        Args:
            question: The question, standing alone.
            sentences: What the model may use, best first.
            audience: For whom it writes.
            language: Two letters; in another one than English each draft carries its English as well.
            count: Told what becomes of each statement ("statements", "dropped.<why>"); `counts` where not given.

        Raises:
            ModelFailure: There is no draft, because the model can't be reached or writes nothing that can be read.
        """
        given = list(dict.fromkeys(sentences))[:_MOST_SENTENCES]
        if not given:
            return
        by_id = _numbered(given)
        count = count or self.counts.add
        parser, said = Parser(), set[str]()
        offered = False
        pieces = self._chat.stream(self._system(audience, language), _data(question, by_id), _tool(language))
        try:
            for written in _written(parser, pieces):
                offered = True
                if written.text.casefold() in said or len(said) == MOST_STATEMENTS:
                    count("dropped.repeats" if written.text.casefold() in said else "dropped.too_many")
                    break
                said.add(written.text.casefold())
                draft = _draft(written, by_id, language, count)
                if draft:
                    yield draft
        except ModelFailure:
            if not offered:
                raise
        if not offered and not _NOTHING.search(parser.text):
            self.counts.add("failed.unusable")
            log.warning("the model %s gave no usable reply: nothing in it is a statement (unusable)", self.name)
            raise ModelFailure("unusable", f"the model {self.name} wrote nothing that is a statement")

    def rewrite(self, question: str, history: Sequence[Turn], language: str = "en", known: Collection[str] = ()) -> str:
        """Return the question as it stands alone, in English, as the model puts it.

        Args:
            question: What was asked last.
            history: What was said before, oldest first.
            language: What the question is written in; two letters.
            known: Names that a translation may bring in: the study's own.

        Raises:
            ModelFailure: The model gave nothing, or brings in a number or a name that nobody mentioned.
        """
        return rewrite(self._chat, self._rewrite.template, question, history, language, known)

    def _system(self, audience: Audience, language: str) -> str:
        foreign = language != "en"
        return self._answer.substitute(
            audience=audience,
            most=MOST_STATEMENTS,
            language=name_of(language),
            translation='Give in "english" the same statement in English, word for word.' if foreign else "",
            english=', "english": "…"' if foreign else "",
        )


def _draft(
    written: Written, by_id: Mapping[str, Sentence], language: str, count: Callable[[str], None]
) -> Draft | None:
    """Return a statement with the sentences that it cites, or None, counted, where it can't be taken."""
    count("statements")
    why = ""
    if not written.ids or not all(name.casefold() in by_id for name in written.ids):
        why = "unknown_ids"
    elif not written.text or len(written.text) > LONGEST_STATEMENT or len(written.english) > LONGEST_STATEMENT:
        why = "length"
    elif language != "en" and not written.english:
        why = "no_english"
    if why:
        count(f"dropped.{why}")
        return None
    cites = tuple(dict.fromkeys(by_id[name.casefold()] for name in written.ids))
    return Draft(written.text, cites, english=written.english if language != "en" else "", language=language)


def _written(parser: Parser, pieces: Iterator[str]) -> Iterator[Written]:
    for piece in pieces:
        yield from parser.feed(piece)
        if parser.full:
            return
    yield from parser.end()


def _numbered(sentences: Sequence[Sentence]) -> dict[str, Sentence]:
    """Return sentences by ids that hold for one request: a text written beforehand can't name one."""
    prefix = "".join(secrets.choice("bcdfghjkmnpqrstvwxz") for _ in range(2))
    return {f"{prefix}{number}": sentence for number, sentence in enumerate(sentences, 1)}


def _data(question: str, by_id: Mapping[str, Sentence]) -> str:
    """Return question and sentences as JSON, so that no text in them can pass for anything but a value."""
    listed = [{"id": name, "text": sentence.in_context} for name, sentence in by_id.items()]
    return json.dumps({"question": question, "sentences": listed}, ensure_ascii=False, indent=0)


def _tool(language: str) -> dict[str, Any]:
    """Return the tool that a model with tools replies with."""
    fields: dict[str, Any] = {
        "text": {"type": "string", "description": "The statement, one sentence"},
        "cites": {"type": "array", "items": {"type": "string"}, "description": "Ids of the sentences it rests on"},
    }
    if language != "en":
        fields["english"] = {"type": "string", "description": "The same statement in English"}
    item = {"type": "object", "properties": fields, "required": list(fields)}
    parameters = {
        "type": "object",
        "properties": {"statements": {"type": "array", "items": item}},
        "required": ["statements"],
    }
    function = {"name": "reply", "description": "Give the statements of the answer", "parameters": parameters}
    return {"type": "function", "function": function}


def _template(path: Path, fields: Collection[str]) -> string.Template:
    """Return a prompt that uses no other `$fields` than those given.

    Raises:
        PromptError: The file can't be read, or has another field.
    """
    try:
        template = string.Template(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise PromptError(f"{path}: cannot be read ({exc}); restore it or set ASSISTANT_PROMPTS") from exc
    unknown = set(template.get_identifiers()) - set(fields)
    if unknown or not template.is_valid():
        raise PromptError(
            f"{path}: uses ${', $'.join(sorted(unknown)) or ' without a name'}; "
            f"it may use {', '.join('$' + name for name in sorted(fields)) or 'none'} ($$ for the sign itself)"
        )
    return template
