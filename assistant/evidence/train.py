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

from assistant import adapter
from assistant.embed import SentenceTransformerEmbedder, offline, packaged_model
from assistant.errors import DataError
from assistant.evidence import calibrate, data
from assistant.evidence.data import Example, Pair
from assistant.evidence.mining import mined
from assistant.evidence.model import MAX_TOKENS, EvidenceModel
from assistant.jsonl import read_jsonl
from assistant.lexical import Lexical, terms

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

SEED = 17
BATCH = 32
PASSES = 3
"""Passes over the questions written about studies."""
LEARNING_RATE, LAST_LEARNING_RATE = 1e-4, 5e-5
"""Greatest one of each pass, and of the last one, over the mistakes that are left."""
TINY = 320
"""Pairs of each of the two passes that only prove the path."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass over pairs."""

    name: str
    pairs: Sequence[Pair]


def train(
    folder: Path,
    out: Path,
    *,
    tiny: bool = False,
    threads: int = 2,
    written: Path = data.WRITTEN,
    say: Callable[[str], None] = print,
) -> None:
    """Train, calibrate, and write `adapter.safetensors` and `calibration.json` into a folder.

    Args:
        folder: The public data (`../shared/data`).
        tiny: Train on a few hundred pairs, to prove the path.
        written: The questions written for this project.

    Raises:
        DataError: The public data are not there.
    """
    if not (folder / "qa").is_dir():
        raise DataError(f"{folder}: holds no public data; give its folder with --data")
    offline()
    import torch
    from sentence_transformers import CrossEncoder

    torch.set_num_threads(threads)
    torch.manual_seed(SEED)
    model = CrossEncoder(
        str(packaged_model()),
        num_labels=1,
        max_length=MAX_TOKENS,
        model_kwargs={"attn_implementation": "eager"},  # with drop-out the fused one takes longer on a CPU
        config_kwargs={"attention_probs_dropout_prob": 0.0},  # drawing drop-out's noise took a quarter of the time
    )
    split = data.written_split(folder, written)
    contrasts = data.contrasts(folder, written)
    passes = stages(folder, split.train, contrasts)
    for stage in passes[:2] if tiny else passes:
        pairs = stage.pairs[:TINY] if tiny else stage.pairs
        say(f"{stage.name}: {len(pairs)} pairs")
        fit(model, pairs, out / "logs")
    adapter.store(model.model, out / "adapter.safetensors")
    asked = [*split.train, *neighbours(split.train, SEED), *off_topic(split.train, SEED)]
    random.Random(SEED).shuffle(asked)
    mistakes = mined(
        asked[:TINY] if tiny else asked,
        EvidenceModel.uncalibrated(out, threads),
        SentenceTransformerEmbedder("", threads),
        SEED,
    )
    say(f"mistakes: {len(mistakes)} pairs")
    fit(model, [*mistakes, *contrasts][: TINY if tiny else None], out / "logs", LAST_LEARNING_RATE)
    adapter.store(model.model, out / "adapter.safetensors")
    held = split.calibration[:60] if tiny else split.calibration
    calibration = calibrate.fit(EvidenceModel.uncalibrated(out), held)
    (out / "calibration.json").write_text(json.dumps(asdict(calibration), indent=1) + "\n", encoding="utf-8")
    say(f"threshold {calibration.threshold:.3f}; adapter {(out / 'adapter.safetensors').stat().st_size / 1e6:.1f} MB")


def stages(folder: Path, written: Sequence[Example], contrasts: Sequence[Pair]) -> list[Stage]:
    """Return the passes of training in order; each pass over the studies draws other negatives."""
    qa = folder / "qa"
    general = [
        *data.pairs(data.squad(qa / "squad2-half-dev.json", excluding=data.HELD_OUT_SQUAD), 4, SEED),
        *data.pairs(data.squad(qa / "xquad-en.json", excluding=data.HELD_OUT_SQUAD), 4, SEED + 1),
        *data.pairs(data.covidqa(folder, held_out=False), 8, SEED + 2),
        *data.pairs(data.selqa(folder), 6, SEED + 3),
        *data.pairs(data.scifact_claims(folder), 6, SEED + 4),
    ]
    return [
        Stage("general", general),
        *(Stage(f"studies {turn}", studies(written, contrasts, turn)) for turn in range(1, PASSES + 1)),
    ]


def studies(written: Sequence[Example], contrasts: Sequence[Pair], turn: int) -> list[Pair]:
    """Return the pairs of one pass over the questions written about studies."""
    pages = [example for example in written if example.document.startswith("P")]
    abstracts = [example for example in written if not example.document.startswith("P")]
    seed = SEED + 100 * turn
    return [
        *data.pairs(abstracts, 5, seed),
        *data.pairs(pages, 8, seed + 1),
        *data.pairs(neighbours(written, seed + 2), 2, seed + 3),
        *contrasts,
    ]


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


def off_topic(examples: Sequence[Example], seed: int) -> list[Example]:
    """Return messages that are about no study, each asked of one of the made-up pages: no answer there."""
    texts = {example.document: example.sentences for example in examples if example.document.startswith("P")}
    names = sorted(texts)
    rng = random.Random(seed)
    messages = (str(record["text"]) for record in read_jsonl(data.MESSAGES) if record["label"] in ("off_topic", "chat"))
    asked = ((rng.choice(names), message) for message in messages)
    return [Example(name, message, texts[name], frozenset(), "off_topic") for name, message in asked]


def fit(model: CrossEncoder, pairs: Sequence[Pair], logs: Path, learning_rate: float = LEARNING_RATE) -> None:
    """Train a cross-encoder on pairs, once; its word embeddings stay as they are, and so need not be shipped."""
    from datasets import Dataset
    from sentence_transformers.base.sampler import DefaultBatchSampler
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
    from torch.utils.data import SequentialSampler

    def in_order(rows: Any, **options: Any) -> DefaultBatchSampler:
        return DefaultBatchSampler(SequentialSampler(rows), **options)

    for name, weight in model.named_parameters():
        weight.requires_grad = not name.endswith("embeddings.weight")
    ordered = [pairs[at] for at in by_length(pairs, SEED)]
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
        learning_rate=learning_rate,
        warmup_steps=0.06,
        weight_decay=0.01,
        bf16=True,
        use_cpu=True,
        seed=SEED,
        batch_sampler=in_order,
        **options,
    )
    CrossEncoderTrainer(model=model, args=arguments, train_dataset=dataset, loss=BinaryCrossEntropyLoss(model)).train()
    model.eval()


def by_length(pairs: Sequence[Pair], seed: int) -> list[int]:
    """Return an order of the pairs in which a batch holds pairs of like length.

    Padding is half of the work on a CPU otherwise; runs of fifty batches are drawn at random and sorted.
    """
    rng = random.Random(seed)
    drawn = list(range(len(pairs)))
    rng.shuffle(drawn)
    order: list[int] = []
    for start in range(0, len(drawn), BATCH * 50):
        run = sorted(drawn[start : start + BATCH * 50], key=lambda at: len(pairs[at][0]) + len(pairs[at][1]))
        batches = [run[at : at + BATCH] for at in range(0, len(run), BATCH)]
        rng.shuffle(batches)
        order += [at for batch in batches for at in batch]
    return order
