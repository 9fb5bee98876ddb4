"""BM25 over texts, scored as the share of the query's idf mass that a text carries."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import bm25s
import numpy as np
import numpy.typing as npt
import Stemmer

K1, B = 1.5, 0.75
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_STOP = frozenset(
    "a about after all also am an and any are as at be been before being between both but by can could did do does "
    "doing for from get had has have having he her hers him his how i if in into is it its just like me more most my "
    "of on or our out over own s she should so some such t than that the their them then there these they this those "
    "to too up us ca wo was we were what when where which while who whom why will with would you your".split()
)
_stemmer = Stemmer.Stemmer("english")


def terms(text: str) -> list[str]:
    """Return the stemmed content words of a text, in order, repeats kept.

    >>> terms("Were the mothers' B12 levels higher in Canada?")
    ['mother', 'b12', 'level', 'higher', 'canada']
    """
    words = [re.sub(r"(?:n['’]t|['’](?:s|t|re|ve|ll|d|m)?)$", "", word) for word in _WORD.findall(text.lower())]
    return list(_stemmer.stemWords([word for word in words if word and word not in _STOP]))


class Lexical:
    """BM25 (Lucene's) over texts with Snowball stems.

    Source:
        ../shared/data/README.md: k1 1.5, b 0.75; dividing by the query's idf mass gave .638 hit@1 on COVID-QA and
        .727 nDCG@10 on SciFact when added to the cosine.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        tokens = [terms(text) or ["\0"] for text in texts]
        self._df = Counter(term for text in tokens for term in set(text))
        self._bm25 = bm25s.BM25(method="lucene", k1=K1, b=B)
        if texts:
            self._bm25.index(tokens, show_progress=False)

    def idf(self, term: str) -> float:
        """Return a term's inverse document frequency (natural logarithm, never negative); unknown ones are rarest."""
        frequency = self._df.get(term, 0)
        return float(np.log(1 + (self._size - frequency + 0.5) / (frequency + 0.5)))

    def scores(self, query: str) -> npt.NDArray[np.float32]:
        """Return a score per text `(n,)`: BM25 divided by the query's idf mass, in [0, 1); higher is better."""
        asked = terms(query)
        mass = sum(map(self.idf, asked))
        known = [term for term in asked if term in self._df]
        if not known or not mass:
            return np.zeros(self._size, np.float32)
        return np.asarray(self._bm25.get_scores(known), np.float32) / np.float32(mass)
