"""Settings: read once from the environment, passed in everywhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from assistant.errors import ConfigError

PREFIX = "ASSISTANT_"
_PACKAGE = Path(__file__).resolve().parent


def _bundled(name: str) -> Path:
    """Return a data folder: inside an installed package, or at the top of a checkout."""
    inside = _PACKAGE / "bundled" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an owner can set; each field is read from `ASSISTANT_<FIELD>`.

    Attributes:
        corpus: Folder with one subfolder a study.
        index: Folder for the index, or None for `.index` beside the corpus where that can be written, else the
            user's cache folder.
        prompts: Folder with the fixed texts.
        embedder: A sentence-transformers model, name or path; "" for the packaged all-MiniLM-L6-v2.
        evidence: Folder of an evidence model, or None for the one in the package.
        threads: Threads that one question's models use; 0 for one a core, at most four.
        chroma_url: A Chroma server for several replicas; "" for a local index.
        allowed_origins: Sites that may embed the assistant, as browsers name them ("https://example.org"); none by
            default, so that only its own pages may ask.
        trusted_hops: Proxies in front of the server that append to X-Forwarded-For; 0 ignores that header.
        rate_limit: Questions (and ratings) that one visitor may send, as "30/minute"; "off" for no limit.
        rate_limit_total: What all visitors may send together, in the same form.
        redis_url: A Redis that counts for several replicas; "" counts in this process.
        max_concurrency: Questions answered at a time; 0 for one a core.
        queue: Questions that may wait for their turn; more are refused at once.
        remember: Answers to questions without a history that the server keeps in memory to give again, found by a
            hash of the question; 0 for none. Not used with a chat model.
        database_url: Where feedback goes, sqlite:/// or postgresql://; "" for a file in the user's data folder.
        store_questions: Whether the text of a question may be stored with feedback and unanswered questions.
        retention_days: Days after which feedback and unanswered questions are deleted; 0 keeps them.
        model: A chat model as LangChain's `init_chat_model` takes it ("ollama:llama3.1", "openai:…"); "" for none.
        model_url: Base URL of the server that the model is asked at, such as http://localhost:8080/v1; "" for the
            provider's own.
        model_api_key: The model's key; "" for what the provider's own variable holds (never sent to a `model_url`).
        model_timeout: Seconds that the model may stay silent before one try is given up.
        model_budget: Seconds for one reply by the model, tries and pauses included; then the built-in answer is given.
    """

    corpus: Path = field(default_factory=lambda: _bundled("corpus"))
    index: Path | None = None
    prompts: Path = field(default_factory=lambda: _bundled("prompts"))
    embedder: str = ""
    evidence: Path | None = None
    threads: int = 0
    chroma_url: str = ""
    allowed_origins: tuple[str, ...] = ()
    trusted_hops: int = 0
    rate_limit: str = "30/minute"
    rate_limit_total: str = "1200/minute"
    redis_url: str = ""
    max_concurrency: int = 0
    queue: int = 32
    remember: int = 500
    database_url: str = ""
    store_questions: bool = False
    retention_days: int = 180
    model: str = ""
    model_url: str = ""
    model_api_key: str = field(default="", repr=False)
    model_timeout: float = 15.0
    model_budget: float = 30.0

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Return the settings that an environment gives, defaults for the rest.

        Raises:
            ConfigError: A value can't be used, or an `ASSISTANT_` key is unknown; the message names it.
        """
        environ = os.environ if environ is None else environ
        known = {PREFIX + item.name.upper(): item.name for item in fields(cls)}
        values: dict[str, Any] = {}
        for key, raw in environ.items():
            if not key.startswith(PREFIX):
                continue
            if key not in known:
                raise ConfigError(f"{key} is not a setting; the settings are {', '.join(sorted(known))}")
            if raw.strip():
                values[known[key]] = _PARSERS[known[key]](key, raw.strip())
        return cls(**values)

    @property
    def index_folder(self) -> Path:
        """Where the index goes; see `index`."""
        if self.index is not None:
            return self.index
        beside = self.corpus.parent / ".index"
        inside_package = _PACKAGE in self.corpus.resolve().parents
        if not inside_package and _can_write(beside if beside.exists() else self.corpus.parent):
            return beside
        return Path(platformdirs.user_cache_dir("study-assistant", appauthor=False)) / "index"

    @property
    def thread_count(self) -> int:
        """Threads for one question's models; see `threads`."""
        return self.threads or min(os.cpu_count() or 1, 4)

    @property
    def database(self) -> str:
        """Where feedback goes; see `database_url`."""
        if self.database_url:
            return self.database_url
        folder = Path(platformdirs.user_data_dir("study-assistant", appauthor=False))
        return f"sqlite:///{folder / 'feedback.db'}"

    @property
    def concurrency(self) -> int:
        """Questions answered at a time; see `max_concurrency`."""
        return self.max_concurrency or os.cpu_count() or 1


