"""Feedback and unanswered questions, in SQLite or PostgreSQL; question text only where the owner turned it on."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from assistant.config import Settings
from assistant.errors import ConfigError, DatabaseError, ExtraError
from assistant.feedback import Asked, Feedback, Report, Unanswered

DAY = 86_400
_RETRY_AFTER = 10.0  # seconds in which a database that failed is not tried again
_MIGRATION_LOCK = 0x57D7  # any number, the same in every replica
_metadata = sa.MetaData()
_feedback = sa.Table(
    "feedback",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("rating", sa.String(8), nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=True),
    sa.Column("outcome", sa.String(32), nullable=False),
    sa.Column("audience", sa.String(16), nullable=False),
    sa.Column("study", sa.String(64), nullable=False),
    sa.Column("surface", sa.String(16), nullable=False),
    sa.Index("feedback_at", "at"),
)
_unanswered = sa.Table(
    "unanswered",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("question", sa.Text, nullable=True),
    sa.Column("outcome", sa.String(32), nullable=False),
    sa.Column("audience", sa.String(16), nullable=False),
    sa.Column("study", sa.String(64), nullable=False),
    sa.Index("unanswered_at", "at"),
)


class Store:
    """The feedback database; thread-safe. It opens at first use, and one that fails is left alone for ten seconds.

    Args:
        url: `sqlite:///path` or `postgresql://user@host/name`.
        keep_questions: Whether question text may be stored.
        retention_days: Age in days at which `purge` deletes; 0 keeps everything.

    Raises:
        ConfigError: The URL can't be understood.
        ExtraError: The driver for PostgreSQL is not installed.
    """

    def __init__(self, url: str, *, keep_questions: bool = False, retention_days: int = 0) -> None:
        self.keep_questions = keep_questions
        self._retention_days = retention_days
        try:
            self._url = _with_driver(sa.make_url(url))
            self._engine = sa.create_engine(self._url, **_options(self._url))
        except (sa.exc.ArgumentError, ValueError) as exc:
            raise ConfigError(
                "ASSISTANT_DATABASE_URL: cannot be understood; expected sqlite:///path or postgresql://user@host/name"
            ) from exc
        except ImportError as exc:
            raise ExtraError('PostgreSQL needs its driver; run: pip install "study-assistant[postgres]"') from exc
        if self._url.get_backend_name() == "sqlite":
            sa.event.listen(self._engine, "connect", _set_up_sqlite)
        self._lock = threading.Lock()
        self._ready = False
        self._down_until = 0.0

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """Return the store that the settings name."""
        return cls(settings.database, keep_questions=settings.store_questions, retention_days=settings.retention_days)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add_feedback(self, feedback: Feedback) -> None:
        """Store a rating; it is on disk when this returns.

        Raises:
            DatabaseError: It could not be stored.
        """
        row: dict[str, object] = {name: _clean(getattr(feedback, name)) for name in Feedback.__slots__}
        row["question"] = self._question(feedback.question)
        with self._transaction() as connection:
            connection.execute(_feedback.insert(), {"at": int(time.time()), **row})

    def add_unanswered(self, item: Unanswered) -> None:
        """Store that a question was not answered.

        Raises:
            DatabaseError: It could not be stored.
        """
        row: dict[str, object] = {name: _clean(getattr(item, name)) for name in Unanswered.__slots__}
        row["question"] = self._question(item.question)
        with self._transaction() as connection:
            connection.execute(_unanswered.insert(), {"at": int(time.time()), **row})

    def purge(self) -> int:
        """Delete what is older than the retention setting; return how many rows went.

        Raises:
            DatabaseError: The database failed.
        """
        if not self._retention_days:
            return 0
        before = int(time.time()) - self._retention_days * DAY
        with self._transaction() as connection:
            gone = [connection.execute(table.delete().where(table.c.at < before)) for table in (_feedback, _unanswered)]
            return sum(result.rowcount for result in gone)

    def report(self, *, days: int = 30, comments: int = 20, questions: int = 50) -> Report:
        """Return what came in during the last days, at most so many comments and different questions.

        Raises:
            DatabaseError: The database failed.
        """
        since = int(time.time()) - days * DAY
        f, u = _feedback.c, _unanswered.c
        with self._transaction() as connection:
            rated = connection.execute(
                sa.select(f.rating, sa.func.count()).where(f.at >= since).group_by(f.rating)
            ).all()
            ratings = {str(rating): int(count) for rating, count in rated}
            said = connection.execute(
                sa.select(f.rating, f.comment, f.question, f.outcome, f.audience, f.study, f.surface)
                .where(f.at >= since, f.comment != "")
                .order_by(f.at.desc(), f.id.desc())
                .limit(comments)
            ).all()
            text = sa.func.lower(sa.func.coalesce(u.question, "")).label("text")
            asked = connection.execute(
                sa.select(sa.func.max(u.question), u.outcome, sa.func.count().label("n"))
                .where(u.at >= since)
                .group_by(text, u.outcome)
                .order_by(sa.desc("n"), sa.func.max(u.at).desc())
                .limit(questions)
            ).all()
        return Report(
            ups=ratings.get("up", 0),
            downs=ratings.get("down", 0),
            comments=tuple(Feedback(**{**row._mapping, "question": row.question or ""}) for row in said),
            unanswered=tuple(Asked(question or "", outcome, int(count)) for question, outcome, count in asked),
        )

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _question(self, text: str) -> str | None:
        """Return the text of a question, or None where it may not be kept."""
        return _clean(text) if self.keep_questions and text else None

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """Yield a connection that commits at the end, the tables made; a failure keeps others from waiting for it."""
        if time.monotonic() < self._down_until:
            raise DatabaseError(f"{self._shown} failed a moment ago; it is tried again within {_RETRY_AFTER:.0f} s")
        try:
            self._prepare()
            with self._engine.begin() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, OSError) as exc:
            self._down_until = time.monotonic() + _RETRY_AFTER
            reason = str(getattr(exc, "orig", None) or exc).strip().split("\n")[0]
            raise DatabaseError(f"{self._shown}: {reason}; check ASSISTANT_DATABASE_URL and its disk") from exc

    def _prepare(self) -> None:
        """Make the file and bring the tables up to date, once."""
        with self._lock:
            if self._ready:
                return
            if self._url.get_backend_name() == "sqlite" and self._url.database not in (None, "", ":memory:"):
                path = Path(str(self._url.database))
                path.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # what readers wrote is for the owner alone
            with self._engine.connect() as connection:
                _migrate(connection)
                connection.commit()
            self._ready = True

    @property
    def _shown(self) -> str:
        return f"the feedback database {self._url.render_as_string(hide_password=True)}"


def _migrate(connection: sa.Connection) -> None:
    """Run the migrations that are due, one process at a time."""
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _with_driver(url: sa.URL) -> sa.URL:
    """Return the URL with the one PostgreSQL driver that the package names as an extra."""
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _options(url: sa.URL) -> dict[str, Any]:
    """Return engine options: nothing waits long, and no error message holds what a reader wrote."""
    common: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        return {**common, "connect_args": {"timeout": 5}}
    waits = {"connect_timeout": 3, "options": "-c statement_timeout=5000 -c lock_timeout=5000"}
    return {**common, "pool_pre_ping": True, "pool_timeout": 3, "connect_args": waits}


def _set_up_sqlite(connection: Any, _: object) -> None:
    """Let readers and the writer work at once."""
    execute: Callable[[str], object] = connection.execute
    execute("PRAGMA journal_mode=WAL")


def _clean(text: str) -> str:
    """Return the text without NUL, which PostgreSQL cannot hold, and with lone surrogates replaced."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
