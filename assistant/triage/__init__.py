"""What kind of question is it? Urgent, personal advice, small talk, off topic, or one about the study.

The packaged MiniLM with its upper layers trained on messages written for it (`study-assistant train-triage`); words of
alarm that it must not miss are rules.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assistant import adapter
from assistant.gist import parts
from assistant.triage.words import alarms, tells_of_acting

Kind = Literal["urgent", "advice", "study", "chat", "off_topic"]
KINDS: tuple[Kind, ...] = ("advice", "chat", "off_topic", "study", "urgent")
PACKAGED = Path(__file__).with_name("adapter.safetensors")
MAX_TOKENS = 256
"""What a message is cut to, from its beginning: what is urgent is more often said last."""
URGENT_FROM = 0.3
"""An emergency missed costs more than one cried: urgent wins from this probability on.

Source: `study-assistant eval --suite triage`; recall and false alarms are in the README.
"""
ALONE_URGENT_FROM, ALONE_ADVICE_FROM = 0.9, 0.75
"""From these probabilities of being urgent on, a part that tells how someone fares makes all of it that, or advice."""
SURELY_STUDY = 0.8
"""With words of alarm in it a message is urgent unless it is so likely about the study."""


@dataclass(frozen=True, slots=True)
class Triaged:
    """A question's kind, and the probability of each kind."""

    kind: Kind
    probabilities: Mapping[Kind, float]


class Triage:
    """Sorts questions by their text; safe to use from many threads.

    Args:
        file: Adapter that `train` wrote.

    Raises:
        ModelError: The adapter is missing or damaged.
    """

    def __init__(self, file: Path = PACKAGED) -> None:
        self._network: Any = adapter.load(file, len(KINDS), "study-assistant train-triage")
        self._tokenizer = adapter.tokenizer()
        self._tokenizer.truncation_side = "left"
        self._lock = threading.Lock()

    def __call__(self, question: str) -> Triaged:
        """Return a question's kind."""
        probabilities = self._probabilities(question)
        triaged = Triaged(_decide(question, probabilities), probabilities)
        if triaged.kind not in ("urgent", "advice") and (told := self._told(question)):
            return told
        return triaged

    def _told(self, message: str) -> Triaged | None:
        """Return what a part of a message is that alone is or may be urgent, whatever is asked beside it, or None.

        Only parts that tell of a medicine, a feed, or how someone fares, or that have words of alarm: by itself much
        else that people tell of themselves looks urgent to a model of whole messages.
        """
        pieces = parts(message)
        advice = None
        for part in pieces if len(pieces) > 1 else ():
            if tells_of_acting(part) or alarms(part):
                probabilities = self._probabilities(part)
                if probabilities["urgent"] >= ALONE_URGENT_FROM:
                    return Triaged("urgent", probabilities)
                if probabilities["urgent"] >= ALONE_ADVICE_FROM:
                    advice = Triaged("advice", probabilities)
        return advice

    def _probabilities(self, text: str) -> dict[Kind, float]:
        import torch

        encoded = self._tokenizer(text, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        with self._lock, torch.inference_mode():
            shares = torch.softmax(self._network(**encoded).logits.float()[0], -1).tolist()
        return dict(zip(KINDS, shares, strict=True))


def _decide(question: str, probabilities: Mapping[Kind, float]) -> Kind:
    alarmed = alarms(question) and probabilities["study"] < SURELY_STUDY
    if alarmed or probabilities["urgent"] >= URGENT_FROM:
        return "urgent"
    rest = {kind: share for kind, share in probabilities.items() if kind != "urgent"}
    return max(rest, key=rest.__getitem__)
