"""Small, fast, deterministic stand-ins for the models, which record their calls."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Sequence

import numpy as np

from assistant.embed import Vectors
from assistant.evidence import Judgement
from assistant.lexical import terms
from assistant.triage import KINDS, Kind, Triaged


class FakeEmbedder:
    """Adds up a fixed random direction for each stemmed word, so that texts which share words are near.

    Attributes:
        texts: Every text that was encoded, in order.
    """

    def __init__(self, name: str = "fake", dimension: int = 48, seconds: float = 0.0) -> None:
        self.name = name
        self.dimension = dimension
        self.texts: list[str] = []
        self._seconds = seconds

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return an array `(n, d)`, float32, rows of length one."""
        self.texts += texts
        time.sleep(self._seconds)
        return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, self.dimension), np.float32)

    def _vector(self, text: str) -> Vectors:
        total = np.zeros(self.dimension)
        for word in terms(text) or ["\0"]:
            seed = int.from_bytes(hashlib.sha256(f"{self.name}/{word}".encode()).digest()[:8], "big")
            total += np.random.default_rng(seed).standard_normal(self.dimension)
        return (total / np.linalg.norm(total)).astype(np.float32)


class FakeEvidence:
    """Gives a sentence the share of the question's words that it carries; `answered` is the best one's.

    Attributes:
        calls: The questions and their candidates, in order.
    """

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold
        self.calls: list[tuple[str, tuple[str, ...]]] = []

    def judge(self, question: str, candidates: Sequence[str]) -> Judgement:
        """Return the judgement of a question over its candidates."""
        self.calls.append((question, tuple(candidates)))
        asked = set(terms(question))
        shares = tuple(len(asked & set(terms(text))) / max(1, len(asked)) for text in candidates)
        return Judgement(shares, max(shares, default=0.0))


class FakeTriage:
    """Takes every question for one about the study, except those with a word of another kind in them."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, question: str) -> Triaged:
        """Return the kind whose name stands in the question ("urgent", "advice", "chat", "off topic"), or "study"."""
        self.calls.append(question)
        kind: Kind = next((k for k in KINDS if re.search(rf"\b{k.replace('_', ' ')}\b", question)), "study")
        return Triaged(kind, {k: float(k == kind) for k in KINDS})


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something holds; fail where it doesn't in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
