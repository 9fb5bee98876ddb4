"""The straight way from a question to an `Answer`; the stages know nothing of each other, only this file joins them."""

from __future__ import annotations

import asyncio
import threading
import unicodedata
from collections.abc import AsyncIterator, Iterator, Sequence
from types import TracebackType
from typing import get_args

from assistant import bibliography, rewrite, verify
from assistant.compose import Draft, extractive
from assistant.compose.refusal import missing_terms, suggestions
from assistant.config import Settings
from assistant.corpus import Corpus, read_corpus
from assistant.embed import Embedder, SentenceTransformerEmbedder, Vectors
from assistant.errors import QuestionError
from assistant.evidence import Evidence, Judgement
from assistant.index import Changes, Progress
from assistant.messages import Messages
from assistant.records import Answer, Audience, Hit, Outcome, Statement, Study, Turn
from assistant.retrieve import Retriever
from assistant.triage import Triage, Triaged

QUESTION_CHARACTERS = 2_000
HISTORY_TURNS = 40
CANDIDATES = 10
"""Sentences that the evidence model reads for one question. Source: `study-assistant bench` and the README's table."""


class Assistant:
    """Answers questions about the studies of a corpus; safe to use from many threads.

    Use `Assistant.open`; close it, or use it as a context manager.
    """

    def __init__(
        self,
        settings: Settings,
        corpus: Corpus,
        messages: Messages,
        embedder: Embedder,
        retriever: Retriever,
        evidence: Evidence,
        triage: Triage,
    ) -> None:
        self.settings = settings
        self.corpus = corpus
        self.messages = messages
        self._embedder = embedder
        self._retriever = retriever
        self._evidence = evidence
        self._triage = triage
        self._encoding = threading.Lock()

    @classmethod
    def open(cls, settings: Settings | None = None, *, progress: Progress | None = None) -> Assistant:
        """Return an assistant over the corpus that the settings name, indexing what is new.

        Args:
            settings: `Settings.from_env()` where not given.
            progress: Called with (done, total) texts while indexing.

        Raises:
            AssistantError: A setting, the corpus, a prompt, the model or the index can't be used; see `errors`.
        """
        from assistant.evidence.model import EvidenceModel

        settings = settings or Settings.from_env()
        messages = Messages.load(settings.prompts)
        corpus = read_corpus(settings.corpus)
        embedder = SentenceTransformerEmbedder(settings.embedder, settings.thread_count)
        retriever = Retriever(corpus, embedder, settings.index_folder, url=settings.chroma_url, progress=progress)
        evidence = EvidenceModel.load(settings.evidence, settings.thread_count)
        return cls(settings, corpus, messages, embedder, retriever, evidence, Triage(embedder.name))

    def __enter__(self) -> Assistant:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def changes(self) -> Changes:
        """What opening the index had to do."""
        return self._retriever.changes

    def close(self) -> None:
        """Let go of the index."""
        self._retriever.close()

    def ask(
        self,
        question: str,
        *,
        audience: Audience = "parent",
        history: Sequence[Turn] = (),
        study: str | None = None,
    ) -> Answer:
        """Return the answer to a question.

        Args:
            audience: "parent" for plain words, "clinician" for figures with n, statistic and p.
            history: The conversation so far, oldest first.
            study: PMID of the study to ask; the one that the question bears on most where not given.

        Raises:
            QuestionError: The question is empty, too long or not text; the audience, history or study is not valid.
            StoreError: The index does not answer.
        """
        *_, answer = self.stream(question, audience=audience, history=history, study=study)
        assert isinstance(answer, Answer)
        return answer

    def stream(
        self,
        question: str,
        *,
        audience: Audience = "parent",
        history: Sequence[Turn] = (),
        study: str | None = None,
    ) -> Iterator[Statement | Answer]:
        """Yield the statements of the answer as they are verified, then the answer; arguments as for `ask`."""
        question = clean(question)
        check_audience(audience)
        turns = check_history(history)
        if study is not None and study not in {s.pmid for s in self.corpus.studies}:
            known = ", ".join(s.pmid for s in self.corpus.studies)
            raise QuestionError(f"study {study!r} is not in the corpus; it holds {known}")
        return self._stream(question, audience, turns, study)

    def _stream(
        self, question: str, audience: Audience, history: Sequence[Turn], pmid: str | None
    ) -> Iterator[Statement | Answer]:
        vector = self._encode(question)
        triaged = self._triage(question, vector)
        if triaged.kind == "urgent":
            yield Answer(self.messages.say("urgent", audience).strip(), "urgent")
            return
        chosen = self.corpus.study(pmid or self._retriever.study_for(question, vector))
        if triaged.kind == "chat" and not bibliography.fields_asked(question):
            yield Answer(self._small_talk(question, audience, chosen), "chat", follow_ups=suggestions(chosen))
            return
        reply = _Reply(self, audience, chosen)
        yield from reply.answer(question, vector, history, triaged)

    async def aask(
        self,
        question: str,
        *,
        audience: Audience = "parent",
        history: Sequence[Turn] = (),
        study: str | None = None,
    ) -> Answer:
        """Return the answer to a question without blocking the event loop; see `ask`."""
        return await asyncio.to_thread(self.ask, question, audience=audience, history=history, study=study)

    async def astream(
        self,
        question: str,
        *,
        audience: Audience = "parent",
        history: Sequence[Turn] = (),
        study: str | None = None,
    ) -> AsyncIterator[Statement | Answer]:
        """Yield what `stream` yields without blocking the event loop."""
        items = self.stream(question, audience=audience, history=history, study=study)
        done = object()
        while (item := await asyncio.to_thread(next, items, done)) is not done:
            assert isinstance(item, Statement | Answer)
            yield item

    def search(self, question: str, *, k: int = 10, study: str | None = None) -> tuple[Hit, ...]:
        """Return the k sentences that bear on a question most, best first.

        Raises:
            QuestionError: The question is empty, too long or not text, or k is not positive.
            StoreError: The index does not answer.
        """
        question = clean(question)
        if k < 1:
            raise QuestionError(f"k is {k}, expected at least 1")
        return self._retriever.search(question, self._encode(question), k, study)

    def _encode(self, text: str) -> Vectors:
        with self._encoding:
            vector: Vectors = self._embedder.encode([text])[0]
        return vector

    def _small_talk(self, question: str, audience: Audience, study: Study) -> str:
        lowered = question.lower()
        words = set(lowered.replace("?", " ").replace("!", " ").replace(",", " ").split())
        if words & {"thanks", "thank", "thx", "cheers", "ta"}:
            return self.messages.say("chat.thanks", audience)
        if words & {"bye", "goodbye", "night"}:
            return self.messages.say("chat.goodbye", audience)
        if words & {"you", "your", "u", "this", "bot", "ai", "robot", "doctor", "trust", "yourself"}:
            return self.messages.say("chat.about", audience, title=study.title, year=study.year or "n.d.")
        if words & {"hi", "hello", "hey", "morning", "evening", "afternoon", "hiya", "there"} or len(words) < 2:
            return self.messages.say("chat.greeting", audience)
        return self.messages.say("chat.other", audience)


