"""Figures of merit; each takes plain sequences and says its range."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np

from assistant.evaluation.report import Table


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a reliability diagram; `confidence` and `right` are means over its `count` answers, in [0, 1]."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


def ndcg(ranked: Sequence[str], relevant: Collection[str], k: int = 10) -> float:
    """Return nDCG@k with binary relevance, in [0, 1]; higher is better.

    >>> round(ndcg(["b", "a"], {"a"}), 3)
    0.631
    """
    gained = sum(1 / log2(place + 2) for place, name in enumerate(ranked[:k]) if name in relevant)
    ideal = sum(1 / log2(place + 2) for place in range(min(k, len(relevant))))
    return gained / ideal if ideal else 0.0


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """Return 1 ÷ the 1-based rank of the first relevant name, 0 where none is ranked.

    >>> reciprocal_rank(["b", "a"], {"a"})
    0.5
    """
    return next((1 / place for place, name in enumerate(ranked, 1) if name in relevant), 0.0)


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return the area under the ROC curve: how often a positive's score is above a negative's; a tie is half.

    >>> auc([0.9, 0.4], [0.4, 0.1])
    0.875
    """
    if not positive or not negative:
        return float("nan")
    below = np.sort(np.asarray(negative, np.float64))
    wins = np.searchsorted(below, positive, "left") + np.searchsorted(below, positive, "right")
    return float(wins.mean() / 2 / len(below))


def refused_at(positive: Sequence[float], negative: Sequence[float], lost: float) -> float:
    """Return the share of negatives below the threshold that puts at most the share `lost` of positives below it.

    >>> refused_at([0.9, 0.8, 0.7, 0.2], [0.1, 0.3, 0.75], lost=0.25)
    0.6666666666666666
    """
    if not positive or not negative:
        return float("nan")
    threshold = sorted(positive)[int(lost * len(positive) + 1e-9)]
    return float(np.mean(np.asarray(negative) < threshold))


def macro_f1(scores: Sequence[float], labels: Sequence[bool], threshold: float) -> float:
    """Return the mean of the two classes' F1 where scores from the threshold on are taken as true.

    >>> macro_f1([0.9, 0.6, 0.2], [True, False, False], 0.5)
    0.6666666666666666
    """
    said, true = np.asarray(scores) >= threshold, np.asarray(labels, bool)
    values = []
    for side in (True, False):
        hits = float(((said == side) & (true == side)).sum())
        wrong = float((said != true).sum())
        values.append(2 * hits / (2 * hits + wrong) if hits else 0.0)
    return sum(values) / 2


def best_threshold(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """Return the score from which on `macro_f1` is highest; the lowest such where several are.

    >>> best_threshold([0.9, 0.8, 0.2], [True, True, False])
    0.8
    """
    return max(sorted(set(scores)), key=lambda option: macro_f1(scores, labels, option))


def reliability(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> tuple[Bin, ...]:
    """Return the bars of a reliability diagram, equal in width; empty ones are left out."""
    values, truths = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    at = np.minimum((values * bins).astype(int), bins - 1)
    return tuple(
        Bin(
            index / bins,
            (index + 1) / bins,
            int((at == index).sum()),
            float(values[at == index].mean()),
            float(truths[at == index].mean()),
        )
        for index in range(bins)
        if (at == index).any()
    )


def diagram(title: str, bars: Sequence[Bin], counted: str, true: str) -> Table:
    """Return a reliability diagram drawn in characters: a block a twentieth that is true, "|" where it was said to be.

    Args:
        counted: What the bars count, for the header.
        true: What the said probability is of, for the header.
    """
    rows = []
    for bar in bars:
        said = min(19, int(bar.confidence * 20))
        drawn = "█" * round(bar.right * 20)
        drawn = f"{drawn:20}"
        rows.append(
            (
                f"{bar.low:.1f}–{bar.high:.1f}",
                bar.count,
                bar.confidence,
                bar.right,
                f"{drawn[:said]}|{drawn[said + 1 :]}",
            )
        )
    return Table(title, ("probability", counted, "said", true, ""), tuple(rows))


def calibration_error(bars: Sequence[Bin]) -> float:
    """Return the expected calibration error: the gap between said and true, weighed by count, in [0, 1].

    Source:
        Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015.
    """
    count = sum(bar.count for bar in bars)
    return sum(bar.count * abs(bar.confidence - bar.right) for bar in bars) / count if count else float("nan")


def mean(values: Sequence[float]) -> float:
    """Return the mean, not a number where there is none."""
    return sum(values) / len(values) if values else float("nan")
