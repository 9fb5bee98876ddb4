"""Everything that goes wrong on purpose.

AssistantError
├── ConfigError       a setting has a value that cannot be used
├── CorpusError       a study folder breaks the format; `problems` holds every one
├── StoreError        the index cannot be built, opened or searched
├── DatabaseError     the feedback database cannot be opened, read or written
├── ModelError        the embedder, the evidence model or a chat model cannot be loaded or used
├── PromptError       a fixed text is missing or malformed
├── QuestionError     the question, its audience or its history cannot be taken as given
├── ExtraError        an optional part is asked for and not installed
└── DataError         a file of questions or a training set cannot be read
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class AssistantError(Exception):
    """Base of every error that this package raises on purpose; its message says what to do."""


class ConfigError(AssistantError):
    """A setting has a value that cannot be used."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a corpus: where, and what to do about it; `line` is 1-based, 0 for the whole file."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{where}: {self.message}"


class CorpusError(AssistantError):
    """A study folder breaks the format."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


class StoreError(AssistantError):
    """The index cannot be built, opened or searched."""


class DatabaseError(AssistantError):
    """The feedback database cannot be opened, read or written."""


class ModelError(AssistantError):
    """The embedder, the evidence model or a chat model cannot be loaded or used."""


class PromptError(AssistantError):
    """A fixed text is missing or malformed."""


class QuestionError(AssistantError):
    """The question, its audience or its history cannot be taken as given."""


class ExtraError(AssistantError):
    """An optional part is asked for and not installed."""


class DataError(AssistantError):
    """A file of questions or a training set cannot be read."""
