"""What is urgent, personal advice, small talk or off topic; measured on messages written by others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import cli
from assistant.errors import ModelError
from assistant.evidence.model import PACKAGED as EVIDENCE
from assistant.jsonl import read_jsonl
from assistant.triage import KINDS, Triage, Triaged
from assistant.triage.train import MESSAGES as TRAINED_ON

MESSAGES = [json.loads(line) for line in (Path(__file__).parent / "data" / "triage.jsonl").open(encoding="utf-8")]
RECALL = {"urgent": 0.94, "advice": 0.88, "study": 0.95, "chat": 0.92, "off_topic": 0.88}
"""The least share of each kind that must be told; what was measured is in the README."""
CRIED_WRONGLY = 0.03
"""The largest share of messages about a study that may be taken for an emergency."""


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, Triaged]]:
    triage = Triage()
    yield {message["text"]: triage(message["text"]) for message in MESSAGES}


@pytest.mark.model
@pytest.mark.parametrize("kind", KINDS)
def test_recall(kind: str, told: dict[str, Triaged]) -> None:
    texts = [message["text"] for message in MESSAGES if message["label"] == kind]
    missed = [text for text in texts if told[text].kind != kind]
    assert len(texts) >= 60
    assert 1 - len(missed) / len(texts) >= RECALL[kind], "\n".join(missed)


@pytest.mark.model
def test_a_question_about_a_study_is_seldom_taken_for_an_emergency(told: dict[str, Triaged]) -> None:
    texts = [message["text"] for message in MESSAGES if message["label"] == "study"]
    cried = [text for text in texts if told[text].kind == "urgent"]
    assert len(cried) / len(texts) <= CRIED_WRONGLY, "\n".join(cried)


@pytest.mark.model
def test_nothing_urgent_is_met_with_small_talk(told: dict[str, Triaged]) -> None:
    texts = [message["text"] for message in MESSAGES if message["label"] == "urgent"]
    brushed_off = [text for text in texts if told[text].kind in ("chat", "off_topic")]
    assert len(brushed_off) / len(texts) <= 0.02, "\n".join(brushed_off)


@pytest.mark.model
def test_probabilities_are_shares(told: dict[str, Triaged]) -> None:
    for found in told.values():
        assert set(found.probabilities) == set(KINDS)
        assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("content", [None, b"", b"{}", b"not safetensors at all"])
def test_a_broken_adapter_is_refused(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "adapter.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelError, match=r"adapter\.safetensors: cannot be read .*train-triage"):
        Triage(file)


def test_an_adapter_for_another_network_is_refused() -> None:
    with pytest.raises(ModelError, match=r"does not fit the base model; run: study-assistant train-triage"):
        Triage(EVIDENCE / "adapter.safetensors")


@pytest.mark.slow
@pytest.mark.model
def test_a_tiny_training_ends_in_an_adapter_that_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("datasets", reason='pip install "study-assistant[train]"')
    file = tmp_path / "new" / "triage.safetensors"
    assert cli.main(["train-triage", "--tiny", "--out", str(file)]) == 0
    assert "urgent" in capsys.readouterr().out and 1e6 < file.stat().st_size < 12e6
    question = "what did they find?"
    assert Triage(file)(question).probabilities != pytest.approx(Triage()(question).probabilities, abs=0.01)


def test_no_message_is_both_trained_on_and_measured_on() -> None:
    trained = {str(record["text"]).casefold() for record in read_jsonl(TRAINED_ON)}
    assert not trained & {message["text"].casefold() for message in MESSAGES}


@pytest.mark.model
def test_an_emergency_at_the_end_of_a_long_message_is_met() -> None:
    told = "We read your page on vitamin B12 with interest, all of it, twice. " * 60
    assert Triage()(told + "Anyway my newborn won't wake up and she is limp and grey.").kind == "urgent"


@pytest.mark.model
@pytest.mark.parametrize(
    "message",
    [
        "my husband says its rubbish since there were only 40 of them. is he right?",
        "I did art at college, so what does r=0.51 mean?",
        "My midwife printed this for me. How old were the babies when they were tested?",
    ],
)
def test_who_tells_of_themselves_and_asks_about_the_study_gets_no_emergency(message: str) -> None:
    assert Triage()(message).kind == "study"


@pytest.mark.model
@pytest.mark.parametrize(
    "message",
    [
        "He took a whole bottle of his iron syrup this morning. How much iron did the babies in the trial get?",
        "interesting read, what was the p value? she is very sleepy and hasn't had a wet nappy since last night",
    ],
)
def test_a_question_about_the_study_beside_it_hides_no_emergency(message: str) -> None:
    assert Triage()(message).kind == "urgent"
