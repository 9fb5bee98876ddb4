"""The index holds what the corpus says, re-embeds only what changed, survives damage, and is shared by processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import filelock
import pytest
from conftest import ROOT, CorpusFolder
from fake_models import FakeEmbedder, until

from assistant.config import Settings
from assistant.corpus import read_corpus
from assistant.errors import StoreError
from assistant.index import Changes, Chunk, Index
from assistant.retrieve import corpus_chunks

SENTENCES = (
    "Canadian mothers had more iron.",
    "Cambodian infants were smaller.",
    "Milk was sampled at eight weeks.",
    "The design limits causal inference.",
)


def chunks(texts: Sequence[str] = SENTENCES, pmid: str = "1") -> list[Chunk]:
    """A chunk a text, named by its place."""
    return [Chunk(f"{pmid}/technical/{at}", pmid, "sentence", text) for at, text in enumerate(texts)]


def build(folder: Path, texts: Sequence[str] = SENTENCES, embedder: FakeEmbedder | None = None) -> tuple[Changes, int]:
    """Open an index, close it, and return what that did and how many texts were embedded."""
    embedder = embedder or FakeEmbedder()
    index = Index.open(folder, chunks(texts), embedder)
    index.close()
    return index.changes, len(embedder.texts)


def found(index: Index, question: str) -> str:
    """Return the id of the nearest chunk."""
    return index.search(FakeEmbedder().encode([question])[0], 1, kind="sentence")[0][0]


def generation(folder: Path) -> Path:
    """Return the only generation in a folder."""
    (path,) = (item for item in folder.iterdir() if item.is_dir())
    return path


def test_what_is_indexed_is_found(tmp_path: Path) -> None:
    index = Index.open(tmp_path / "new" / "index", [*chunks(), *chunks(["Iron in Peru."], "2")], FakeEmbedder())
    assert index.changes == Changes(added=5, kept=0, removed=0)
    for at, text in enumerate(SENTENCES):
        nearest = index.search(FakeEmbedder().encode([text])[0], 5, kind="sentence")
        assert nearest[0][0] == f"1/technical/{at}" and nearest[0][1] == pytest.approx(1, abs=1e-3)
        assert [score for _, score in nearest] == sorted((score for _, score in nearest), reverse=True)
    vector = FakeEmbedder().encode(["iron"])[0]
    assert {name.split("/")[0] for name, _ in index.search(vector, 9, kind="sentence", pmid="2")} == {"2"}
    assert index.search(vector, 9, kind="passage") == []
    index.close()


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    index = Index.open(tmp_path, [], FakeEmbedder())
    assert index.search(FakeEmbedder().encode(["iron"])[0], 3, kind="sentence") == []
    index.close()


def test_what_did_not_change_is_not_embedded_again(tmp_path: Path) -> None:
    assert build(tmp_path) == (Changes(4, 0, 0), 4)
    assert build(tmp_path) == (Changes(0, 4, 0), 0)
    changed = (SENTENCES[0], "Cambodian infants were as tall.", *SENTENCES[2:], "Nobody paid.")
    embedder = FakeEmbedder()
    changes, _ = build(tmp_path, changed, embedder)
    assert embedder.texts == ["Cambodian infants were as tall.", "Nobody paid."]
    assert changes == Changes(added=2, kept=3, removed=1)


def test_what_moved_is_not_embedded_again(tmp_path: Path) -> None:
    build(tmp_path)
    embedder = FakeEmbedder()
    build(tmp_path, SENTENCES[::-1], embedder)
    assert embedder.texts == []


def test_what_is_removed_is_gone(tmp_path: Path) -> None:
    build(tmp_path)
    index = Index.open(tmp_path, chunks(SENTENCES[:2]), FakeEmbedder())
    assert index.changes == Changes(added=0, kept=2, removed=2)
    names = [name for name, _ in index.search(FakeEmbedder().encode([SENTENCES[3]])[0], 9, kind="sentence")]
    assert sorted(names) == ["1/technical/0", "1/technical/1"]
    index.close()


def test_another_model_embeds_everything_anew(tmp_path: Path) -> None:
    build(tmp_path)
    assert build(tmp_path, embedder=FakeEmbedder("another"))[1] == 4
    assert build(tmp_path, embedder=FakeEmbedder("another", dimension=32))[1] == 4
    assert build(tmp_path, embedder=FakeEmbedder("another", dimension=32))[1] == 0


def test_another_library_version_embeds_everything_anew(tmp_path: Path) -> None:
    build(tmp_path)
    old = generation(tmp_path)
    manifest = json.loads((old / "manifest.json").read_text())
    manifest["versions"]["chromadb"] = "0.0.1"
    (old / "manifest.json").write_text(json.dumps(manifest))
    assert build(tmp_path)[1] == 4


def test_old_generations_are_cleared_away(tmp_path: Path) -> None:
    for at in range(5):
        build(tmp_path, (*SENTENCES, f"Number {at}."))
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2


def test_progress_is_told_only_while_embedding(tmp_path: Path) -> None:
    many = chunks([f"Sentence number {at}." for at in range(600)])
    told: list[tuple[int, int]] = []
    Index.open(tmp_path, many, FakeEmbedder(), progress=lambda done, total: told.append((done, total))).close()
    assert told[-1] == (600, 600) and len(told) == 3 and told == sorted(told)
    told.clear()
    Index.open(tmp_path, many, FakeEmbedder(), progress=lambda done, total: told.append((done, total))).close()
    assert told == []


def truncate(name: str, keep: float) -> Callable[[Path], None]:
    """Return what cuts a file short."""

    def cut(path: Path) -> None:
        file = next(path.rglob(name))
        file.write_bytes(file.read_bytes()[: int(file.stat().st_size * keep)])

    return cut


def garbage(name: str) -> Callable[[Path], None]:
    """Return what overwrites a file with noise."""
    return lambda path: (file := next(path.rglob(name))) and file.write_bytes(os.urandom(file.stat().st_size)) and None


DAMAGE: dict[str, Callable[[Path], object]] = {
    "database cut in half": truncate("chroma.sqlite3", 0.5),
    "database empty": truncate("chroma.sqlite3", 0),
    "database noise": garbage("chroma.sqlite3"),
    "database gone": lambda path: (path / "chroma.sqlite3").unlink(),
    "database is a folder": lambda path: ((path / "chroma.sqlite3").unlink(), (path / "chroma.sqlite3").mkdir()),
    "no manifest": lambda path: (path / "manifest.json").unlink(),
    "manifest empty": truncate("manifest.json", 0),
    "manifest cut in half": truncate("manifest.json", 0.5),
    "manifest noise": garbage("manifest.json"),
    "manifest is a list": lambda path: (path / "manifest.json").write_text("[1]"),
    "manifest of another": lambda path: (path / "manifest.json").write_text('{"content": "x"}'),
    "everything gone but the manifest": lambda path: [
        p.unlink() for p in path.rglob("*") if p.name[0] != "m" and p.is_file()
    ],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_index_is_rebuilt(damage: str, tmp_path: Path) -> None:
    build(tmp_path)
    DAMAGE[damage](generation(tmp_path))
    index = Index.open(tmp_path, chunks(), FakeEmbedder())
    assert [found(index, text) for text in SENTENCES] == [f"1/technical/{at}" for at in range(4)]
    index.close()
    assert build(tmp_path) == (Changes(0, 4, 0), 0), "it is not sound after the rebuild"


VECTOR_DAMAGE = {
    **{f"{name} cut": truncate(name, 0.5) for name in ("data_level0.bin", "length.bin")},
    **{f"{name} noise": garbage(name) for name in ("data_level0.bin", "header.bin", "length.bin")},
    **{
        f"{name} gone": lambda path, name=name: next(path.rglob(name)).unlink()
        for name in ("data_level0.bin", "header.bin")
    },
}


@pytest.mark.parametrize("damage", VECTOR_DAMAGE)
def test_a_damaged_vector_file_is_never_served(damage: str, tmp_path: Path) -> None:
    """Chroma writes these files from a thousand vectors on; in a process of its own, since its Rust layer may abort."""
    many = [f"{at} {'iron zinc copper milk blood'.split()[at % 5]} word{at}" for at in range(1100)]
    build(tmp_path, many)
    assert list(generation(tmp_path).rglob("data_level0.bin")), "Chroma keeps its vectors elsewhere now: mend this test"
    VECTOR_DAMAGE[damage](generation(tmp_path))
    code = (
        "import sys; from pathlib import Path; from test_index import chunks; from fake_models import FakeEmbedder\n"
        "from assistant.index import Index\n"
        "many = [f\"{at} {'iron zinc copper milk blood'.split()[at % 5]} word{at}\" for at in range(1100)]\n"
        "index = Index.open(Path(sys.argv[1]), chunks(many), FakeEmbedder())\n"
        "wrong = [at for at in range(0, 1100, 50)\n"
        "         if index.search(FakeEmbedder().encode([many[at]])[0], 1, kind='sentence')[0][0]\n"
        "         != f'1/technical/{at}']\n"
        "print('wrong', wrong)\n"
    )
    out, error = python(code, str(tmp_path)).communicate(timeout=120)
    assert out.strip() == "wrong []", error


def test_what_an_interrupted_build_left_is_cleared_away(tmp_path: Path) -> None:
    build(tmp_path)
    name = generation(tmp_path).name
    build(tmp_path, SENTENCES[:3])
    for path in list(tmp_path.iterdir()):
        if path.name == name:
            path.rename(tmp_path / f"{name}.partial")
    (tmp_path / f"{name}.partial" / "manifest.json").unlink()
    (tmp_path / "0123.partial").mkdir()
    (tmp_path / "0123.partial" / "chroma.sqlite3").write_bytes(b"half")
    index = Index.open(tmp_path, chunks(), FakeEmbedder())
    assert found(index, SENTENCES[3]) == "1/technical/3"
    index.close()
    assert not list(tmp_path.glob("*.partial"))


def test_an_embedder_that_fails_leaves_the_old_index_in_use(tmp_path: Path) -> None:
    build(tmp_path)

    class Failing(FakeEmbedder):
        def encode(self, texts: Sequence[str]) -> object:  # type: ignore[override]
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        Index.open(tmp_path, chunks((*SENTENCES, "New.")), Failing())
    assert build(tmp_path) == (Changes(0, 4, 0), 0)
    assert build(tmp_path, (*SENTENCES, "New."))[0] == Changes(1, 4, 0)


def test_a_broken_corpus_leaves_the_index_alone(corpus_folder: CorpusFolder, tmp_path: Path) -> None:
    folder = corpus_folder.add()
    sound = list(corpus_chunks(read_corpus(corpus_folder.path)))
    Index.open(tmp_path / "index", sound, FakeEmbedder()).close()
    record = (folder / "study.toml").read_text()
    (folder / "study.toml").unlink()
    with pytest.raises(Exception, match="study.toml: is missing"):
        read_corpus(corpus_folder.path)
    (folder / "study.toml").write_text(record)
    embedder = FakeEmbedder()
    Index.open(tmp_path / "index", list(corpus_chunks(read_corpus(corpus_folder.path))), embedder).close()
    assert embedder.texts == []


def test_a_folder_that_is_a_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("x")
    with pytest.raises(StoreError, match=r"index cannot be written \(.*set ASSISTANT_INDEX to another folder"):
        Index.open(tmp_path / "index", chunks(), FakeEmbedder())


def test_a_search_in_a_closed_index_says_what_to_do(tmp_path: Path) -> None:
    index = Index.open(tmp_path, chunks(), FakeEmbedder())
    index.close()
    with pytest.raises(StoreError, match="study-assistant index"):
        found(index, "iron")


def test_two_indexes_of_one_folder_in_one_process(tmp_path: Path) -> None:
    first, second = (Index.open(tmp_path, chunks(), FakeEmbedder()) for _ in range(2))
    assert found(first, SENTENCES[1]) == found(second, SENTENCES[1]) == "1/technical/1"
    first.close()
    assert found(second, SENTENCES[2]) == "1/technical/2"
    second.close()


def python(code: str, *arguments: str, like_a_user: bool = False) -> subprocess.Popen[str]:
    """Start a Python process that can import the tests; like a user, it may not write where root alone may."""
    if like_a_user and os.getuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root can write anywhere, and there is no setpriv to give that up; apt-get install util-linux")
    without = ["setpriv", "--bounding-set=-dac_override"] if like_a_user and os.getuid() == 0 else []
    path = os.pathsep.join([str(ROOT / "tests"), os.environ["PYTHONPATH"]])
    return subprocess.Popen(
        [*without, sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
    )


OPEN = """
import sys
from pathlib import Path
from test_index import SENTENCES, chunks, found
from fake_models import FakeEmbedder
from assistant.index import Index
folder, more, seconds = Path(sys.argv[1]), sys.argv[2:3], float(sys.argv[3])
embedder = FakeEmbedder(seconds=seconds)
index = Index.open(folder, chunks((*SENTENCES, *filter(None, more))), embedder)
print(index.changes.added, len(embedder.texts), found(index, SENTENCES[1]), flush=True)
"""


def test_a_second_process_opens_what_the_first_serves(tmp_path: Path) -> None:
    first = Index.open(tmp_path, chunks(), FakeEmbedder())
    out, error = python(OPEN, str(tmp_path), "", "0").communicate(timeout=60)
    assert out.split() == ["0", "0", "1/technical/1"], error
    assert found(first, SENTENCES[2]) == "1/technical/2"
    first.close()


def test_a_process_goes_on_serving_while_others_change_the_index(tmp_path: Path) -> None:
    first = Index.open(tmp_path, chunks(), FakeEmbedder())
    for at in range(3):
        out, error = python(OPEN, str(tmp_path), f"New sentence {at}.", "0").communicate(timeout=60)
        assert out.split() == ["1", "1", "1/technical/1"], error
        assert [found(first, text) for text in SENTENCES] == [f"1/technical/{at}" for at in range(4)]
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 3, "two newest ones, and the one in use"
    first.close()
    build(tmp_path, (*SENTENCES, "The last one."))
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2


def test_a_process_that_starts_while_another_indexes_waits_and_shares(tmp_path: Path) -> None:
    slow = python(OPEN, str(tmp_path), "", "3")
    until(lambda: bool(list(tmp_path.glob("*.partial"))))
    quick = python(OPEN, str(tmp_path), "", "0")
    results = [process.communicate(timeout=60) for process in (slow, quick)]
    assert [out.split() for out, _ in results] == [["4", "4", "1/technical/1"], ["0", "0", "1/technical/1"]], results


def test_a_process_killed_while_indexing_leaves_a_usable_folder(tmp_path: Path) -> None:
    slow = python(OPEN, str(tmp_path), "", "60")
    until(lambda: bool(list(tmp_path.glob("*.partial"))))
    slow.kill()
    slow.communicate()
    assert build(tmp_path) == (Changes(4, 0, 0), 4)
    assert not list(tmp_path.glob("*.partial"))


def test_readers_need_no_lock(tmp_path: Path) -> None:
    build(tmp_path)
    with filelock.FileLock(tmp_path / "lock"):
        assert build(tmp_path) == (Changes(0, 4, 0), 0)


READ_ONLY = """
import sys
from pathlib import Path
from assistant.config import Settings
from assistant.corpus import read_corpus
from assistant.retrieve import Retriever
from fake_models import FakeEmbedder
settings = Settings(corpus=Path(sys.argv[1]))
retriever = Retriever(read_corpus(settings.corpus), FakeEmbedder(), settings.index_folder)
print(settings.index_folder, retriever.changes.added > 0, flush=True)
"""


def test_where_the_corpus_is_read_only_the_index_goes_to_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        cache = top / "cache"
        cache.mkdir()
        cache.chmod(0o777)
        read_only = CorpusFolder(top / "site" / "corpus")
        read_only.add()
        for path in (top, top / "site", read_only.path):
            path.chmod(0o555)
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
        out, error = python(READ_ONLY, str(read_only.path), like_a_user=True).communicate(timeout=60)
        top.chmod(0o755)
        assert out.split() == [str(cache / "study-assistant" / "index"), "True"], error
        assert not (top / "site" / ".index").exists()


def test_the_index_goes_beside_the_corpus_or_to_the_cache(
    corpus_folder: CorpusFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings = Settings(corpus=corpus_folder.path)
    assert settings.index_folder == tmp_path / ".index"
    (tmp_path / ".index").write_text("in the way")
    assert settings.index_folder == tmp_path / "cache" / "study-assistant" / "index"
    assert Settings(corpus=corpus_folder.path, index=tmp_path / "mine").index_folder == tmp_path / "mine"
