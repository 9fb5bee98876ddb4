"""Settings are read from the environment once; a bad value is named with what was expected."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from assistant import config
from assistant.config import Settings
from assistant.errors import ConfigError

BAD = {
    "CORPUS": ("/nowhere", "expected an existing folder"),
    "PROMPTS": ("/nowhere", "expected an existing folder"),
    "EVIDENCE": ("/nowhere", "expected an existing folder"),
    "INDEX": (__file__, "is a file, expected a folder"),
    "THREADS": ("two", "expected a whole number"),
    "QUEUE": ("-1", "expected a whole number"),
    "MAX_CONCURRENCY": ("1.5", "expected a whole number"),
    "TRUSTED_HOPS": ("²", "expected a whole number"),
    "RETENTION_DAYS": ("٣", "expected a whole number"),
    "CHROMA_URL": ("chroma:8000", "expected a URL that begins with http"),
    "REDIS_URL": ("http://x", "expected a URL that begins with redis://"),
    "DATABASE_URL": ("mysql://x/y", "expected sqlite:///"),
    "ALLOWED_ORIGINS": ("*", "is not a site"),
    "RATE_LIMIT": ("30", "expected a rate such as 30/minute"),
    "RATE_LIMIT_TOTAL": ("0/minute", "expected a rate"),
    "STORE_QUESTIONS": ("maybe", "expected yes or no"),
    "MODEL_TIMEOUT": ("0", "expected seconds, more than 0"),
    "MODEL_BUDGET": ("nan", "expected seconds"),
    "MODEL_URL": ("localhost:8080", "expected a URL that begins with http"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_named_with_what_was_expected(name: str) -> None:
    value, expected = BAD[name]
    with pytest.raises(ConfigError, match="ASSISTANT_") as caught:
        Settings.from_env({f"ASSISTANT_{name}": value})
    assert f"ASSISTANT_{name}" in str(caught.value) and expected in str(caught.value)
    assert value.split("/")[-1] in str(caught.value)


def test_an_unknown_key_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"ASSISTANT_CORPSE is not a setting; .*ASSISTANT_CORPUS"):
        Settings.from_env({"ASSISTANT_CORPSE": "x"})


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings() == Settings.from_env({"PATH": "/bin", "ASSISTANT_THREADS": "  "})


def test_values_are_read(tmp_path: Path) -> None:
    read = Settings.from_env(
        {"ASSISTANT_CORPUS": str(tmp_path), "ASSISTANT_THREADS": " 3 ", "ASSISTANT_STORE_QUESTIONS": "Yes"}
    )
    assert (read.corpus, read.threads, read.thread_count, read.store_questions) == (tmp_path, 3, 3, True)


def test_a_home_folder_is_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings.from_env({"ASSISTANT_CORPUS": "~"}).corpus == tmp_path


def test_every_setting_has_a_parser_and_a_line_of_documentation() -> None:
    names = {field.name for field in fields(Settings)}
    assert names == set(config._PARSERS)
    for name in names:
        assert f"\n        {name}: " in (Settings.__doc__ or ""), f"{name} is not described in Settings' docstring"


def test_secrets_stay_out_of_repr_and_messages() -> None:
    assert "hunter2" not in repr(Settings(model_api_key="hunter2"))
    for name, value in {"REDIS_URL": "http://u:hunter2@h", "DATABASE_URL": "mysql://u:hunter2@h/d"}.items():
        with pytest.raises(ConfigError) as caught:
            Settings.from_env({f"ASSISTANT_{name}": value})
        assert "hunter2" not in str(caught.value)


def test_the_environment_is_not_read_at_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSISTANT_CORPUS", str(tmp_path))
    assert Settings().corpus != tmp_path
    assert Settings.from_env().corpus == tmp_path
