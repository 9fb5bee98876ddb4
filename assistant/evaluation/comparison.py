"""A language model beside the built-in composer, on the same questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from assistant.evaluation.question_file import Question
from assistant.evaluation.report import Cell, Report, Table
from assistant.evaluation.scoring import score

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

COMPARED = (
    "right",
    "outcome_right",
    "replies_with_unverified_citations",
    "unanswerable_refused",
    "answerable_lost",
    "seconds_to_first_statement",
    "seconds_to_answer",
)
"""Figures of `scoring.report` that stand side by side."""


def compare(questions: Sequence[Question], assistant: Assistant) -> Report:
    """Return how an assistant with a model does on questions, beside itself without one.

    Args:
        assistant: One that has a model.
    """
    assert assistant.model is not None
    name = assistant.model.name
    built_in = score(questions, assistant.without_model())
    with_model = score(questions, assistant)
    counts = dict(sorted(assistant.model.counts.snapshot().items()))
    rows: list[tuple[Cell, ...]] = [
        (key.replace("_", " "), built_in.figures[key], with_model.figures[key]) for key in COMPARED
    ]
    groups = ("audiences", "kinds")
    tables = [
        Table("side by side", ("figure", "built in", name), tuple(rows)),
        *(_right(group, built_in.figures[group], with_model.figures[group], name) for group in groups),
        Table("what became of the model's statements", ("event", "count"), tuple(counts.items())),
    ]
    figures = {"built_in": built_in.figures, "model": with_model.figures, "events": counts}
    about = f"built in: {built_in.about}; {name}: {with_model.about}"
    return Report("comparison", about, figures, tables, with_model.failures)


def _right(
    group: str, built_in: Mapping[str, Mapping[str, float]], model: Mapping[str, Mapping[str, float]], name: str
) -> Table:
    rows = tuple(
        (key, int(built_in[key]["questions"]), built_in[key]["right"], model[key]["right"]) for key in built_in
    )
    return Table(f"right, by {group[:-1]}", ("", "questions", "built in", name), rows)
