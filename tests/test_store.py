"""The feedback database, on SQLite and on PostgreSQL."""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
import sqlalchemy as sa

import assistant.store as module
from assistant.config import Settings
from assistant.errors import ConfigError, DatabaseError
from assistant.feedback import Feedback, Unanswered
from assistant.store import Store

SECRET = "does my milk have enough iron?"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here; apt-get install postgresql")
    with postgres.server(programs) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new folder' / 'feedback.db'}"
    found: str = request.getfixturevalue("postgres_url")
    engine = sa.create_engine(found.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    engine.dispose()
    return found


def dump(store: Store) -> str:
    """Everything in the database, as one text."""
    with store._engine.connect() as connection:
        rows = [connection.execute(table.select()).all() for table in module._metadata.sorted_tables]
    return repr(rows)


def test_what_is_added_is_reported(url: str) -> None:
    with Store(url, keep_questions=True) as store:
        store.add_feedback(Feedback("up", comment="clear\0, thanks 🙂", question=SECRET, outcome="answered"))
        store.add_feedback(Feedback("down"))
        for question in ("Is there zinc?", "is there zinc?", "Who paid?"):
            store.add_unanswered(Unanswered(question, "not_in_study", "parent", "28287490"))
    with Store(url, keep_questions=True) as store:  # a second process, later
        report = store.report()
    assert (report.ups, report.downs) == (1, 1)
    assert [(item.comment, item.question) for item in report.comments] == [("clear, thanks 🙂", SECRET)]
    assert [(item.question.lower(), item.count) for item in report.unanswered] == [
        ("is there zinc?", 2),
        ("who paid?", 1),
    ]
    assert "Ratings: 1 up, 1 down" in str(report) and "2 × not_in_study:" in str(report)


def test_a_comment_that_follows_a_thumb_is_shown_and_not_counted_again(url: str) -> None:
    with Store(url) as store:
        for rating, comment in (("up", ""), ("up+", "clear"), ("down", ""), ("down+", "too long"), ("down", "at once")):
            store.add_feedback(Feedback(rating, comment))
        report = store.report()
    assert (report.ups, report.downs) == (1, 2)
    assert [(item.rating, item.comment) for item in report.comments] == [
        ("down", "at once"),
        ("down+", "too long"),
        ("up+", "clear"),
    ]
    assert "Ratings: 1 up, 2 down" in str(report) and "  down: too long\n  up: clear\n" in str(report)


def test_question_text_stays_out_unless_turned_on(url: str) -> None:
    with Store(url) as store:
        store.add_feedback(Feedback("down", question=SECRET))
        store.add_unanswered(Unanswered(SECRET, "not_in_study", "parent"))
        assert "iron" not in dump(store)
        assert [(item.question, item.count) for item in store.report().unanswered] == [("", 1)]


def test_retention_deletes_what_is_old_and_only_that(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    with Store(url, retention_days=30) as store:
        for age in (31, 29):
            monkeypatch.setattr(module.time, "time", lambda age=age: now - age * module.DAY)
            store.add_feedback(Feedback("up"))
            store.add_unanswered(Unanswered("q", "off_topic", "parent"))
        monkeypatch.setattr(module.time, "time", lambda: now)
        assert store.purge() == 2
        assert store.purge() == 0
        assert store.report(days=365).ups == 1


def test_the_migrations_make_the_tables_that_the_code_uses(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with Store(url) as store:
        store.add_feedback(Feedback("up"))
        with store._engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), module._metadata) == []


def test_many_threads_and_several_stores_lose_nothing(url: str) -> None:
    stores = [Store(url) for _ in range(3)]
    failures: list[Exception] = []

    def work(store: Store) -> None:
        try:
            for _ in range(10):
                store.add_feedback(Feedback("up"))
        except Exception as exc:  # reported by the assertion below
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert stores[0].report().ups == 60
    for store in stores:
        store.close()


def test_a_dead_server_fails_fast_says_so_and_hides_the_password() -> None:
    with Store("postgresql://owner:hunter2@127.0.0.1:9/none") as store:
        with pytest.raises(DatabaseError, match="ASSISTANT_DATABASE_URL") as caught:
            store.add_feedback(Feedback("up", question=SECRET, comment="private"))
        started = time.monotonic()
        with pytest.raises(DatabaseError, match="tried again"):
            store.add_feedback(Feedback("up"))
        assert time.monotonic() - started < 0.1
    for leaked in ("hunter2", "iron", "private"):
        assert leaked not in str(caught.value)


def test_a_database_that_comes_back_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setattr(module, "_RETRY_AFTER", 0.0)
    with Store(f"sqlite:///{blocked / 'feedback.db'}") as store:
        with pytest.raises(DatabaseError):
            store.add_feedback(Feedback("up"))
        blocked.unlink()
        store.add_feedback(Feedback("up"))
        assert store.report().ups == 1


def test_a_full_disk_is_a_database_error() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with Store("sqlite:////dev/full") as store, pytest.raises(DatabaseError):
        store.add_feedback(Feedback("up"))


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "feedback.db"
    with Store(f"sqlite:///{path}") as store:
        store.add_feedback(Feedback("up"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_url_that_makes_no_sense_names_the_setting() -> None:
    with pytest.raises(ConfigError, match="ASSISTANT_DATABASE_URL"):
        Store("not a url")


def test_open_takes_what_the_settings_say(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'a.db'}", store_questions=True, retention_days=7)
    with Store.open(settings) as store:
        store.add_unanswered(Unanswered(SECRET, "not_in_study", "parent"))
        assert store.keep_questions and SECRET in dump(store)