def _can_write(folder: Path) -> bool:
    """Return whether files can be made in a folder; asked by making one, since root may write where a disk may not."""
    probe = folder / f".write-{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def _folder(key: str, raw: str) -> Path:
    path = Path(raw).expanduser()
    if not path.is_dir():
        raise ConfigError(f"{key}={raw!r}: expected an existing folder")
    return path


def _path(key: str, raw: str) -> Path:
    path = Path(raw).expanduser()
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{key}={raw!r}: is a file, expected a folder (it is made where it is missing)")
    return path


def _text(key: str, raw: str) -> str:
    return raw


def _url(key: str, raw: str) -> str:
    if not raw.startswith(("http://", "https://")):
        raise ConfigError(f"{key}={raw!r}: expected a URL that begins with http:// or https://")
    return raw


def _count(key: str, raw: str) -> int:
    if not raw.isascii() or not raw.isdigit():
        raise ConfigError(f"{key}={raw!r}: expected a whole number, 0 or more")
    return int(raw)


def _seconds(key: str, raw: str) -> float:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", raw, re.A) or not float(raw):
        raise ConfigError(f"{key}={raw!r}: expected seconds, more than 0, such as 15 or 2.5")
    return float(raw)


def _model_url(key: str, raw: str) -> str:
    if not raw.startswith(("http://", "https://")):
        raise ConfigError(f"{key}={_masked(raw)!r}: expected a URL that begins with http:// or https://")
    if "@" in raw.split("/", 3)[2]:
        raise ConfigError(f"{key}: has a name or a password in it; give the key as {PREFIX}MODEL_API_KEY")
    return raw


def _switch(key: str, raw: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if raw.lower() not in known:
        raise ConfigError(f"{key}={raw!r}: expected yes or no")
    return known[raw.lower()]


def _rate(key: str, raw: str) -> str:
    if raw.lower() != "off" and not re.fullmatch(r"[1-9][0-9]{0,8}/(second|minute|hour|day)", raw.lower()):
        raise ConfigError(f"{key}={raw!r}: expected a rate such as 30/minute (second, minute, hour or day), or off")
    return raw.lower()


def _redis(key: str, raw: str) -> str:
    if not raw.startswith(("redis://", "rediss://")):
        raise ConfigError(f"{key}={_masked(raw)!r}: expected a URL that begins with redis:// or rediss://")
    return raw


def _database(key: str, raw: str) -> str:
    if not re.match(r"(sqlite|postgres(ql)?)(\+[a-z0-9]+)?://.", raw):
        raise ConfigError(f"{key}={_masked(raw)!r}: expected sqlite:///path/to/file.db or postgresql://user@host/name")
    return raw


def _masked(url: str) -> str:
    """Return a URL without its password, fit for a message."""
    return re.sub(r"://[^/@]*@", "://…@", url)


def parse_origins(key: str, raw: str) -> tuple[str, ...]:
    """Return the sites of a list, separated by commas or spaces, each once.

    Raises:
        ConfigError: An entry is not a site; the message names it.
    """
    return tuple(dict.fromkeys(_origin(key, entry) for entry in re.split(r"[\s,]+", raw) if entry))


def _origin(key: str, entry: str) -> str:
    """Return one site as browsers write it in an Origin header: lower case, no default port."""
    wanted = f"{key}: {entry!r} is not a site; expected https://example.org, scheme and host without path or wildcard"
    form = r"(https?)://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?"
    found = re.fullmatch(form, entry.lower())
    if not found or ".." in found[2] or int((found[4] or ":1")[1:]) not in range(1, 65536):
        raise ConfigError(wanted)
    default = ":443" if found[1] == "https" else ":80"
    port = f":{int(found[4][1:])}" if found[4] else ""
    return f"{found[1]}://{found[2]}{'' if port == default else port}"


_PARSERS: dict[str, Callable[[str, str], Any]] = {
    "corpus": _folder,
    "index": _path,
    "prompts": _folder,
    "embedder": _text,
    "evidence": _folder,
    "threads": _count,
    "chroma_url": _url,
    "allowed_origins": parse_origins,
    "trusted_hops": _count,
    "rate_limit": _rate,
    "rate_limit_total": _rate,
    "redis_url": _redis,
    "max_concurrency": _count,
    "queue": _count,
    "remember": _count,
    "database_url": _database,
    "store_questions": _switch,
    "retention_days": _count,
    "model": _text,
    "model_url": _model_url,
    "model_api_key": _text,
    "model_timeout": _seconds,
    "model_budget": _seconds,
}
