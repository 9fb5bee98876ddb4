"""Scores: files of questions about a corpus, and public suites beside plain cosine and plain BM25."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ConfigError

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.evaluation.report import Report
    from assistant.evaluation.setup import Setup
    from assistant.pipeline import Assistant

SUITES: Mapping[str, str] = {
    "covidqa": "ranking",
    "scifact": "ranking",
    "squad2": "answerability",
    "covidqa-answerability": "answerability",
    "written": "answerability",
    "covidqa-sentences": "selection",
    "bioasq": "selection",
    "triage": "sorting",
    "attribution": "attribution",
}
"""Name of each suite, and the module that holds its function."""


def questions(file: Path, assistant: Assistant) -> Report:
    """Return the score of an assistant on a file of questions; with a model, beside itself without it.

    `question_file` describes the format.

    Raises:
        DataError: The file can't be read, or a line breaks the format.
    """
    from assistant.evaluation.comparison import compare
    from assistant.evaluation.question_file import read
    from assistant.evaluation.scoring import score

    return (compare if assistant.model else score)(read(file), assistant)


def suite(name: str, data: Path, settings: Settings, *, sample: int = 0) -> Report:
    """Return the figures of a public suite.

    Args:
        name: One of `SUITES`.
        data: Folder of the public data.
        settings: Name the embedder, the evidence model and the threads.
        sample: Take so many questions, drawn with a fixed seed; 0 takes all.

    Raises:
        ConfigError: There is no such suite.
        DataError: Its data are not there.
    """
    if name not in SUITES:
        raise ConfigError(f"there is no suite {name!r}; the suites are {', '.join(SUITES)}")
    from assistant.evaluation.setup import Setup

    run: Callable[[Setup], Report] = getattr(
        import_module(f"assistant.evaluation.{SUITES[name]}"), name.replace("-", "_")
    )
    return run(Setup.of(data, settings, sample))
