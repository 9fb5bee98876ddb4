"""Texts split before are not split again, and a cache that is wrong in any way is as good as none."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from conftest import ROOT

from assistant import split
from assistant.corpus import Corpus, read_corpus
from assistant.split_cache import SplitCache

CORPUS = ROOT / "corpus"


def read(folder: Path) -> Corpus:
    cache = SplitCache(folder)
    corpus = read_corpus(CORPUS, cache.sections)
    cache.save()
    return corpus


def test_what_is_remembered_is_what_was_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read(tmp_path / "index")
    assert first == read_corpus(CORPUS)
    monkeypatch.setattr(split, "sections", lambda *_: pytest.fail("split again"))
    assert read(tmp_path / "index") == first


def test_another_text_or_another_splitter_is_split_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = SplitCache(tmp_path)
    cache.sections("One. Two.", "1", "summary", "Summary")
    cache.save()
    changed = SplitCache(tmp_path).sections("One. Two. Three.", "1", "summary", "Summary")
    assert len(changed[0].sentences) == 3
    monkeypatch.setattr("assistant.split_cache._version", lambda: "another")
    called = []
    monkeypatch.setattr(split, "sections", lambda *given: called.append(given) or ())
    SplitCache(tmp_path).sections("One. Two.", "1", "summary", "Summary")
    assert called


@pytest.mark.parametrize("broken", [b"", b"{", b"\xff", b"[]", b'{"version": 1}', b"null"])
def test_a_broken_cache_costs_time_alone(broken: bytes, tmp_path: Path) -> None:
    (tmp_path / "sentences.json").write_bytes(broken)
    assert read(tmp_path) == read_corpus(CORPUS)


@pytest.mark.parametrize("entry", [None, 3, [[1]], [["t", "x", 2, []]], "text", [], "", [["t", 1e999, 2, []]]])
def test_a_broken_entry_costs_time_alone(entry: object, tmp_path: Path) -> None:
    """Also one whose digest was mended with it."""
    read(tmp_path)
    file = tmp_path / "sentences.json"
    stored = json.loads(file.read_text())
    texts = json.dumps(dict.fromkeys(json.loads(stored["texts"]), entry))
    file.write_text(json.dumps({**stored, "texts": texts, "digest": hashlib.sha256(texts.encode()).hexdigest()}))
    assert read(tmp_path) == read_corpus(CORPUS)
    assert json.loads(json.loads(file.read_text())["texts"]) != json.loads(texts)  # mended


def test_changed_offsets_are_noticed(tmp_path: Path) -> None:
    read(tmp_path)
    file = tmp_path / "sentences.json"
    stored = json.loads(file.read_text())
    file.write_text(json.dumps({**stored, "texts": stored["texts"].replace("1", "2")}))
    assert read(tmp_path) == read_corpus(CORPUS)


def test_texts_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    for text in ("One.", "Two."):
        cache = SplitCache(tmp_path)
        cache.sections(text, "1", "summary", "Summary")
        cache.save()
    assert len(json.loads(json.loads((tmp_path / "sentences.json").read_text())["texts"])) == 1


def test_a_folder_that_cannot_be_made_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert read(tmp_path / "file" / "index") == read_corpus(CORPUS)
    assert os.listdir(tmp_path) == ["file"]
