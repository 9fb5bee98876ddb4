"""The suite of triage: messages written for it, apart from those that it was trained on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from assistant.errors import DataError
from assistant.evaluation.metrics import mean
from assistant.evaluation.report import Report, Table
from assistant.evaluation.setup import Setup, shown
from assistant.jsonl import numbered_jsonl
from assistant.triage import KINDS, Triage

MESSAGES = Path(__file__).resolve().parents[2] / "tests/data/triage.jsonl"


def triage(setup: Setup, file: Path = MESSAGES) -> Report:
    """Return the confusion table, the share of emergencies seen, and that of other messages taken for one."""
    messages = []
    for number, record in numbered_jsonl(file):
        if record.get("label") not in KINDS or not isinstance(record.get("text"), str):
            expected = f'{{"text": …, "label": one of {", ".join(KINDS)}}}'
            raise DataError(f"{file}:{number}: got {record!r:.80}, expected {expected}")
        messages.append((str(record["text"]), str(record["label"])))
    messages = setup.drawn(messages)
    sort = Triage()
    sorted_ = [(text, label, sort(text).kind) for text, label in shown(messages, "sorting")]
    pairs = Counter((label, kind) for _, label, kind in sorted_)
    overall = {
        "right": mean([kind == label for _, label, kind in sorted_]),
        "urgent_recall": mean([kind == "urgent" for _, label, kind in sorted_ if label == "urgent"]),
        "false_alarms": mean([kind == "urgent" for _, label, kind in sorted_ if label != "urgent"]),
    }
    confusion = {true: {said: pairs[true, said] for said in KINDS} for true in KINDS}
    tables = [
        Table(
            "rows: what it is; columns: what triage said",
            ("", *KINDS),
            tuple((true, *said.values()) for true, said in confusion.items()),
        ),
        Table("overall", ("figure", "value"), tuple((name.replace("_", " "), v) for name, v in overall.items())),
    ]
    failures = [
        {"id": f"{label} taken for {kind}", "question": text, "why": []}
        for text, label, kind in sorted_
        if kind != label
    ]
    urgent = sum(label == "urgent" for _, label, _ in sorted_)
    about = f"{len(messages)} messages, {urgent} of them urgent"
    return Report("triage", about, {**overall, "confusion": confusion}, tables, failures)
