"""Hard negatives: what a half-trained model takes for an answer and is none."""

from __future__ import annotations

from typing import cast

import numpy as np
from fake_models import FakeEmbedder

from assistant.evidence.data import Example
from assistant.evidence.mining import ANSWERED, SURELY, UNANSWERED, mined
from assistant.evidence.model import EvidenceModel

LINES = tuple(f"Iron was {word} in milk." for word in ("low", "high", "seen", "lost", "kept", "sure"))
LIKED = dict(zip(LINES, (-3.0, 0.4, -1.0, 0.2, -0.5, SURELY + 1), strict=True))


class Half:
    """Likes each sentence as `LIKED` says."""

    def read(self, pairs: list[tuple[str, str]]) -> np.ndarray:
        return np.asarray([LIKED[text] for _, text in pairs], np.float32)


def test_the_worst_mistakes_are_taken_and_no_answer_is() -> None:
    open_, closed = Example("A", "iron?", LINES, frozenset()), Example("A", "iron in milk?", LINES, frozenset({1}))
    made = mined([open_, closed], cast(EvidenceModel, Half()), FakeEmbedder(), seed=3)
    by_question = {
        q: {s for question, s, label in made if question == q and label == 0} for q in ("iron?", "iron in milk?")
    }
    liked = sorted(LINES, key=lambda text: -LIKED[text])
    assert by_question["iron?"] == set(liked[:UNANSWERED])
    # Beside a marked answer, what the model is sure of may be one too; it is left out.
    others = [text for text in liked if text != LINES[1] and LIKED[text] < SURELY]
    assert by_question["iron in milk?"] == set(others[:ANSWERED])
    assert [(q, s) for q, s, label in made if label == 1] == [("iron in milk?", LINES[1])]
    assert made == mined([open_, closed], cast(EvidenceModel, Half()), FakeEmbedder(), seed=3)
