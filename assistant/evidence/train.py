"""Trains the evidence model: general question answering first, then the questions written about studies.

The result is an adapter over the packaged MiniLM, its calibration, and the figures of its model card.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.embed import offline, packaged_model
from assistant.errors import DataError
from assistant.evidence import calibrate, data
from assistant.evidence.data import Example, Pair
from assistant.evidence.model import MAX_TOKENS, EvidenceModel, cross_encoder_network, packed
from assistant.lexical import Lexical, terms

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

SEED = 17
BATCH = 32


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass of training: its pairs, how often they are seen, and the peak learning rate."""

    name: str
    pairs: Sequence[Pair]
    epochs: int
    learning_rate: float


def train(folder: Path, out: Path, *, tiny: bool = False, threads: int = 2, say: Callable[[str], None] = print) -> None:
    """Train, calibrate and write `adapter.safetensors`, `calibration.json` and `training.json` into a folder.

    Args:
        folder: The public data (`../shared/data`).
        tiny: Train on a few hundred pairs, to prove the path.

    Raises:
        DataError: The public data are not there.
    """
    if not (folder / "qa").is_dir():
        raise DataError(f"{folder}: holds no public data; give its folder with --data")
    offline()
    import torch
    from safetensors.torch import save_file
    from sentence_transformers import CrossEncoder

    torch.set_num_threads(threads)
    torch.manual_seed(SEED)
    model = CrossEncoder(str(packaged_model()), num_labels=1, max_length=MAX_TOKENS)
    split = data.written_split(folder)
    for stage in stages(folder, split.train):
        pairs = stage.pairs[:320] if tiny else stage.pairs
        say(f"{stage.name}: {len(pairs)} pairs, {stage.epochs} epoch(s)")
        fit(model, Stage(stage.name, pairs, 1 if tiny else stage.epochs, stage.learning_rate), out / "logs")
    out.mkdir(parents=True, exist_ok=True)
    weights = packed(model.model, cross_encoder_network(packaged_model()))
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, out / "adapter.safetensors")
    held = split.calibration[:60] if tiny else split.calibration
    calibration = calibrate.fit(EvidenceModel.uncalibrated(out), held)
    (out / "calibration.json").write_text(json.dumps(asdict(calibration), indent=1) + "\n", encoding="utf-8")
    say(f"threshold {calibration.threshold:.3f}; adapter {(out / 'adapter.safetensors').stat().st_size / 1e6:.1f} MB")


def stages(folder: Path, written: Sequence[Example]) -> list[Stage]:
    """Return the passes of training in order."""
    qa = folder / "qa"
    general = [
        *data.pairs(data.squad(qa / "squad2-half-dev.json", excluding=data.HELD_OUT_SQUAD), 4, SEED),
        *data.pairs(data.squad(qa / "xquad-en.json", excluding=data.HELD_OUT_SQUAD), 4, SEED + 1),
        *data.pairs(data.covidqa(folder, held_out=False), 8, SEED + 2),
        *data.pairs(data.selqa(folder), 6, SEED + 3),
        *data.pairs(data.scifact_claims(folder), 6, SEED + 4),
    ]
    pages = [example for example in written if example.document.startswith("P")]
    abstracts = [example for example in written if not example.document.startswith("P")]
    studies = [
        *data.pairs(abstracts, 9, SEED + 5),
        *data.pairs(pages, 14, SEED + 6),
        *data.pairs(neighbours(written, SEED + 7), 4, SEED + 8),
    ]
    return [Stage("general", general, 1, 6e-5), Stage("studies", studies, 1, 6e-5)]


def neighbours(examples: Sequence[Example], seed: int) -> list[Example]:
    """Return each question that has a rare term asked of the nearest other text that lacks one: no answer there."""
    texts = {example.document: example.sentences for example in examples}
    names = list(texts)
    lexical = Lexical([" ".join(texts[name]) for name in names])
    known = {name: set(terms(" ".join(texts[name]))) for name in names}
    nearest = {name: np.argsort(-lexical.scores(" ".join(texts[name]))) for name in names}
    rng = random.Random(seed)
    made = []
    for example in examples:
        rare = {term for term in terms(example.question) if lexical.idf(term) > 3.0}
        if not rare or rng.random() > 0.6:
            continue
        for at in nearest[example.document][1:6]:
            name = names[int(at)]
            if name != example.document and not rare <= known[name]:
                made.append(Example(name, example.question, texts[name], frozenset(), "neighbour"))
                break
    return made


def fit(model: CrossEncoder, stage: Stage, logs: Path) -> None:
    """Train a cross-encoder on a stage's pairs; its word embeddings stay as they are, and so need not be shipped."""
    from datasets import Dataset
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss

    for name, weight in model.named_parameters():
        weight.requires_grad = not name.endswith("embeddings.weight")
    ordered = [stage.pairs[at] for at in by_length(stage.pairs, stage.epochs, SEED)]
    dataset = Dataset.from_dict(
        {
            "question": [question for question, _, _ in ordered],
            "sentence": [sentence for _, sentence, _ in ordered],
            "label": [label for _, _, label in ordered],
        }
    )
    options: dict[str, Any] = {"disable_tqdm": True, "report_to": "none", "save_strategy": "no", "logging_steps": 100}
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(logs),
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        learning_rate=stage.learning_rate,
        warmup_steps=0.06,
        weight_decay=0.01,
        bf16=True,
        use_cpu=True,
        seed=SEED,
        train_sampling_strategy="sequential",
        **options,
    )
    CrossEncoderTrainer(model=model, args=arguments, train_dataset=dataset, loss=BinaryCrossEntropyLoss(model)).train()
    model.eval()


def by_length(pairs: Sequence[Pair], epochs: int, seed: int) -> list[int]:
    """Return an order of the pairs, each once an epoch, in which a batch holds pairs of like length.

    Padding is half of the work on a CPU otherwise; runs of fifty batches are drawn at random and sorted.
    """
    rng = random.Random(seed)
    order: list[int] = []
    for _ in range(epochs):
        drawn = list(range(len(pairs)))
        rng.shuffle(drawn)
        for start in range(0, len(drawn), BATCH * 50):
            run = sorted(drawn[start : start + BATCH * 50], key=lambda at: len(pairs[at][0]) + len(pairs[at][1]))
            batches = [run[at : at + BATCH] for at in range(0, len(run), BATCH)]
            rng.shuffle(batches)
            order += [at for batch in batches for at in batch]
    return order
