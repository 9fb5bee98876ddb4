"""What every suite is given: where the data lie, the models, and how much to take."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from assistant.embed import Embedder, Vectors
from assistant.errors import DataError
from assistant.evidence import Evidence

if TYPE_CHECKING:
    from assistant.config import Settings

SEED = 17
_SLICE = 512
T = TypeVar("T")


class Remembering:
    """An embedder that encodes no text twice in a run, so that the index and the plain cosine share the work."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vectors] = {}
        self.name = embedder.name
        self.dimension = embedder.dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return an array `(n, d)`, float32, rows of length one, in the order of the texts."""
        new = sorted({text for text in texts if text not in self._known}, key=len)  # like lengths pad least
        slices = [new[start : start + _SLICE] for start in range(0, len(new), _SLICE)]
        for part in shown(slices, "embedding") if len(slices) > 1 else slices:
            self._known.update(zip(part, self._embedder.encode(part), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, self.dimension), np.float32)


@dataclass(frozen=True)
class Setup:
    """The models and data of one run.

    Attributes:
        sample: Questions to take, drawn with a fixed seed; 0 for all.
        given: An evidence model to use instead of the one that the settings name.
    """

    data: Path
    settings: Settings
    embedder: Embedder
    sample: int = 0
    given: Evidence | None = None

    @classmethod
    def of(cls, data: Path, settings: Settings, sample: int = 0) -> Setup:
        """Return the setup that the settings describe."""
        from assistant.embed import SentenceTransformerEmbedder

        embedder = SentenceTransformerEmbedder(settings.embedder, settings.thread_count)
        return cls(data, settings, Remembering(embedder), sample)

    def file(self, name: str) -> Path:
        """Return a file (or folder) of the public data.

        Raises:
            DataError: It isn't there.
        """
        path = self.data / name
        if not path.exists():
            raise DataError(f"{path}: is not there; give the folder of the public data with --data")
        return path

    def evidence(self) -> Evidence:
        """Return the evidence model, loaded where none was given."""
        if self.given is not None:
            return self.given
        from assistant.evidence.model import EvidenceModel

        return EvidenceModel.load(self.settings.evidence, self.settings.thread_count)

    def drawn(self, items: Sequence[T]) -> list[T]:
        """Return the items, or as many of them as are to be taken, in order."""
        if not self.sample or self.sample >= len(items):
            return list(items)
        return [items[at] for at in sorted(random.Random(SEED).sample(range(len(items)), self.sample))]


def shown(items: Sequence[T], what: str) -> Iterator[T]:
    """Yield the items behind a progress bar, where someone watches a terminal."""
    from tqdm import tqdm

    yield from tqdm(items, desc=what, disable=None, leave=False)
