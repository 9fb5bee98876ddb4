"""Tests of the speed figures: what is measured, beside what, and how the ratios come about."""

import json
import os
import sys

import pytest
from fake_models import FakeEmbedder, FakeEvidence, FakeTriage

from assistant.bench import speed as bench
from assistant.bench.figures import BenchFigures, Times
from assistant.bench.speed import Recorded
from assistant.config import Settings
from assistant.corpus import read_corpus
from assistant.errors import ModelError
from assistant.messages import Messages
from assistant.pipeline import Assistant
from assistant.retrieve import Retriever


def figures(**values):
    given = {
        "ask": Times(60, 90),
        "encode": Times(10, 12),
        "judged_ask": Times(75, 90),
        "evidence": Times(40, 45),
        "cold_ask": Times(6000, 6500),
        "cold_bare": Times(5000, 5100),
        "index_rate": 90.0,
        "encode_rate": 100.0,
        "ask_memory": 700.0,
        "bare_memory": 600.0,
    }
    return BenchFigures(**{**given, **values})


def test_times_are_in_milliseconds():
    times = Times.of([0.001 * n for n in range(1, 101)])
    assert times.median == pytest.approx(50.5)
    assert times.p95 == pytest.approx(96)


def test_each_ratio_is_of_ours_to_the_baseline():
    assert figures().ratios == {
        "ask_to_encode": 6.0,
        "judged_ask_to_encode_and_evidence": 1.5,
        "index_to_encode": 0.9,
        "cold_ask_to_bare": 1.2,
    }


def test_figures_are_shown_and_are_json():
    table = figures().table()
    assert "60 (90) ms" in table and "6.00 ×" in table and "700 MiB" in table
    assert json.loads(json.dumps(figures().to_dict()))["ratios"]["index_to_encode"] == 0.9


def test_warm_sides_take_turns_over_the_same_questions(tmp_path):
    settings = Settings(index=tmp_path / "index")
    corpus, embedder, evidence = read_corpus(settings.corpus), FakeEmbedder(seconds=0.002), Recorded(FakeEvidence())
    retriever = Retriever(corpus, embedder, settings.index_folder)
    parts = (settings, corpus, Messages.load(settings.prompts), embedder, retriever, evidence, FakeTriage())
    with Assistant(*parts) as assistant:
        embedder.texts.clear()
        times = bench.warm(assistant, embedder, evidence, rounds=2)
    assert len(times["ask"]) == len(times["encode"]) == 2 * len(bench.QUESTIONS)
    assert min(times["encode"]) >= 0.002 and min(times["ask"]) >= 0.002
    assert 0 < len(times["evidence"]) == len(times["judged_ask"]) < len(times["ask"])
    assert set(times["judged_ask"]) < set(times["ask"])
    # Once to warm up, then alone and within `ask`, twice.
    assert all(embedder.texts.count(question) == 5 for question in bench.QUESTIONS)


def test_the_index_is_built_from_the_texts_that_are_encoded_bare(fake_assistant):
    embedder = FakeEmbedder()
    encode_rate, index_rate = bench.indexing(fake_assistant, embedder, 40, rounds=1)
    bare, built = embedder.texts[:40], embedder.texts[40:80]
    assert len(set(bare)) == 40 and sorted(bare) == sorted(built)
    assert encode_rate > index_rate > 0


def test_a_process_is_timed_and_its_memory_read():
    held = bytearray(b"x") * (400 << 20)  # what this process holds is none of the child's
    script = "import time; held = bytearray(b'x') * (60 << 20); time.sleep(0.2)"
    seconds, peak = bench.run([sys.executable, "-c", script], os.environ)
    assert 0.2 <= seconds < 60
    assert 60 < peak < 400 == len(held) >> 20


def test_a_failed_process_is_named():
    with pytest.raises(ModelError, match="-c .* failed with 3: no such model"):
        script = "import sys; print('no such model', file=sys.stderr); sys.exit(3)"
        bench.run([sys.executable, "-c", script], os.environ)
