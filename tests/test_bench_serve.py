"""The load on the API, on a fake: what it counts, and that nothing hostile gets a 5xx."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fakes import FakeAssistant
from webserver import app_for, served

from assistant.bench.hostile import attack
from assistant.bench.load import QUESTIONS, Load, run_clients
from assistant.bench.phone import Phone
from assistant.bench.serve import ServeFigures


def port(url: str) -> int:
    return urlsplit(url).port or 0


def test_a_load_counts_answers_and_errors(tmp_path: Path) -> None:
    fake = FakeAssistant(statements=1)
    with served(app_for(tmp_path, fake)) as url:
        times, errors, took = asyncio.run(run_clients(port(url), "/api/v1/ask", 3, 0.5))
        assert errors == 0 and len(times) == len(fake.calls) > 3 and 0.5 <= took < 5
        assert {call["question"] for call in fake.calls} <= set(QUESTIONS)
        times, errors, _ = asyncio.run(run_clients(port(url), "/api/v1/nothing", 1, 0.2))
        assert times == [] and errors > 0


def test_hostile_requests_get_no_5xx_and_some_reach_the_assistant(tmp_path: Path) -> None:
    fake = FakeAssistant(statements=1)
    with served(app_for(tmp_path, fake, queue=32)) as url:
        assert asyncio.run(attack(port(url), 1200)) == 0
    assert len(fake.calls) > 100


def test_a_server_that_breaks_is_counted(tmp_path: Path) -> None:
    with served(app_for(tmp_path, FakeAssistant(failure=ValueError("broken")))) as url:
        assert asyncio.run(attack(port(url), 80)) > 0


@pytest.mark.parametrize(
    "words",
    [
        "| 8 | bare encoder | 40.0 | 15, 25 | 100% | 0 |",
        "| 8 | API, every answer worked out | 30.0 | 20, 40 | 75% | 2 |",
        "| 8 | API as delivered | 50.0 | 10, 20 | 125% | 0 |",
        "5000, of which 0",
        "9000 bytes gzip",
        "button after 1.5 s, the first statement 0.7 s",
    ],
)
def test_the_table_holds_what_was_measured(words: str) -> None:
    api, bare, again = (
        Load(8, 300, 2, 30.0, 20.0, 40.0),
        Load(8, 400, 0, 40.0, 15.0, 25.0),
        Load(8, 500, 0, 50.0, 10, 20),
    )
    figures = ServeFigures((api,), (again,), (bare,), 5000, 0, (500.0, 505.0, 510.0), 9000, Phone(1.5, 0.7, 2.2))
    assert words in figures.table()
