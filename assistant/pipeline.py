"""The straight way from a question to an `Answer`; the stages know nothing of each other, only this file joins them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

from assistant import bibliography, rewrite
from assistant.agreement import asks_about_agreement
from assistant.compose.refusal import suggestions
from assistant.config import Settings
from assistant.corpus import Corpus, read_corpus
from assistant.embed import Embedder, SentenceTransformerEmbedder, Vectors
from assistant.errors import QuestionError
from assistant.evidence import Evidence
from assistant.figures import matching
from assistant.gist import gist
from assistant.index import Changes, Progress
from assistant.messages import Messages
from assistant.question import check_audience, check_history, clean
from assistant.records import Answer, Audience, Hit, Statement, Study, Turn
from assistant.reply import Reply, Tools
from assistant.retrieve import Retriever
from assistant.split_cache import SplitCache
from assistant.triage import Triage, Triaged
from assistant.triage.words import alarms, speaks_of_someone, tells_of_acting

if TYPE_CHECKING:
    from assistant.compose.llm import LanguageModel

SURELY_STUDY, MAYBE_URGENT = 0.9, 0.2
"""What a message asks must be so surely about the study, and all of it so little urgent, to be no wish for advice.

Source: 1,247 messages not trained on: none of any kind is changed by it; it is for those that tell much before asking.
"""
SURELY_CHAT = 0.7
"""From this probability on a short message after a history ("thanks!") is small talk and not a follow-up."""


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
        model: LanguageModel | None = None,
    ) -> None:
        self.settings = settings
        self.corpus = corpus
        self.messages = messages
        self._tools = Tools(messages, embedder, retriever, evidence, model)
        self._triage = triage

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
        splits = SplitCache(settings.index_folder)
        corpus = read_corpus(settings.corpus, splits.sections)
        splits.save()
        embedder = SentenceTransformerEmbedder(settings.embedder, settings.thread_count)
        retriever = Retriever(corpus, embedder, settings.index_folder, url=settings.chroma_url, progress=progress)
        evidence = EvidenceModel.load(settings.evidence, settings.thread_count)
        model = None
        if settings.model:
            from assistant.compose.llm import LanguageModel

            model = LanguageModel.open(settings, messages)
        return cls(settings, corpus, messages, embedder, retriever, evidence, Triage(), model)

    def __enter__(self) -> Assistant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def changes(self) -> Changes:
        """What opening the index had to do."""
        return self._tools.retriever.changes

    @property
    def model(self) -> LanguageModel | None:
        """The chat model that phrases answers, or None; its `counts` say what became of its statements."""
        return self._tools.model

    def without_model(self) -> Assistant:
        """Return this assistant without its chat model; both share the index, so close one of them."""
        tools, bare = self._tools, replace(self.settings, model="")
        return Assistant(
            bare, self.corpus, tools.messages, tools.embedder, tools.retriever, tools.evidence, self._triage
        )

    def close(self) -> None:
        """Let go of the index."""
        self._tools.retriever.close()

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
        self._check_study(study)
        return self._stream(question, audience, turns, study)

    def _stream(
        self, question: str, audience: Audience, history: Sequence[Turn], pmid: str | None
    ) -> Iterator[Statement | Answer]:
        triaged = self._triage(question)
        if triaged.kind == "urgent" and not self._only_asks(question, pmid):
            yield Answer(self.messages.say("urgent", audience).strip(), "urgent")
            return
        if triaged.kind == "urgent" or (triaged.kind == "advice" and self._asks_of_study(question, triaged)):
            triaged = replace(triaged, kind="study")
        vector = self._encode(question)
        chosen = self.corpus.study(pmid or self._tools.retriever.study_for(question, vector))
        if triaged.kind in ("chat", "off_topic") and self._continues(question, history, chosen, triaged):
            triaged = replace(triaged, kind="study")
        if triaged.kind == "chat":
            yield Answer(self._small_talk(question, audience, chosen), "chat", follow_ups=suggestions(chosen))
            return
        yield from Reply(self._tools, chosen, audience).answer(question, vector, history, triaged)

    def _only_asks(self, question: str, pmid: str | None) -> bool:
        """Return whether a message that looks urgent does nothing but ask for figures, or whether the sources agree.

        It must have no word of alarm and speak of nobody. No index is asked: an emergency is met also without one.
        """
        if alarms(question) or speaks_of_someone(question) or (pmid is None and len(self.corpus.studies) > 1):
            return False
        study = self.corpus.study(pmid or self.corpus.studies[0].pmid)
        return bool(matching(question, study)) or asks_about_agreement(question, study)

    def _asks_of_study(self, question: str, triaged: Triaged) -> bool:
        """Return whether only what a message tells of the asker makes it look like one that wants advice."""
        asked = gist(question)
        if asked == question or tells_of_acting(question) or triaged.probabilities["urgent"] >= MAYBE_URGENT:
            return False
        alone = self._triage(asked)
        return alone.kind == "study" and alone.probabilities["study"] >= SURELY_STUDY

    def _continues(self, question: str, history: Sequence[Turn], study: Study, triaged: Triaged) -> bool:
        """Return whether what looks like small talk or another topic asks about the study after all."""
        if bibliography.fields_asked(question) or asks_about_agreement(question, study):
            return True
        return bool(history) and triaged.probabilities["chat"] < SURELY_CHAT and rewrite.follows_up(question, study)

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
        self._check_study(study)
        if k < 1:
            raise QuestionError(f"k is {k}, expected at least 1")
        return self._tools.retriever.search(question, self._encode(question), k, study)

    def _check_study(self, pmid: str | None) -> None:
        known = [study.pmid for study in self.corpus.studies]
        if pmid is not None and pmid not in known:
            few = ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")
            raise QuestionError(f"study {pmid!r} is not in the corpus; it holds {few}")

    def _encode(self, text: str) -> Vectors:
        vector: Vectors = self._tools.embedder.encode([text])[0]
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
