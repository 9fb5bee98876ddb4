"""What the tests share: the network guard, a corpus to build and break, fakes for the models, the real assistant."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE / "netguard"))
# Python has imported Debian's own sitecustomize by now, under the same name.
sys.modules.pop("sitecustomize", None)

import sitecustomize as netguard  # noqa: E402

netguard.install()
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_HERE / "netguard"), os.environ.get("PYTHONPATH")]))
for _key in [key for key in os.environ if key.startswith("ASSISTANT_")]:
    del os.environ[_key]  # a developer's own settings are none of the tests' business

# A busy machine is no failure, so no example has a time limit.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

from chromium import CHROMIUM, FLAGS  # noqa: E402
from fake_models import FakeEmbedder, FakeEvidence, FakeTriage  # noqa: E402

from assistant.compose.llm import LanguageModel  # noqa: E402
from assistant.config import Settings  # noqa: E402
from assistant.corpus import read_corpus  # noqa: E402
from assistant.messages import Messages  # noqa: E402
from assistant.pipeline import Assistant  # noqa: E402
from assistant.records import Study  # noqa: E402
from assistant.retrieve import Retriever  # noqa: E402

ROOT = _HERE.parent
FINDING_COLUMNS = "measure,who,cohort,n,statistic,value,low,high,unit,p,source,section"
TOML = 'pmid = "{pmid}"\ntitle = "Iron in the milk of mothers in Peru and Nepal"\n'
TECHNICAL = """# Analysis

## Results

Milk iron was higher in Peru (0.35 mg/L, n=30) than in Nepal (0.21 mg/L, n=44; p<0.01). It was not linked to age.

## Limits

- Small groups: Only 74 mothers took part.
"""
FINDINGS = f"""{FINDING_COLUMNS}
iron,milk,Peru,30,mean,0.35,,,mg/L,<0.01,technical,Results
iron,milk,Nepal,44,mean,0.21,,,mg/L,<0.01,technical,Results
"""


class CorpusFolder:
    """A corpus folder to fill, and to break."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)

    def add(self, pmid: str = "1001", **files: str | bytes | None) -> Path:
        """Write a sound study and return its folder; `files` replace its files by stem, None leaves one out."""
        folder = self.path / pmid
        folder.mkdir()
        contents: dict[str, str | bytes | None] = {
            "study": TOML.format(pmid=pmid),
            "technical": TECHNICAL,
            "findings": FINDINGS,
            **files,
        }
        for stem, content in contents.items():
            suffix = {"study": ".toml", "findings": ".csv"}.get(stem, ".md")
            if content is not None:
                raw = content if isinstance(content, bytes) else content.encode()
                (folder / f"{stem}{suffix}").write_bytes(raw)
        return folder


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that tried to leave the machine, also where a library swallowed the error."""
    before = len(netguard.blocked)
    yield
    tried = netguard.blocked[before:]
    assert not tried or request.node.get_closest_marker("tries_network"), f"the test left this machine: {tried}"


@pytest.fixture
def corpus_folder(tmp_path: Path) -> CorpusFolder:
    """An empty corpus folder."""
    return CorpusFolder(tmp_path / "corpus")


@pytest.fixture(scope="session")
def study() -> Study:
    """The study that the project ships."""
    return read_corpus(ROOT / "corpus").study("28287490")


@pytest.fixture
def embedder() -> FakeEmbedder:
    """A fake embedder."""
    return FakeEmbedder()


@pytest.fixture(scope="session")
def fake_assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """The whole pipeline over the shipped study and a second one, with fakes for the three models."""
    folder = tmp_path_factory.mktemp("fake")
    corpus = CorpusFolder(folder / "corpus")
    corpus.add()
    (corpus.path / "28287490").symlink_to(ROOT / "corpus" / "28287490")
    settings = Settings(corpus=corpus.path, index=folder / "index")
    with open_with_fakes(settings) as assistant:
        yield assistant


def open_with_fakes(settings: Settings, model: LanguageModel | None = None) -> Assistant:
    """Return an assistant whose models are fakes, but for a chat model where one is given."""
    corpus, embedder = read_corpus(settings.corpus), FakeEmbedder()
    retriever = Retriever(corpus, embedder, settings.index_folder)
    parts = (settings, corpus, Messages.load(settings.prompts), embedder, retriever, FakeEvidence(), FakeTriage())
    return Assistant(*parts, model)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def real_assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """The assistant as users get it, over the shipped study; tests that use it are marked `model`."""
    with Assistant.open(Settings(index=tmp_path_factory.mktemp("index"))) as assistant:
        yield assistant


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, headless, started once a module."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def run_cli(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `study-assistant` as a process of its own, in an empty folder, with an index of the test run's own."""
    here = tmp_path_factory.mktemp("elsewhere")
    index = tmp_path_factory.mktemp("cli-index")

    def run(*arguments: str, stdin: str | bytes = "", **env: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "ASSISTANT_INDEX": str(index), "COLUMNS": "100", **env}
        done = subprocess.run(
            [sys.executable, "-m", "assistant.cli", *arguments],
            input=stdin if isinstance(stdin, bytes) else stdin.encode(),
            capture_output=True,
            cwd=here,
            env=environ,
            timeout=180,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
