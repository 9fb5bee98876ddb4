"""Texts of one kind, indexed for one run by this project's own index, and ranked three ways over the same texts."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from assistant.embed import Embedder
from assistant.index import Chunk, Index
from assistant.lexical import Lexical, terms
from assistant.retrieve import Ranker

Ranked = list[tuple[Chunk, float]]
PLAIN = ("cosine", "bm25")


class Collection:
    """Chunks in a temporary index; use it as a context manager.

    Args:
        chunks: All of one kind.
        embedder: One that remembers, since the plain cosine asks for the same vectors again.
    """

    def __init__(self, chunks: Sequence[Chunk], embedder: Embedder) -> None:
        self._chunks = chunks
        self._embedder = embedder
        self._vectors = embedder.encode([chunk.text for chunk in chunks])
        self._folder = tempfile.TemporaryDirectory(prefix="study-assistant-eval-")
        self._index = Index.open(Path(self._folder.name), chunks, embedder)
        self._ranker = Ranker(self._index, chunks, chunks[0].kind)
        self._lexical = Lexical([chunk.text for chunk in chunks])
        self._of_study: dict[str, list[int]] = defaultdict(list)
        for at, chunk in enumerate(chunks):
            self._of_study[chunk.pmid].append(at)

    def __enter__(self) -> Collection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._index.close()
        self._folder.cleanup()

    def ranked(self, question: str, k: int, pmid: str | None = None) -> dict[str, Ranked]:
        """Return the k best chunks by plain cosine, plain BM25 and this project's ranking, best first.

        Args:
            question: As asked.
            k: How many.
            pmid: Rank only this document's chunks.
        """
        vector = self._embedder.encode([question])[0]
        among = np.asarray(self._of_study[pmid] if pmid is not None else range(len(self._chunks)), np.int64)
        mass = sum(map(self._lexical.idf, terms(question)))
        return {
            "cosine": self._best(self._vectors[among] @ vector, among, k),
            "bm25": self._best(self._lexical.scores(question)[among] * np.float32(mass), among, k),
            "fused": self._ranker.rank(question, vector, k, pmid),
        }

    def _best(self, scores: npt.NDArray[np.float32], among: npt.NDArray[np.int64], k: int) -> Ranked:
        order = np.argsort(-scores, kind="stable")[:k]
        return [(self._chunks[int(among[at])], float(scores[at])) for at in order]
