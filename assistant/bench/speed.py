"""Speed of the whole beside a bare baseline, both in the same run and taking turns, so that a busy machine slows both.

Ratios carry from one machine to another; milliseconds don't.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.bench.figures import BenchFigures, Times
from assistant.errors import ModelError

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.embed import Embedder
    from assistant.evidence import Evidence, Judgement
    from assistant.pipeline import Assistant

QUESTIONS = (
    "How many mothers took part in Vancouver?",
    "what does b12 do for my baby's brain",
    "Infant serum B12, median, both cohorts?",
    "Was the B12 in breast milk linked to the babies' levels?",
    "Did the Cambodian mothers take a supplement?",
    "What are the limits of this study?",
    "How was vitamin B12 measured?",
    "What was the mothers' zinc level?",
    "p for the milk difference?",
    "How many of the women smoked?",
    "I can't read all of this, can you tell me in a few words what they found out about breastfed babies?",
    "Who wrote it, and where was it published?",
)
"""Answered and refused ones, short and long, plain and clinical."""
TEXTS = 384
_BARE = """
import sys
from sentence_transformers import SentenceTransformer
SentenceTransformer(sys.argv[1], device="cpu", local_files_only=True).encode([sys.argv[2]])
"""
_LAUNCH = """
import resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(code, time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A small process to start the measured one: a child's peak memory counts what its parent held when it forked."""


def bench(settings: Settings, *, rounds: int = 5, texts: int = TEXTS, cold: int = 3) -> BenchFigures:
    """Return the figures of this machine.

    Args:
        settings: Those of the assistant that is measured.
        rounds: How often each question is asked warm.
        texts: How many texts are indexed.
        cold: How many processes of each kind are started.

    Raises:
        AssistantError: The assistant can't be opened, or a process fails.
    """
    assistant, embedder, evidence = _opened(settings)
    with assistant:
        times = warm(assistant, embedder, evidence, rounds)
        encode_rate, index_rate = indexing(assistant, embedder, texts)
    cold_bare, cold_ask, bare_memory, ask_memory = starting(settings, cold)
    return BenchFigures(
        ask=Times.of(times["ask"]),
        encode=Times.of(times["encode"]),
        judged_ask=Times.of(times["judged_ask"]),
        evidence=Times.of(times["evidence"]),
        cold_ask=Times.of(cold_ask),
        cold_bare=Times.of(cold_bare),
        index_rate=index_rate,
        encode_rate=encode_rate,
        ask_memory=ask_memory,
        bare_memory=bare_memory,
    )


class Recorded:
    """An evidence model that keeps what it was asked, so that it can be asked the same alone."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.threshold = evidence.threshold
        self.calls: list[tuple[str, tuple[str, ...]]] = []

    def judge(self, question: str, candidates: Sequence[str]) -> Judgement:
        """Return the judgement of a question over candidate sentences."""
        self.calls.append((question, tuple(candidates)))
        return self._evidence.judge(question, candidates)


def _opened(settings: Settings) -> tuple[Assistant, Embedder, Recorded]:
    """Return an assistant as `Assistant.open` makes it, without a chat model, and its models."""
    from assistant.corpus import read_corpus
    from assistant.embed import SentenceTransformerEmbedder
    from assistant.evidence.model import EvidenceModel
    from assistant.messages import Messages
    from assistant.pipeline import Assistant
    from assistant.retrieve import Retriever
    from assistant.triage import Triage

    corpus, messages = read_corpus(settings.corpus), Messages.load(settings.prompts)
    embedder = SentenceTransformerEmbedder(settings.embedder, settings.thread_count)
    retriever = Retriever(corpus, embedder, settings.index_folder, url=settings.chroma_url)
    evidence = Recorded(EvidenceModel.load(settings.evidence, settings.thread_count))
    triage = Triage()
    return Assistant(settings, corpus, messages, embedder, retriever, evidence, triage), embedder, evidence


def warm(assistant: Assistant, embedder: Embedder, evidence: Recorded, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of asking, of encoding alone and of the evidence alone, taking turns, after a first round.

    Args:
        assistant: One that was made with the two models.
        embedder: The assistant's.
        evidence: The assistant's.
        rounds: How often each question is asked.
    """
    read: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for question in QUESTIONS:
        evidence.calls.clear()
        assistant.ask(question)
        read[question] = list(evidence.calls)
    times: dict[str, list[float]] = {"ask": [], "encode": [], "judged_ask": [], "evidence": []}
    for number, question in itertools.product(range(rounds), QUESTIONS):
        work: list[tuple[str, Callable[[], object]]] = [
            ("encode", partial(embedder.encode, [question])),
            ("ask", partial(assistant.ask, question)),
        ]
        if read[question]:
            work.append(("evidence", partial(_judged, evidence, read[question])))
        # Each goes first in turn: what runs first pays for what the others pushed out of the processor's caches.
        at = number % len(work)
        took = {name: _timed(step) for name, step in (*work[at:], *work[:at])}
        if "evidence" in took:
            took["judged_ask"] = took["ask"]
        for name, seconds in took.items():
            times[name].append(seconds)
    return times


def _judged(evidence: Recorded, calls: Sequence[tuple[str, tuple[str, ...]]]) -> None:
    for question, candidates in calls:
        evidence.judge(question, candidates)


def indexing(assistant: Assistant, embedder: Embedder, count: int, rounds: int = 2) -> tuple[float, float]:
    """Return texts a second through the embedder alone, and into an index, the better round of each."""
    from assistant.index import Chunk, Index
    from assistant.retrieve import corpus_chunks

    sources = itertools.cycle(list(corpus_chunks(assistant.corpus)))
    chunks = [
        Chunk(f"{at}/{chunk.id}", chunk.pmid, chunk.kind, f"{at}. {chunk.text}")
        for at, chunk in zip(range(count), sources, strict=False)
    ]
    bare, built = [], []
    for _ in range(rounds):
        bare.append(_timed(partial(embedder.encode, [chunk.text for chunk in chunks])))
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            index = Index.open(Path(folder), chunks, embedder)
            built.append(time.perf_counter() - began)
            index.close()
    return count / min(bare), count / min(built)


def starting(settings: Settings, count: int) -> tuple[list[float], list[float], float, float]:
    """Return the seconds of bare processes and of `study-assistant ask`, in turn, and the peak MiB of each kind."""
    from assistant.embed import packaged_model

    model = settings.embedder or str(packaged_model())
    commands = (
        [sys.executable, "-c", _BARE, model, QUESTIONS[0]],
        [sys.executable, "-m", "assistant.cli", "ask", QUESTIONS[0]],
    )
    environ = {
        **os.environ,
        "ASSISTANT_CORPUS": str(settings.corpus),
        "ASSISTANT_INDEX": str(settings.index_folder),
        "HF_HUB_OFFLINE": "1",
    }
    seconds: tuple[list[float], list[float]] = ([], [])
    memory = [0.0, 0.0]
    for _ in range(count):
        for at, command in enumerate(commands):
            took, peak = run(command, environ)
            seconds[at].append(took)
            memory[at] = max(memory[at], peak)
    return seconds[0], seconds[1], memory[0], memory[1]


def run(command: Sequence[str], environ: Mapping[str, str]) -> tuple[float, float]:
    """Return the seconds that a process took, and its peak resident memory in MiB.

    Raises:
        ModelError: It failed; the message has its last line.
    """
    launched = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCH, *command], env=dict(environ), capture_output=True, text=True, check=True
    )
    code, seconds, peak = launched.stdout.split()
    if code != "0":
        last = launched.stderr.strip().splitlines()[-1:]
        raise ModelError(f"{' '.join(command[1:3])} failed with {code}: {''.join(last)}")
    # Linux counts KiB, macOS bytes.
    return float(seconds), float(peak) / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
