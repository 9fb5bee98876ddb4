"""An answer that was just given is given again, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from assistant.errors import QuestionError
from assistant.records import Answer, Statement
from assistant.web.remembering import Remembering


class Counting:
    """Answers with the number of the call."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def stream(self, question: str, **options: Any) -> Iterator[Statement | Answer]:
        self.calls.append((question, options))
        if question == "wrong":
            raise QuestionError("no")
        yield Statement("One. [1]", ())
        yield Answer(str(len(self.calls)), "answered")


def ask(assistant: Remembering, question: str, **options: Any) -> str:
    *statements, answer = assistant.stream(question, **options)
    assert [type(item) for item in statements] == [Statement]
    assert isinstance(answer, Answer)
    return answer.text


def test_the_same_question_is_worked_out_once() -> None:
    counting = Counting()
    assistant = Remembering(counting, 10)
    assert [ask(assistant, "a"), ask(assistant, "b"), ask(assistant, "a")] == ["1", "2", "1"]
    assert len(counting.calls) == 2


@pytest.mark.parametrize(
    "options",
    [{"audience": "clinician"}, {"study": "1"}, {"history": [{"role": "user", "content": "x"}]}],
    ids=["audience", "study", "history"],
)
def test_what_is_asked_otherwise_is_another_question(options: dict[str, Any]) -> None:
    assistant = Remembering(Counting(), 10)
    assert ask(assistant, "a") == "1"
    assert ask(assistant, "a", **options) == "2"


def test_a_question_with_a_history_is_never_remembered() -> None:
    assistant = Remembering(Counting(), 10)
    history = [{"role": "user", "content": "x"}]
    assert [ask(assistant, "a", history=history) for _ in range(2)] == ["1", "2"]


def test_the_oldest_goes_first() -> None:
    assistant = Remembering(Counting(), 2)
    for question in "abac":
        ask(assistant, question)
    assert [ask(assistant, "a"), ask(assistant, "c"), ask(assistant, "b")] == ["1", "3", "4"]


def test_none_are_remembered_where_none_may_be() -> None:
    assistant = Remembering(Counting(), 0)
    assert [ask(assistant, "a"), ask(assistant, "a")] == ["1", "2"]


def test_what_failed_or_was_left_is_asked_anew() -> None:
    counting = Counting()
    assistant = Remembering(counting, 10)
    for _ in range(2):
        with pytest.raises(QuestionError):
            list(assistant.stream("wrong"))
    next(assistant.stream("a"))
    assert ask(assistant, "a") == "4"


class Echoing:
    """Refuses in the reader's own words, and answers in the source's."""

    def stream(self, question: str, **options: Any) -> Iterator[Statement | Answer]:
        yield Statement("Iron was 3 mg. [1]", ())
        told = "Iron was 3 mg. [1]" if "iron" in question else f"Iron was 3 mg. [1] Not reported: {question}"
        yield Answer(told, "answered")


def test_nothing_that_a_reader_wrote_is_kept() -> None:
    assistant = Remembering(Echoing(), 10)
    ask(assistant, "Has Aaliyah of Torquay epilepsy?")
    assert not assistant._known
    ask(assistant, "Does Aaliyah's mother get iron?")
    assert len(assistant._known) == 1 and "Aaliyah" not in repr(vars(assistant))
