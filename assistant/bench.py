"""Speed of the whole beside a bare baseline, both in the same run and taking turns, so that a busy machine slows both.

Ratios carry from one machine to another; milliseconds don't.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import ModelError
from assistant.evaluation.report import Table

if TYPE_CHECKING:
    from assistant.config import Settings
    from assistant.embed import Embedder
    from assistant.evidence import Evidence
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


@dataclass(frozen=True, slots=True)
class Times:
    """Median and 95th percentile of one thing done again and again, in milliseconds."""

    median: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Times:
        """Return the figures of measured times."""
        ordered = sorted(1000 * value for value in seconds)
        return cls(statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))])


@dataclass(frozen=True, slots=True)
class BenchFigures:
    """What was measured; each ratio is of medians.

    Attributes:
        ask: A warm question, from text to checked answer.
        encode: The embedding model alone on the same questions.
        evidence: The evidence model alone on the same questions' candidates.
        cold_ask: `study-assistant ask` as a process of its own, over an index that exists.
        cold_bare: A process that imports sentence-transformers, loads the model and encodes once.
        index_rate: Texts a second into the index.
        encode_rate: Texts a second through the embedding model alone.
        ask_memory: Peak resident memory of `study-assistant ask` in MiB.
        bare_memory: Peak resident memory of the bare process in MiB.
    """

    ask: Times
    encode: Times
    evidence: Times
    cold_ask: Times
    cold_bare: Times
    index_rate: float
    encode_rate: float
    ask_memory: float
    bare_memory: float

    @property
    def ratios(self) -> dict[str, float]:
        """Each figure beside its baseline."""
        return {
            "ask_to_encode": self.ask.median / self.encode.median,
            "ask_to_encode_and_evidence": self.ask.median / (self.encode.median + self.evidence.median),
            "index_to_encode": self.index_rate / self.encode_rate,
            "cold_ask_to_bare": self.cold_ask.median / self.cold_bare.median,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-ready values: milliseconds, texts a second, MiB, and the ratios."""
        return {**dataclasses.asdict(self), "ratios": self.ratios}

    def table(self) -> str:
        """Return the figures as text."""
        ratios = {name: f"{value:.2f} ×" for name, value in self.ratios.items()}
        rows = (
            ("warm ask", _ms(self.ask), f"encode {_ms(self.encode)}", ratios["ask_to_encode"]),
            ("", "", f"evidence {_ms(self.evidence)}", f"{ratios['ask_to_encode_and_evidence']} of both"),
            (
                "index build",
                f"{self.index_rate:.0f} texts/s",
                f"encode {self.encode_rate:.0f} texts/s",
                ratios["index_to_encode"],
            ),
            ("cold ask", _ms(self.cold_ask), f"bare process {_ms(self.cold_bare)}", ratios["cold_ask_to_bare"]),
            ("peak memory", f"{self.ask_memory:.0f} MiB", f"bare process {self.bare_memory:.0f} MiB", ""),
        )
        return str(Table("median (95th percentile)", ("", "this", "beside", "ratio"), rows))


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
    from assistant.embed import SentenceTransformerEmbedder
    from assistant.evidence.model import EvidenceModel
    from assistant.pipeline import Assistant

    with Assistant.open(settings) as assistant:
        embedder = SentenceTransformerEmbedder(settings.embedder, settings.thread_count)
        evidence = EvidenceModel.load(settings.evidence, settings.thread_count)
        encoded, judged, asked = warm(assistant, embedder, evidence, rounds)
        encode_rate, index_rate = indexing(assistant, embedder, texts)
    cold_bare, cold_ask, bare_memory, ask_memory = starting(settings, cold)
    return BenchFigures(
        ask=Times.of(asked),
        encode=Times.of(encoded),
        evidence=Times.of(judged),
        cold_ask=Times.of(cold_ask),
        cold_bare=Times.of(cold_bare),
        index_rate=index_rate,
        encode_rate=encode_rate,
        ask_memory=ask_memory,
        bare_memory=bare_memory,
    )


def warm(assistant: Assistant, embedder: Embedder, evidence: Evidence, rounds: int) -> tuple[list[float], ...]:
    """Return the seconds that encoding, the evidence and a whole question took, taking turns, after a first round."""
    from assistant.reply import CANDIDATES

    texts = {
        question: [hit.sentence.in_context for hit in assistant.search(question, k=CANDIDATES)]
        for question in QUESTIONS
    }
    times: tuple[list[float], ...] = ([], [], [])
    for number in range(rounds + 1):
        for question in QUESTIONS:
            parts: tuple[Callable[[], object], ...] = (
                partial(embedder.encode, [question]),
                partial(evidence.judge, question, texts[question]),
                partial(assistant.ask, question),
            )
            # Each goes first in turn: what runs first pays for what the others pushed out of the processor's caches.
            for at in ((number + step) % len(parts) for step in range(len(parts))):
                seconds = _timed(parts[at])
                if number:
                    times[at].append(seconds)
    return times


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
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=dict(environ), stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:]
            raise ModelError(f"{' '.join(command[1:3])} failed with {process.returncode}: {''.join(last)}")
    # Linux counts KiB, macOS bytes.
    return seconds, usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ms(times: Times) -> str:
    return f"{times.median:.0f} ({times.p95:.0f}) ms"
