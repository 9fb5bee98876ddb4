"""What an adapter holds: training's differences, not rounding, and no more of them than the package may carry."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from assistant import adapter
from assistant.evidence.model import PACKAGED as EVIDENCE
from assistant.triage import PACKAGED as TRIAGE

LIMIT = 12e6
"""Bytes. Source: issue 3, what ships is small and travels with the package."""


@pytest.mark.parametrize("file", [EVIDENCE / "adapter.safetensors", TRIAGE], ids=["evidence", "triage"])
def test_what_ships_is_small(file: Path) -> None:
    assert 1e6 < file.stat().st_size <= LIMIT


def test_rounding_is_not_stored() -> None:
    base, trained = torch.nn.Linear(8, 4), torch.nn.Linear(8, 4)
    with torch.no_grad():
        trained.weight.copy_(base.weight + 1e-7)
        trained.bias.copy_(base.bias + 0.5)
    assert set(adapter.packed(trained, base)) == {"bias"}


def test_what_was_stored_comes_back() -> None:
    base, trained = torch.nn.Linear(8, 4), torch.nn.Linear(8, 4)
    back = adapter.unpacked(adapter.packed(trained, base))
    for name, weight in trained.named_parameters():
        before = dict(base.named_parameters())[name]
        assert torch.allclose(before + back[name], weight, atol=0.005)