class _Reply:
    """One reply under way: retrieves, judges, composes and verifies for one study and audience."""

    def __init__(self, assistant: Assistant, audience: Audience, study: Study) -> None:
        self._assistant = assistant
        self._messages = assistant.messages
        self._audience: Audience = audience
        self._study = study
        self._verifier = verify.Verifier(study)

    def answer(
        self, question: str, vector: Vectors, history: Sequence[Turn], triaged: Triaged
    ) -> Iterator[Statement | Answer]:
        """Yield the statements, then the answer."""
        about_record = bibliography.drafts(question, self._study)
        if about_record and triaged.kind != "advice":
            yield from self._finish(about_record, "answered", 1.0)
            return
        asked, hits, judgement = self._judged(question, vector, history)
        evidence = self._assistant._evidence
        if triaged.kind == "off_topic" and judgement.answered < evidence.threshold:
            text = self._messages.say("off_topic", self._audience)
            yield Answer(text, "off_topic", follow_ups=suggestions(self._study), confidence=1 - judgement.answered)
            return
        answered = judgement.answered >= evidence.threshold
        candidates = [
            extractive.Candidate(hit.sentence, p) for hit, p in zip(hits, judgement.sentences, strict=True)
        ]
        if triaged.kind == "advice":
            yield from self._advise(asked, candidates)
        elif answered:
            yield from self._finish(self._compose(asked, candidates), "answered", judgement.answered)
        else:
            yield from self._refuse(asked, candidates, judgement)

    def _judged(self, question: str, vector: Vectors, history: Sequence[Turn]) -> tuple[str, tuple[Hit, ...], Judgement]:
        """Return the question as understood, its candidates and their judgement.

        A question with a history is judged as asked and as rewritten; what stands alone and is answered stays as it is.
        """
        rewritten = rewrite.standalone(question, history, self._study)
        if rewritten != question:
            vector = self._assistant._encode(rewritten)
        hits = self._assistant._retriever.search(rewritten, vector, CANDIDATES, self._study.pmid)
        texts = [hit.sentence.in_context for hit in hits]
        return rewritten, hits, self._assistant._evidence.judge(rewritten, texts)

    def _compose(self, question: str, candidates: Sequence[extractive.Candidate]) -> list[Draft]:
        return extractive.compose(
            question, candidates, self._study, self._audience, floor=0.5, idf=self._assistant._retriever.idf
        )

    def _finish(
        self, drafts: Sequence[Draft], outcome: Outcome, confidence: float, lead: str = ""
    ) -> Iterator[Statement | Answer]:
        said = []
        for statement in self._verifier.statements(drafts):
            said.append(statement)
            yield statement
        text = "\n\n".join(filter(None, [lead, " ".join(s.text for s in said)]))
        yield Answer(
            text, outcome, self._verifier.citations, follow_ups=suggestions(self._study), confidence=confidence
        )

    def _refuse(
        self, question: str, candidates: Sequence[extractive.Candidate], judgement: Judgement
    ) -> Iterator[Statement | Answer]:
        missing = missing_terms(question, self._study)
        lead = (
            self._messages.say("refusal.lead", self._audience, missing=missing)
            if missing
            else self._messages.say("refusal.unnamed", self._audience)
        )
        nearest = self._compose(question, candidates)[:1]
        lead = f"{lead}\n\n{self._messages.say('refusal.nearest', self._audience)}" if nearest else lead
        yield from self._finish(nearest, "not_in_study", 1 - judgement.answered, lead)

    def _advise(self, question: str, candidates: Sequence[extractive.Candidate]) -> Iterator[Statement | Answer]:
        lead = self._messages.say("advice", self._audience)
        drafts = self._compose(question, [c for c in candidates if c.probability >= 0.2])[:2]
        key = "advice.context" if drafts else "advice.nothing"
        yield from self._finish(drafts, "medical_advice", 1.0, f"{lead}\n\n{self._messages.say(key, self._audience)}")


