"""What an evaluation or a bench found: figures for machines, tables for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; figures are right-aligned, None is shown as a dash."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __str__(self) -> str:
        lines = [self.header, *(tuple(map(_shown, row)) for row in self.rows)]
        widths = [max(len(line[at]) for line in lines) for at in range(len(self.header))]
        text = [any(isinstance(row[at], str) for row in self.rows) for at in range(len(self.header))]
        body = [
            "  ".join(
                cell.ljust(width) if words else cell.rjust(width)
                for cell, width, words in zip(line, widths, text, strict=True)
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, *(f"  {line}" for line in body)])


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one run.

    Attributes:
        name: What was run.
        about: One line on what was measured, on how much.
        figures: JSON-ready; the keys are stable.
        failures: One entry a question that failed, JSON-ready, with at least "id" and "why".
    """

    name: str
    about: str
    figures: Mapping[str, Any]
    tables: Sequence[Table]
    failures: Sequence[Mapping[str, Any]] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values; a figure that couldn't be worked out is null."""
        failures = [dict(failure) for failure in self.failures]
        return {"name": self.name, "about": self.about, "figures": _finite(self.figures), "failures": failures}

    def table(self, failures: bool = False) -> str:
        """Return the tables as text, with the failures below where asked for."""
        blocks = [f"{self.name}: {self.about}", *map(str, self.tables)]
        if failures and self.failures:
            blocks.append("\n".join(["failures", *(line for entry in self.failures for line in _told(entry))]))
        return "\n\n".join(blocks)


def _shown(cell: Cell) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


def _finite(value: Any) -> Any:
    """Return the value with numbers that JSON lacks as None."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _told(entry: Mapping[str, Any]) -> list[str]:
    """Return the lines of one failure."""
    head = f"  {entry['id']}: {entry.get('question', '')}".rstrip()
    return [head, *(f"    {reason}" for reason in entry["why"])]
