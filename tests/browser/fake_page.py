"""The chat page around an assistant that answers at once from the real corpus; run it to look at the page by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from assistant.config import Settings
from assistant.corpus import Corpus, read_corpus
from assistant.errors import DatabaseError, ModelError
from assistant.feedback import Feedback
from assistant.records import Answer, Audience, Citation, Sentence, Statement, Study, Turn

NAUGHTY = "p<0.001 and $x^2$ <b onclick=alert(1)>bold</b> {{value}} ${value} [9] [1](javascript:alert(1))"


class PageAssistant:
    """Answers by what the question says; "slow" waits between statements, "broken" fails, the rest cites the study.

    Attributes:
        calls: What was asked, in order.
        ratings: What was rated, in order; a comment "lose" fails as a dead database does.
        go: Cleared, it holds "slow" questions after their first statement.
        play: What every question gets, where it is set.
    """

    def __init__(self) -> None:
        self.settings = Settings(max_concurrency=2, queue=4)
        self.corpus: Corpus = read_corpus(self.settings.corpus)
        self.calls: list[dict[str, Any]] = []
        self.ratings: list[Feedback] = []
        self.go = threading.Event()
        self.go.set()
        self.play: Answer | None = None

    @property
    def study(self) -> Study:
        """The study that is cited."""
        return self.corpus.studies[0]

    def rate(self, feedback: Feedback) -> None:
        """Take a rating."""
        if feedback.comment == "lose":
            raise DatabaseError("the feedback database is gone")
        self.ratings.append(feedback)

    def stream(
        self, question: str, *, audience: Audience = "parent", history: Sequence[Turn] = (), study: str | None = None
    ) -> Iterator[Statement | Answer]:
        """Yield statements, then the answer."""
        self.calls.append({"question": question, "audience": audience, "history": list(history), "study": study})
        if self.play is not None:
            yield self.play
            return
        if "broken" in question:
            raise ModelError("the model is gone")
        if "zinc" in question:
            yield Answer("The study doesn't report zinc.", "not_in_study", follow_ups=("Who took part?",))
            return
        if "figures" in question:
            chosen = [self._sentence("technical", "348 pmol/L vs."), self._sentence("published", "698 pmol/L")]
            notice = "\n\n**The page and the published paper don't agree here.** 348 pmol/L [1] and 698 pmol/L [2]."
            findings = tuple(f for f in self.study.findings if f.measure == "vitamin B12")
        elif "naughty" in question:
            chosen = [self._sentence("technical", "348 pmol/L vs.")]
            notice = f"\n\n{NAUGHTY} {'longword' * 40}"
            findings = ()
        else:
            chosen = [self._sentence("summary", "It found that babies"), self._sentence("summary", "Breast Milk:")]
            chosen += [self._sentence("published", "In Canada, B12 in the mother")]
            notice, findings = "", ()
        shown = []
        for number, sentence in enumerate(chosen, 1):
            if "slow" in question and number > 1:
                self.go.wait(20)
                time.sleep(0.05)
            shown.append(Statement(f"{sentence.text} [{number}]", (self._cite(number, sentence),)))
            yield shown[-1]
        citations = tuple(citation for statement in shown for citation in statement.citations)
        text = "\n\n".join(statement.text for statement in shown) + notice
        follow_ups = ("How many mothers took part?", "What are the study’s limitations?")
        yield Answer(text, "answered", citations, findings=findings, follow_ups=follow_ups, confidence=0.9)

    def _sentence(self, source: str, part: str) -> Sentence:
        return next(sentence for sentence in self.study.source(source).sentences if part in sentence.text)

    def quoting(self, texts: Sequence[str]) -> Answer:
        """Return an answer that says texts as they are, quotes each, and offers them as follow-ups."""
        place = self.study.source("technical").sentences[0]
        cited = tuple(
            Citation(number, place.pmid, "technical", text, text, place.start, place.end, text)
            for number, text in enumerate(texts, 1)
        )
        said = "\n\n".join(f"{text} [{number}]" for number, text in enumerate(texts, 1))
        return Answer(said, "answered", cited, follow_ups=tuple(texts[:20]), confidence=0.9)

    def _cite(self, number: int, sentence: Sentence) -> Citation:
        return Citation(
            number,
            sentence.pmid,
            sentence.source,
            sentence.section,
            sentence.text,
            sentence.start,
            sentence.end,
            self.study.url,
        )


if __name__ == "__main__":
    import uvicorn
    from fastapi import FastAPI

    from assistant.messages import Messages
    from assistant.web import ui

    fake = PageAssistant()
    messages = Messages.load(fake.settings.prompts)
    uvicorn.run(ui.mount(FastAPI(), fake, messages, on_feedback=fake.rate), port=7999, log_level="warning")
