"""The vector index: built, kept true to the corpus, opened and searched. The only file that knows Chroma.

An index folder holds generations, each named by the hash of what it must hold (texts, model, versions). A generation
is written beside the others and counts only once its manifest stands in it, so readers never see a half-written one,
and a process that serves an older one is not disturbed; `generations` has the files' side of it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

import filelock
import numpy as np

from assistant.embed import Embedder, Vectors
from assistant.errors import StoreError
from assistant.generations import (
    FORMAT,
    Manifest,
    finish,
    forget,
    hold,
    intact,
    newest_first,
    read_manifest,
    remove_old,
)

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from langchain_chroma import Chroma

_COLLECTION = "study-assistant"
_BATCH = 256

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A text to index.

    Attributes:
        id: Unique, stable name of the chunk.
        pmid: Study that it belongs to.
        kind: "sentence" or "passage".
        text: What is embedded.
    """

    id: str
    pmid: str
    kind: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Changes:
    """What a build did, in chunks."""

    added: int
    kept: int
    removed: int


class Index:
    """An opened index; safe to search from many threads.

    Attributes:
        changes: What opening it had to do.
    """

    def __init__(
        self, store: Chroma, client: Client, changes: Changes, size: int, held: BinaryIO | None = None
    ) -> None:
        self._store = store
        self._client = client
        self._size = size
        self._held = held
        self.changes = changes

    @classmethod
    def open(
        cls,
        folder: Path,
        chunks: Sequence[Chunk],
        embedder: Embedder,
        *,
        url: str = "",
        progress: Progress | None = None,
    ) -> Index:
        """Return an index that holds exactly these chunks, building what isn't there.

        Args:
            folder: Where generations lie; unused with a `url`.
            url: A Chroma server to use instead of the folder.
            progress: Called with (done, total) chunks while embedding.

        Raises:
            StoreError: The folder or the server can't be read or written; nothing that was there is lost.
        """
        manifest = _manifest(chunks, embedder)
        if url:
            return _open_server(url, manifest, chunks, embedder, progress)
        path = folder / manifest.generation
        size = len(chunks)
        opened = _open_generation(path, manifest)
        if opened:
            return cls(opened.store, opened.client, Changes(0, size, 0), size, opened.held)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(folder / "lock"):
                opened = _open_generation(path, manifest)  # another process may have built it meanwhile
                if opened:
                    return cls(opened.store, opened.client, Changes(0, size, 0), size, opened.held)
                changes = _build(folder, path, manifest, chunks, embedder, progress)
                remove_old(folder, keep=manifest.generation)
                opened = _open_generation(path, manifest)
        except OSError as exc:
            raise StoreError(
                f"the index folder {folder} cannot be written ({exc.strerror or exc}); free some space, mend its "
                "permissions, or set ASSISTANT_INDEX to another folder"
            ) from exc
        if not opened:
            raise StoreError(f"the index in {folder} cannot be opened after it was built; delete that folder and retry")
        return cls(opened.store, opened.client, changes, size, opened.held)

    def search(self, vector: Vectors, k: int, *, kind: str, pmid: str | None = None) -> list[tuple[str, float]]:
        """Return (chunk id, cosine) of the nearest chunks of a kind, best first.

        Args:
            vector: Shape `(d,)`, length one.

        Raises:
            StoreError: The store does not answer.
        """
        if not self._size:
            return []
        where: dict[str, Any] = {"kind": kind}
        if pmid is not None:
            where = {"$and": [{"kind": kind}, {"pmid": pmid}]}
        try:
            found = self._store.similarity_search_by_vector_with_relevance_scores(
                vector.tolist(), k=min(k, self._size), filter=where
            )
        except Exception as exc:  # the store's Rust and HTTP layers raise many kinds; none of them is ours to handle
            raise StoreError(f"the index does not answer ({exc}); run `study-assistant index` to mend it") from exc
        return [(str(document.id), 1.0 - float(distance)) for document, distance in found]

    def close(self) -> None:
        """Let go of the store."""
        self._client.close()
        if self._held:
            self._held.close()


