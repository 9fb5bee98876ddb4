"""Hard negatives: the sentences of a text that a model half trained takes for an answer, and that are none."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from assistant.embed import Embedder
from assistant.evidence.data import Example, Pair
from assistant.evidence.model import EvidenceModel
from assistant.lexical import Lexical

READ = 12
"""Sentences that the model reads for a question: those that retrieval ranks first."""
UNANSWERED, ANSWERED = 3, 2
"""Negatives from a question without an answer in the text, and from one with; the worst mistakes first."""
SURELY = 1.0
"""A sentence with such a logit beside a marked answer is likely one too that the writer didn't mark."""


def mined(examples: Sequence[Example], model: EvidenceModel, embedder: Embedder, seed: int) -> list[Pair]:
    """Return (question, sentence, label): answers, and the wrong sentences that the model likes most."""
    texts = {example.document: example.sentences for example in examples}
    vectors = {name: embedder.encode(sentences) for name, sentences in texts.items()}
    lexical = {name: Lexical(sentences) for name, sentences in texts.items()}
    read: list[list[int]] = []
    for example, vector in zip(examples, embedder.encode([example.question for example in examples]), strict=True):
        scores = vectors[example.document] @ vector + lexical[example.document].scores(example.question)
        read.append([int(at) for at in np.argsort(-scores, kind="stable")[:READ]])
    every = iter(
        model.read([(e.question, e.sentences[at]) for e, ats in zip(examples, read, strict=True) for at in ats])
    )
    found: list[Pair] = []
    for example, ats in zip(examples, read, strict=True):
        logits = [next(every) for _ in ats]
        wrong = sorted(
            ((float(logit), at) for at, logit in zip(ats, logits, strict=True) if at not in example.answers),
            reverse=True,
        )
        if example.answers:
            wrong = [(logit, at) for logit, at in wrong if logit < SURELY][:ANSWERED]
        found += [(example.question, example.sentences[at], 1.0) for at in sorted(example.answers)]
        found += [(example.question, example.sentences[at], 0.0) for _, at in wrong[:UNANSWERED]]
    random.Random(seed).shuffle(found)
    return found
