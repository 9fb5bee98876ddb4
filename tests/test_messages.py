"""Fixed texts come from one file, by audience; what is missing is named when the file is loaded."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

import pytest
from conftest import ROOT

from assistant.errors import PromptError
from assistant.messages import REQUIRED, Messages

SHIPPED = ROOT / "prompts" / "messages.toml"
LITERAL = re.compile(r"""\b_?messages\.(?:say|list)\(\s*["']([\w.]+)["']""")


def stems() -> dict[str, set[str]]:
    """Return the shipped texts' keys without their audience, with the fields that they use."""
    found: dict[str, set[str]] = {}
    for key, value in Messages(tomllib.loads(SHIPPED.read_text("utf-8")))._texts.items():
        texts = [value] if isinstance(value, str) else value
        used = {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}
        found.setdefault(re.sub(r"\.(?:parent|clinician)$", "", key), set()).update(used)
    return found


def test_every_text_that_ships_is_required() -> None:
    lacking = {key: used for key, used in stems().items() if key not in REQUIRED or not used <= set(REQUIRED[key])}
    lines = "\n".join(f"{key} {' '.join(sorted(used))}".strip() for key, used in sorted(lacking.items()))
    assert not lacking, f"add to _REQUIRED in assistant/messages.py:\n{lines}"
    unknown = sorted(set(REQUIRED) - set(stems()))
    assert not unknown, f"take out of _REQUIRED, or add to {SHIPPED}: {unknown}"


def test_every_text_that_the_package_says_ships() -> None:
    said = {key for path in (ROOT / "assistant").rglob("*.py") for key in LITERAL.findall(path.read_text("utf-8"))}
    assert len(said) > 20
    assert sorted(said - set(stems())) == []


@pytest.mark.parametrize("key", ["refusal.lead", "urgent", "page.title", "chat.greeting"])
def test_a_missing_text_fails_at_start_with_its_key(key: str, tmp_path: Path) -> None:
    text = SHIPPED.read_text("utf-8")
    table, _, name = key.rpartition(".")
    start = text.index(f"[{table or key}]")
    if table:
        end = re.compile(r"^\[", re.M).search(text, start + 1)
        block = text[start : end.start() if end else None]
        (tmp_path / "messages.toml").write_text(text.replace(block, re.sub(rf"^{name}\b.*$", "", block, flags=re.M)))
    else:
        end = re.compile(r"^\[", re.M).search(text, start + 1)
        (tmp_path / "messages.toml").write_text(text[:start] + text[end.start() if end else len(text) :])
    with pytest.raises(PromptError, match=rf"messages\.toml: {re.escape(key)} is missing; add it"):
        Messages.load(tmp_path)


def test_an_unknown_field_fails_at_start_with_its_key(tmp_path: Path) -> None:
    text = SHIPPED.read_text("utf-8").replace("{missing}", "{missed}", 1)
    (tmp_path / "messages.toml").write_text(text)
    with pytest.raises(PromptError, match=r"refusal\.lead.* uses \{missed\}"):
        Messages.load(tmp_path)


BROKEN = {
    "no file": (None, "cannot be read"),
    "not TOML": ("a = b", "cannot be read"),
    "not UTF-8": (b'a = "\xff"', "cannot be read"),
    "a number": ('[urgent]\nparent = 3\nclinician = "x"', "urgent.parent is 3, expected a text"),
    "an open brace": ("urgent = 'x {'", "urgent has a brace too many or too few"),
    "a nameless field": ("urgent = 'x {}'", "urgent uses {}"),
    "one audience": ('[urgent]\nparent = "x"', "urgent.clinician is missing beside urgent.parent"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_named(case: str, tmp_path: Path) -> None:
    content, said = BROKEN[case]
    if content is not None:
        (tmp_path / "messages.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PromptError, match=re.escape(said)) as caught:
        Messages.load(tmp_path)
    assert "messages.toml" in str(caught.value)


def test_texts_are_said_by_audience_with_their_fields() -> None:
    messages = Messages({"a": {"parent": "Hi {name}", "clinician": "Dear {name}"}, "b": "both", "c": ["1", "2"]})
    assert messages.say("a", name="Ann") == "Hi Ann"
    assert messages.say("a", "clinician", name="{x}") == "Dear {x}"
    assert messages.say("b", "clinician") == "both"
    assert messages.list("c") == ("1", "2")
    for wrong in (lambda: messages.say("z"), lambda: messages.say("a"), lambda: messages.say("c")):
        with pytest.raises(PromptError, match="messages.toml"):
            wrong()
    with pytest.raises(PromptError, match="expected a list"):
        messages.list("b")