def _manifest(chunks: Sequence[Chunk], embedder: Embedder) -> Manifest:
    digest = hashlib.sha256()
    for chunk in sorted(chunks, key=lambda chunk: chunk.id):
        digest.update(f"{chunk.id}\0{chunk.pmid}\0{chunk.kind}\0{chunk.digest}\n".encode())
    versions = {name: metadata.version(name) for name in ("chromadb", "sentence-transformers")}
    return Manifest(digest.hexdigest(), embedder.name, embedder.dimension, len(chunks), versions)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A generation that is open, and what keeps it from being deleted."""

    store: Chroma
    client: Client
    held: BinaryIO

    def close(self) -> None:
        self.client.close()
        self.held.close()


def _client(path: Path) -> Client:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=str(path))
    try:
        client: Client = chromadb.PersistentClient(path=str(path), settings=settings)  # type: ignore[assignment]
    except BaseException:
        # Chroma keeps a system that failed to start, and would hand it out again for a sound index in the same place.
        SharedSystemClient._identifier_to_system.pop(str(path), None)
        raise
    return client


def _store(client: Client, name: str) -> Chroma:
    from langchain_chroma import Chroma

    return Chroma(name, client=client, create_collection_if_not_exists=False)


def _open_generation(path: Path, manifest: Manifest) -> _Opened | None:
    """Return a generation, or None where it is missing, unfinished or damaged."""
    if read_manifest(path) != manifest:
        return None
    held = hold(path)
    if held is None:
        return None
    client: Client | None = None
    try:
        if intact(path):
            client = _client(path)
            if _answers(client, manifest):
                return _Opened(_store(client, _COLLECTION), client, held)
    except BaseException as exc:  # Chroma's Rust layer panics with a BaseException on a damaged file
        if isinstance(exc, KeyboardInterrupt | SystemExit):
            raise
    if client is not None:
        client.close()
    held.close()
    return None


def _answers(client: Client, manifest: Manifest) -> bool:
    """Return whether a store has as many vectors as it should, and finds one that it has."""
    collection = client.get_collection(_COLLECTION, embedding_function=None)
    if collection.count() != manifest.chunks:
        return False
    if not manifest.chunks:
        return True
    vectors = collection.get(limit=1, include=["embeddings"])["embeddings"]
    assert vectors is not None
    distances = collection.query(query_embeddings=vectors, n_results=1, include=["distances"])["distances"]
    return bool(distances) and distances is not None and distances[0][0] < 1e-3


def _build(
    folder: Path, path: Path, manifest: Manifest, chunks: Sequence[Chunk], embedder: Embedder, progress: Progress | None
) -> Changes:
    """Write a generation, taking over the vectors of texts that an older one holds."""
    old_ids, known = _known_vectors(folder, manifest)
    new = [chunk for chunk in chunks if chunk.digest not in known]
    partial = folder / f"{manifest.generation}.partial"
    if partial.exists():
        forget(partial)
    client = _client(partial)
    try:
        collection = client.create_collection(
            _COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        for done, batch, vectors in _embedded(chunks, known, embedder):
            collection.add(
                ids=[chunk.id for chunk in batch],
                embeddings=vectors,
                documents=["" for _ in batch],
                metadatas=[{"pmid": chunk.pmid, "kind": chunk.kind, "digest": chunk.digest} for chunk in batch],
            )
            if progress and new:
                progress(done, len(chunks))
    finally:
        client.close()
    if path.exists():
        forget(path)
    os.replace(partial, path)
    finish(path, manifest)
    kept = {chunk.id for chunk in chunks} & old_ids
    changed = {chunk.id for chunk in new} & old_ids
    return Changes(len(chunks) - len(kept - changed), len(kept - changed), len(old_ids - (kept - changed)))


def _embedded(
    chunks: Sequence[Chunk], known: Mapping[str, Vectors], embedder: Embedder
) -> Iterator[tuple[int, Sequence[Chunk], Vectors]]:
    """Yield (chunks done, batch, vectors), encoding only texts whose vector is not known."""
    for start in range(0, len(chunks), _BATCH):
        batch = chunks[start : start + _BATCH]
        fresh = {chunk.digest: chunk.text for chunk in batch if chunk.digest not in known}
        encoded = dict(zip(fresh, embedder.encode(list(fresh.values())), strict=True)) if fresh else {}
        vectors = np.stack([known[c.digest] if c.digest in known else encoded[c.digest] for c in batch])
        yield start + len(batch), batch, vectors


def _known_vectors(folder: Path, manifest: Manifest) -> tuple[set[str], dict[str, Vectors]]:
    """Return the chunk ids of the newest generation, and its vectors by text digest if they can be used again."""
    for path in newest_first(folder):
        old = read_manifest(path)
        opened = _open_generation(path, old) if old and old.format == FORMAT else None
        if not old or not opened:
            continue
        try:
            collection = opened.client.get_collection(_COLLECTION, embedding_function=None)
            found = collection.get(include=["embeddings", "metadatas"])
        finally:
            opened.close()
        same = (old.model, old.dimension, old.versions) == (manifest.model, manifest.dimension, manifest.versions)
        vectors, metadatas = found["embeddings"], found["metadatas"]
        assert vectors is not None and metadatas is not None
        digests = [str(entry["digest"]) for entry in metadatas]
        known = dict(zip(digests, np.asarray(vectors, np.float32), strict=True)) if same and digests else {}
        return set(found["ids"]) if same else set(), known
    return set(), {}


def _open_server(
    url: str, manifest: Manifest, chunks: Sequence[Chunk], embedder: Embedder, progress: Progress | None
) -> Index:
    """Return an index on a Chroma server: one collection a generation, marked ready once it is whole."""
    import chromadb
    from chromadb.config import Settings

    parts = urlsplit(url)
    name = f"{_COLLECTION}-{manifest.generation}"
    try:
        client: Client = chromadb.HttpClient(  # type: ignore[assignment]
            host=parts.hostname or "",
            port=parts.port or (443 if parts.scheme == "https" else 80),
            ssl=parts.scheme == "https",
            settings=Settings(anonymized_telemetry=False),
        )
        collection = client.get_or_create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        added = 0
        if collection.count() != manifest.chunks:
            for done, batch, vectors in _embedded(chunks, {}, embedder):
                collection.upsert(
                    ids=[chunk.id for chunk in batch],
                    embeddings=vectors,
                    documents=["" for _ in batch],
                    metadatas=[{"pmid": chunk.pmid, "kind": chunk.kind, "digest": chunk.digest} for chunk in batch],
                )
                added += len(batch)
                if progress:
                    progress(done, len(chunks))
    except Exception as exc:
        raise StoreError(f"the Chroma server at {url} cannot be used ({exc}); check ASSISTANT_CHROMA_URL") from exc
    return Index(_store(client, name), client, Changes(added, len(chunks) - added, 0), len(chunks))
