"""The figures of `bench`, their ratios and how they are shown."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.evaluation.report import Table


@dataclass(frozen=True, slots=True)
class Times:
    """Median and 95th percentile of one thing done again and again, in milliseconds."""

    median: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Times:
        """Return the figures of measured times."""
        ordered = sorted(1000 * value for value in seconds)
        return cls(statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))])


@dataclass(frozen=True, slots=True)
class BenchFigures:
    """What was measured; each ratio is of medians.

    Attributes:
        ask: A warm question, from text to checked answer.
        encode: The embedding model alone on the same questions.
        judged_ask: Those of `ask` that the evidence model had a part in; the others are answered from the findings or
            the record, or are not about the study.
        evidence: The evidence model alone on what it read for those.
        cold_ask: `study-assistant ask` as a process of its own, over an index that exists.
        cold_bare: A process that imports sentence-transformers, loads the model and encodes once.
        index_rate: Texts a second into the index.
        encode_rate: Texts a second through the embedding model alone.
        ask_memory: Peak resident memory of `study-assistant ask` in MiB.
        bare_memory: Peak resident memory of the bare process in MiB.
    """

    ask: Times
    encode: Times
    judged_ask: Times
    evidence: Times
    cold_ask: Times
    cold_bare: Times
    index_rate: float
    encode_rate: float
    ask_memory: float
    bare_memory: float

    @property
    def ratios(self) -> dict[str, float]:
        """Each figure beside its baseline."""
        return {
            "ask_to_encode": self.ask.median / self.encode.median,
            "judged_ask_to_encode_and_evidence": self.judged_ask.median / (self.encode.median + self.evidence.median),
            "index_to_encode": self.index_rate / self.encode_rate,
            "cold_ask_to_bare": self.cold_ask.median / self.cold_bare.median,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-ready values: milliseconds, texts a second, MiB, and the ratios."""
        return {**dataclasses.asdict(self), "ratios": self.ratios}

    def table(self) -> str:
        """Return the figures as text."""
        ratios = {name: f"{value:.2f} ×" for name, value in self.ratios.items()}
        rows = (
            ("warm ask", _ms(self.ask), f"encode {_ms(self.encode)}", ratios["ask_to_encode"]),
            (
                "… by evidence",
                _ms(self.judged_ask),
                f"encode and evidence ({_ms(self.evidence)})",
                ratios["judged_ask_to_encode_and_evidence"],
            ),
            (
                "index build",
                f"{self.index_rate:.0f} texts/s",
                f"encode {self.encode_rate:.0f} texts/s",
                ratios["index_to_encode"],
            ),
            ("cold ask", _ms(self.cold_ask), f"bare process {_ms(self.cold_bare)}", ratios["cold_ask_to_bare"]),
            ("peak memory", f"{self.ask_memory:.0f} MiB", f"bare process {self.bare_memory:.0f} MiB", ""),
        )
        return str(Table("median (95th percentile)", ("", "this", "beside", "ratio"), rows))


def _ms(times: Times) -> str:
    return f"{times.median:.0f} ({times.p95:.0f}) ms"
