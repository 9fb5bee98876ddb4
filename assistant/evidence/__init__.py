"""Does this sentence answer this question? The interface that the pipeline is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

CANDIDATES = 16
"""Sentences that the evidence model reads for one question.

Source: 512 calibration questions: what holds the answer is among 16 as often as among 24 (.996; .977 among 8), and
the area under the ROC curve is the same.
"""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the evidence says of one question.

    Attributes:
        sentences: For each candidate, in order, the probability in [0, 1] that it answers the question.
        answered: Calibrated probability in [0, 1] that any of them does.
    """

    sentences: tuple[float, ...]
    answered: float


class Evidence(Protocol):
    """Whatever judges candidates."""

    threshold: float
    """The least `answered` at which a question is answered; set by a stated cost, on data that isn't the test."""

    def judge(self, question: str, candidates: Sequence[str]) -> Judgement:
        """Return the judgement of a question over candidate sentences, each as `Section: sentence`."""
        ...
