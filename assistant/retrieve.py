"""Question → ranked sentences: dense and lexical scores over the same chunks, fused by score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from assistant.corpus import Corpus
from assistant.embed import Embedder, Vectors
from assistant.index import Changes, Chunk, Index, Progress
from assistant.lexical import Lexical
from assistant.records import Hit, Section, Sentence

PASSAGE_CHARACTERS = 900
"""Source: `study-assistant eval --suite covidqa|scifact`; all-MiniLM-L6-v2 reads 256 word pieces."""
POOL = 100


class Ranker:
    """Scores chunks of one kind: cosine plus BM25 as a share of the query's idf mass.

    Source:
        ../shared/data/README.md: .638 hit@1 on COVID-QA with the paper known, .727 nDCG@10 on SciFact.
    """

    def __init__(self, index: Index, chunks: Sequence[Chunk], kind: str) -> None:
        self._index = index
        self._kind = kind
        self._chunks = [chunk for chunk in chunks if chunk.kind == kind]
        self._lexical = Lexical([chunk.text for chunk in self._chunks])
        self._position = {chunk.id: at for at, chunk in enumerate(self._chunks)}
        self._of_study: dict[str, list[int]] = defaultdict(list)
        for at, chunk in enumerate(self._chunks):
            self._of_study[chunk.pmid].append(at)

    def rank(self, question: str, vector: Vectors, k: int, pmid: str | None = None) -> list[tuple[Chunk, float]]:
        """Return the k best chunks with their scores, best first.

        Args:
            vector: The question's, shape `(d,)`, length one.
            pmid: Rank only this study's chunks.
        """
        lexical = self._lexical.scores(question)
        among: Iterable[int] = range(len(self._chunks)) if pmid is None else self._of_study.get(pmid, [])
        pool = max(POOL, k)
        cosine = {
            self._position[name]: score
            for name, score in self._index.search(vector, pool, kind=self._kind, pmid=pmid)
            if name in self._position
        }
        best_words = sorted(among, key=lambda at: -lexical[at])[:pool] if pmid else lexical.argsort()[::-1][:pool]
        candidates = {*cosine, *(int(at) for at in best_words)}
        # A chunk outside the nearest `pool` has a cosine no higher than the last of them.
        floor = min(cosine.values(), default=0.0)
        scored = [(at, cosine.get(at, floor) + float(lexical[at])) for at in candidates]
        scored.sort(key=lambda item: (-item[1], item[0]))
        return [(self._chunks[at], score) for at, score in scored[:k]]

    def idf(self, term: str) -> float:
        """Return a stemmed term's inverse document frequency among the chunks."""
        return self._lexical.idf(term)


class Retriever:
    """Finds the sentences of a corpus that bear on a question."""

    def __init__(
        self, corpus: Corpus, embedder: Embedder, folder: Path, *, url: str = "", progress: Progress | None = None
    ) -> None:
        self._embedder = embedder
        chunks = list(corpus_chunks(corpus))
        self._index = Index.open(folder, chunks, embedder, url=url, progress=progress)
        self._sentences = {_name(s): s for study in corpus.studies for s in study.sentences}
        self._ranker = Ranker(self._index, chunks, "sentence")
        self._passages = Ranker(self._index, chunks, "passage")
        self._only = corpus.studies[0].pmid if len(corpus.studies) == 1 else None

    @property
    def changes(self) -> Changes:
        """What opening the index had to do."""
        return self._index.changes

    def study_for(self, question: str, vector: Vectors) -> str:
        """Return the PMID of the study that a question bears on most."""
        if self._only:
            return self._only
        best = self._passages.rank(question, vector, 1)
        return best[0][0].pmid

    def search(self, question: str, vector: Vectors, k: int = 10, pmid: str | None = None) -> tuple[Hit, ...]:
        """Return the k best sentences, best first.

        Raises:
            StoreError: The index does not answer.
        """
        ranked = self._ranker.rank(question, vector, k, pmid or self._only)
        return tuple(Hit(self._sentences[chunk.id], score) for chunk, score in ranked)

    def idf(self, term: str) -> float:
        """Return a stemmed term's inverse document frequency among the corpus' sentences."""
        return self._ranker.idf(term)

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()


def corpus_chunks(corpus: Corpus) -> Iterable[Chunk]:
    """Yield what is indexed: each sentence in its section, and passages to choose a study by."""
    for study in corpus.studies:
        for source in study.sources:
            for section in source.sections:
                for sentence in section.sentences:
                    yield Chunk(_name(sentence), study.pmid, "sentence", sentence.in_context)
                for start, text in passages(section):
                    yield Chunk(
                        f"{study.pmid}/{source.name}/{start}+",
                        study.pmid,
                        "passage",
                        f"{study.title}. {section.title}: {text}",
                    )


def passages(section: Section, characters: int = PASSAGE_CHARACTERS) -> Iterable[tuple[int, str]]:
    """Yield (start, text) of runs of whole sentences of about so many characters.

    A run begins with the last sentence of the one before it, so that what two sentences say together stands together.

    Source:
        COVID-QA with the paper known, BM25: hit@1 .655 with the shared sentence, .613 without.
    """
    run: list[Sentence] = []
    length = 0
    for sentence in section.sentences:
        if run and length + len(sentence.text) > characters:
            yield run[0].start, " ".join(s.text for s in run)
            shared = len(run) > 1 and len(run[-1].text) + len(sentence.text) < characters
            run = run[-1:] if shared else []
            length = sum(len(s.text) + 1 for s in run)
        run.append(sentence)
        length += len(sentence.text) + 1
    if run:
        yield run[0].start, " ".join(s.text for s in run)


def _name(sentence: Sentence) -> str:
    return f"{sentence.pmid}/{sentence.source}/{sentence.start}"