def clean(question: str) -> str:
    """Return a question in NFC with white space folded and invisible characters left out.

    Raises:
        QuestionError: It is not text, holds no word, or has more than `QUESTION_CHARACTERS` characters.
    """
    if not isinstance(question, str):
        raise QuestionError(f"the question is {type(question).__name__}, expected text")
    if len(question) > QUESTION_CHARACTERS:
        raise QuestionError(
            f"the question has {len(question):,} characters; ask it in at most {QUESTION_CHARACTERS:,}"
        )
    kept = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in question if _visible(c))
    text = " ".join(unicodedata.normalize("NFC", "".join(kept)).split())
    if not any(c.isalnum() for c in text):
        raise QuestionError("the question is empty; ask it in words")
    return text


def _visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cf", "Cs", "Co", "Cn") or character == "\u200d"


def check_audience(audience: str) -> None:
    """Raise `QuestionError` unless the audience is one of those that replies are written for."""
    known = get_args(Audience)
    if audience not in known:
        raise QuestionError(f"audience is {audience!r}, expected {' or '.join(map(repr, known))}")


def check_history(history: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return the last turns of a history, cleaned.

    Raises:
        QuestionError: A turn is not `{"role": "user" or "assistant", "content": text}`.
    """
    turns: list[Turn] = []
    for number, turn in enumerate(history, 1):
        if (
            not isinstance(turn, dict)
            or turn.get("role") not in ("user", "assistant")
            or not isinstance(turn.get("content"), str)
        ):
            raise QuestionError(
                f'history turn {number} is {turn!r:.80}, expected {{"role": "user" or "assistant", "content": "…"}}'
            )
        content = " ".join(turn["content"][:20_000].split())
        if content:
            turns.append(Turn(role=turn["role"], content=content))
    return tuple(turns[-HISTORY_TURNS:])
