"""Trains triage: the upper layers of the packaged MiniLM, on messages written for it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assistant import adapter
from assistant.jsonl import read_jsonl
from assistant.triage import KINDS, MAX_TOKENS

MESSAGES = Path(__file__).with_name("train.jsonl")
SEED = 17
LAYERS = 3
"""Layers that are trained, from the top: half of the adapter's size for .7 of a point of accuracy."""
EPOCHS, BATCH, LEARNING_RATE = 5, 32, 1e-4
TINY = 96
"""Messages that only prove the path."""


def train(out: Path, *, tiny: bool = False, say: Callable[[str], None] = print) -> None:
    """Train on the messages and on questions written about studies; write the adapter to a file.

    Args:
        tiny: Train on few messages, to prove the path.
    """
    network: Any = adapter.classifier(len(KINDS))
    import torch
    from datasets import Dataset
    from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

    torch.manual_seed(SEED)
    for name, weight in network.named_parameters():
        weight.requires_grad = name.startswith(trained(network.config.num_hidden_layers))
    labelled = [(str(record["text"]), str(record["label"])) for record in read_jsonl(MESSAGES)]
    labelled += [(question, "study") for question in study_questions()]
    if tiny:
        labelled = labelled[:: len(labelled) // TINY]
    tokenizer = adapter.tokenizer()
    tokenizer.truncation_side = "left"
    encoded = tokenizer([text for text, _ in labelled], truncation=True, max_length=MAX_TOKENS)
    dataset = Dataset.from_dict({**encoded, "labels": [KINDS.index(kind) for _, kind in labelled]})
    with tempfile.TemporaryDirectory() as logs:
        options: dict[str, Any] = {"disable_tqdm": True, "report_to": "none", "save_strategy": "no"}
        arguments = TrainingArguments(
            output_dir=logs,
            num_train_epochs=1 if tiny else EPOCHS,
            per_device_train_batch_size=BATCH,
            learning_rate=LEARNING_RATE,
            warmup_steps=0.06,
            weight_decay=0.01,
            label_smoothing_factor=0.05,
            train_sampling_strategy="group_by_length",
            bf16=True,
            use_cpu=True,
            seed=SEED,
            **options,
        )
        Trainer(network, arguments, DataCollatorWithPadding(tokenizer), dataset).train()
    adapter.store(network, out)
    kinds = [kind for _, kind in labelled]
    say(", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS) + f"; {out.stat().st_size / 1e6:.1f} MB")


def trained(layers: int) -> tuple[str, ...]:
    """Return how the names of the weights begin that are trained, in a network of so many layers."""
    upper = (f"bert.encoder.layer.{at}." for at in range(layers - LAYERS, layers))
    return (*upper, "bert.pooler.", "classifier.")


def study_questions() -> list[str]:
    """Return every eighth question that was written about the made-up study pages, both readers' among them."""
    files = sorted((Path(__file__).parents[1] / "evidence" / "data").glob("pages-*.jsonl"))
    return [str(record["q"]) for file in files for record in read_jsonl(file)][::8]
