"""Study Assistant: answers about scientific studies, every statement with a citation that code has checked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.corpus import Corpus
    from assistant.errors import (
        AssistantError,
        ConfigError,
        CorpusError,
        DatabaseError,
        DataError,
        ExtraError,
        ModelError,
        PromptError,
        QuestionError,
        StoreError,
    )
    from assistant.pipeline import Assistant
    from assistant.records import (
        Answer,
        Audience,
        Citation,
        Conflict,
        Finding,
        Hit,
        Outcome,
        Section,
        Sentence,
        Source,
        Statement,
        Study,
        Turn,
    )

__all__ = [
    "Answer",
    "Assistant",
    "AssistantError",
    "Audience",
    "Citation",
    "ConfigError",
    "Conflict",
    "Corpus",
    "CorpusError",
    "DataError",
    "DatabaseError",
    "ExtraError",
    "Finding",
    "Hit",
    "ModelError",
    "Outcome",
    "PromptError",
    "QuestionError",
    "Section",
    "Sentence",
    "Settings",
    "Source",
    "Statement",
    "StoreError",
    "Study",
    "Turn",
    "ask",
]

_HOMES = {"Assistant": "pipeline", "Settings": "config", "Corpus": "corpus"}
_opened: Assistant | None = None
_opening = threading.Lock()


def ask(
    question: str, *, audience: Audience = "parent", history: Sequence[Turn] = (), study: str | None = None
) -> Answer:
    """Return the answer to a question, from an assistant that is opened once, with the environment's settings.

    Args:
        audience: "parent" for plain words, "clinician" for figures with n, statistic and p.
        history: The conversation so far, oldest first: `{"role": "user" or "assistant", "content": text}`.
        study: PMID of the study to ask; the one that the question bears on most where not given.

    Raises:
        AssistantError: The question, a setting, the corpus, the model or the index can't be used; see `errors`.
    """
    global _opened
    with _opening:
        if _opened is None:
            from assistant.pipeline import Assistant

            _opened = Assistant.open()
    return _opened.ask(question, audience=audience, history=history, study=study)


def __getattr__(name: str) -> Any:
    if name in __all__:
        home = _HOMES.get(name) or ("errors" if name.endswith("Error") else "records")
        return getattr(import_module(f"assistant.{home}"), name)
    raise AttributeError(f"module 'assistant' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
