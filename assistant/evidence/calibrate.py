"""Logits → probabilities and the threshold, from questions held aside from training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from assistant.evidence import CANDIDATES
from assistant.evidence.data import Example
from assistant.evidence.model import Calibration
from assistant.lexical import Lexical

COST_OF_WRONG_ANSWER = 1.25
"""An answer where the study has none costs so many times what a refusal of an answerable question costs.

More than one, since a refusal still shows the nearest thing that the study reports, and a wrong answer misleads.
"""
THRESHOLD = COST_OF_WRONG_ANSWER / (1 + COST_OF_WRONG_ANSWER)
"""The calibrated probability from which an answer costs less than a refusal does.

What costs least on the 512 questions held aside themselves moved from .51 to .64 between weights that differ by
nothing else; it is an estimate from few, this follows from the cost.
"""


class Scorer(Protocol):
    """Whatever gives one logit a candidate."""

    def logits(self, question: str, candidates: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return one logit a candidate, shape `(n,)`; higher is likelier to answer."""
        ...


def candidates(example: Example, count: int = CANDIDATES) -> list[int]:
    """Return the indices of the sentences that share most with the question, best first.

    Lexical alone: what is held aside are texts of 5 to 45 sentences, most of which are taken.
    """
    scores = Lexical(example.sentences).scores(example.question)
    return [int(at) for at in np.argsort(-scores, kind="stable")[:count]]


def fit(model: Scorer, examples: Sequence[Example]) -> Calibration:
    """Return the calibration that held-aside questions give.

    Args:
        examples: Answerable and unanswerable questions that the model was not trained on.
    """
    from sklearn.linear_model import LogisticRegression

    sentence_logits: list[float] = []
    sentence_labels: list[bool] = []
    best: list[float] = []
    answerable: list[bool] = []
    for example in examples:
        chosen = candidates(example)
        logits = model.logits(example.question, [example.sentences[at] for at in chosen])
        sentence_logits += [float(logit) for logit in logits]
        sentence_labels += [at in example.answers for at in chosen]
        best.append(float(logits.max()))
        answerable.append(bool(example.answers))
    one = LogisticRegression(C=1e3).fit(np.asarray(sentence_logits)[:, None], sentence_labels)
    any_ = LogisticRegression(C=1e3).fit(np.asarray(best)[:, None], answerable)
    return Calibration(
        (float(one.coef_[0, 0]), float(one.intercept_[0])),
        (float(any_.coef_[0, 0]), float(any_.intercept_[0])),
        THRESHOLD,
    )
