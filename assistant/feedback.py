"""What readers say about answers, what could not be answered, and the report on both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Rating = Literal["up", "down", "up+", "down+"]
"""A thumb; with "+", a comment that follows a thumb which was sent before, and is not counted again."""
RATINGS: tuple[Rating, ...] = get_args(Rating)


@dataclass(frozen=True, slots=True)
class Feedback:
    """A reader's rating of one answer, and what they wrote beside it.

    Attributes:
        rating: One of `RATINGS`.
        surface: Where it was given: "page", "widget" or "api".
    """

    rating: str
    comment: str = ""
    question: str = ""
    outcome: str = ""
    audience: str = ""
    study: str = ""
    surface: str = "api"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that the corpus did not answer; `outcome` says how it was refused."""

    question: str
    outcome: str
    audience: str
    study: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Unanswered questions that read the same; `question` is "" for those whose text was not kept."""

    question: str
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """What an owner wants to know: thumbs, the latest comments, and what could not be answered, most asked first."""

    ups: int
    downs: int
    comments: tuple[Feedback, ...]
    unanswered: tuple[Asked, ...]

    def __str__(self) -> str:
        lines = [f"Ratings: {self.ups} up, {self.downs} down"]
        lines += [f"  {item.rating.rstrip('+')}: {' '.join(item.comment.split())}" for item in self.comments]
        lines.append(f"Unanswered questions: {sum(item.count for item in self.unanswered)}")
        for item in self.unanswered:
            shown = " ".join(item.question.split()) or "(text not kept; ASSISTANT_STORE_QUESTIONS=yes keeps it)"
            lines.append(f"  {item.count} × {item.outcome}: {shown}")
        return "\n".join(lines)
