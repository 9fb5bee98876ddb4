"""What may be sent to the API; unknown fields are refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from assistant.feedback import Rating
from assistant.messages import Messages
from assistant.records import Outcome
from assistant.web.problems import Problem

QUESTION = 2_000
"""Characters of a question."""
COMMENT = 2_000
"""Characters of a comment."""
TURNS = 20
"""Messages of a history."""
TURN = 8_000
"""Characters of one message of a history."""
HISTORY = 40_000
"""Characters of a history."""

_Pmid = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TurnBody(_Body):
    """One message of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=TURN)


class AskBody(_Body):
    """A question, who asks, what was said before, and the one study that it is about, if any."""

    question: str = Field(min_length=1, max_length=QUESTION, examples=["Did the supplement change the milk?"])
    audience: Literal["parent", "clinician"] = "parent"
    history: list[TurnBody] = Field(default_factory=list, max_length=TURNS)
    study: _Pmid | None = None

    @field_validator("question")
    @classmethod
    def _says_something(cls, question: str) -> str:
        if not question.strip():
            raise ValueError("is empty")
        return question

    @field_validator("history")
    @classmethod
    def _fits(cls, history: list[TurnBody]) -> list[TurnBody]:
        if sum(len(turn.content) for turn in history) > HISTORY:
            raise ValueError(f"has more than {HISTORY} characters in all; leave out the oldest messages")
        return history


class FeedbackBody(_Body):
    """A rating of one answer, or with "+" a comment on one that was sent before, which is not counted again.

    The question is kept only where the owner turned that on.
    """

    rating: Rating
    comment: str = Field("", max_length=COMMENT)
    question: str = Field("", max_length=QUESTION)
    outcome: Outcome | Literal[""] = ""
    audience: Literal["parent", "clinician", ""] = ""
    study: _Pmid | None = None
    surface: Literal["page", "widget", "api"] = "api"


class FeedbackStored(BaseModel):
    """What was kept."""

    stored: bool
    question_stored: bool


def problem_of(error: RequestValidationError, messages: Messages) -> Problem:
    """Return what is wrong with a body, field by field, without repeating what was in it."""
    found: list[Mapping[str, Any]] = list(error.errors())
    if any(item["type"] == "json_invalid" for item in found):
        return Problem("bad_json", 'The body is not JSON; send an object such as {"question": "…"}.')
    errors = [{"field": _field(item["loc"]), "message": _message(item)} for item in found[:20]]
    detail = "; ".join(f"{item['field']} {item['message']}" for item in errors[:3])
    for item in found:
        if tuple(item["loc"])[-1:] == ("question",) and item["type"] == "string_too_long":
            detail = messages.say("web.too_long", limit=f"{QUESTION:,}")
        elif tuple(item["loc"])[-1:] == ("question",) and item["type"] in ("string_too_short", "value_error"):
            detail = messages.say("web.empty")
    return Problem("invalid", detail, errors)


def _field(location: Iterable[object]) -> str:
    """Return where a field is: `history.0.role`, or `body` for the whole."""
    names = [str(part)[:60] for part in location]
    return ".".join(names[1:]) or "body"


def _message(item: Mapping[str, Any]) -> str:
    """Return what was expected of a field."""
    if item["type"] == "extra_forbidden":
        return "is not a field here; remove it"
    if item["type"] == "missing":
        return "is missing"
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    if item["type"].startswith("model_"):
        return "should be a JSON object, sent as application/json"
    said = str(item["msg"])
    return said[:1].lower() + said[1:]
