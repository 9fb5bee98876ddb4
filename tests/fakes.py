"""Small working stand-ins that record their calls."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.config import Settings
from assistant.corpus import Corpus, read_corpus
from assistant.errors import QuestionError
from assistant.records import Answer, Audience, Citation, Hit, Statement, Turn

CORPUS = Path(__file__).resolve().parent.parent / "corpus"


class FakeAssistant:
    """Cites the first sentences of the study for every question; "zinc" isn't in the study.

    Attributes:
        calls: What was asked, in order.
        model: It has no chat model.
        closed: Streams that were closed before their end.
        most_at_once: The most streams that ran at the same time.
    """

    def __init__(
        self,
        *,
        corpus: Path = CORPUS,
        statements: int = 2,
        seconds: float = 0.0,
        hold: threading.Event | None = None,
        failure: Exception | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.corpus: Corpus = read_corpus(corpus)
        self.settings = settings or Settings()
        self.model = None
        self.calls: list[dict[str, Any]] = []
        self.closed = 0
        self.steps = 0
        self.most_at_once = 0
        self._running = 0
        self._statements = statements
        self._seconds = seconds
        self._hold = hold
        self._failure = failure
        self._lock = threading.Lock()

    def without_model(self) -> FakeAssistant:
        """Return itself."""
        return self

    def stream(
        self, question: str, *, audience: Audience = "parent", history: Sequence[Turn] = (), study: str | None = None
    ) -> Iterator[Statement | Answer]:
        """Yield the statements, then the answer."""
        self.calls.append({"question": question, "audience": audience, "history": list(history), "study": study})
        with self._lock:
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        done = False
        try:
            if self._failure is not None:
                raise self._failure
            if study is not None and study not in {item.pmid for item in self.corpus.studies}:
                raise QuestionError(f"there is no study {study!r}")
            if self._hold is not None:
                self._hold.wait(20)
            if "zinc" in question:
                done = True
                yield Answer("The study doesn't report zinc.", "not_in_study", confidence=0.9)
                return
            shown = []
            for number, sentence in enumerate(self.corpus.studies[0].sentences[: self._statements], 1):
                time.sleep(self._seconds)
                self.steps += 1
                citation = Citation(
                    number,
                    sentence.pmid,
                    sentence.source,
                    sentence.section,
                    sentence.text,
                    sentence.start,
                    sentence.end,
                    self.corpus.studies[0].url,
                )
                shown.append(Statement(f"{sentence.text} [{number}]", (citation,)))
                yield shown[-1]
            done = True
            yield Answer(
                "\n\n".join(item.text for item in shown),
                "answered",
                tuple(citation for item in shown for citation in item.citations),
                findings=self.corpus.studies[0].findings[:2],
                follow_ups=("Who took part?",),
                confidence=0.93,
            )
        finally:
            with self._lock:
                self._running -= 1
                self.closed += not done

    def ask(
        self, question: str, *, audience: Audience = "parent", history: Sequence[Turn] = (), study: str | None = None
    ) -> Answer:
        """Return the last thing that `stream` yields."""
        *_, answer = self.stream(question, audience=audience, history=history, study=study)
        assert isinstance(answer, Answer)
        return answer

    async def aask(self, question: str, **rest: Any) -> Answer:
        """Return the same as `ask`."""
        return self.ask(question, **rest)

    async def astream(self, question: str, **rest: Any) -> AsyncIterator[Statement | Answer]:
        """Yield the same as `stream`."""
        for item in self.stream(question, **rest):
            yield item

    def search(self, question: str, *, k: int = 10, study: str | None = None) -> tuple[Hit, ...]:
        """Return the first sentences."""
        self.calls.append({"search": question, "k": k, "study": study})
        return tuple(Hit(sentence, 1.0) for sentence in self.corpus.studies[0].sentences[:k])
