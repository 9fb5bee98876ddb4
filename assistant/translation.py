"""Does a statement in French or Spanish say what its English says? Numbers, groups, directions, denials."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from assistant.numerals import numbers

_ENGLISH: Mapping[str, str] = {
    "up": r"higher|more|greater|larger|increas\w+|rose|raised|above|better|stronger",
    "down": r"lower|less|fewer|smaller|decreas\w+|fell|reduced|below|worse|weaker",
    "denial": r"no|not|none|never|neither|nor|without|cannot|lack\w*|\w+n't",
    "significance": r"significan\w+",
    "mother": r"mothers?|maternal|wom[ae]n|mums?|moms?",
    "infant": r"infants?|bab(?:y|ies)|newborns?|child(?:ren)?",
    "milk": r"milk|breastmilk",
    "doubt": r"may|might|could|suggest\w*|possibl\w+|likely",
}
_LEXICON: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "up": r"plus (?!(?:faible|bas|petit|de \d))\w+|superieure?s?|augment\w+|eleve\w*|davantage|meilleure?s?"
        r"|au-dessus",
        "down": r"plus (?:faible|bas|petit)\w*|moins|inferieure?s?|diminu\w+|baiss\w+|au-dessous|reduit\w*|pire",
        "denial": r"ne|n'\w+|pas|aucune?s?|jamais|ni|sans|manqu\w+|non",
        "significance": r"significati\w+",
        "mother": r"meres?|maternel\w*|femmes?|mamans?",
        "infant": r"bebes?|nourrissons?|nouveau-nes?|enfants?",
        "milk": r"lait",
        "doubt": r"peut|peuvent|pourrai\w+|sugger\w+|possible\w*|probable\w*",
    },
    "es": {
        "up": r"mas (?!(?:baj|pequen|debil))\w+|superior\w*|mayor\w*|aument\w+|elevad\w+|mejor\w*|por encima",
        "down": r"mas (?:baj|pequen|debil)\w*|menos|menor\w*|inferior\w*|disminu\w+|reduc\w+|por debajo|peor\w*",
        "denial": r"no|ningun\w*|nunca|ni|sin|tampoco|falt\w+|carec\w+",
        "significance": r"significativ\w+",
        "mother": r"madres?|matern\w+|mujer\w*|mamas?",
        "infant": r"bebes?|lactantes?|recien nacid\w+|nin[oa]s?|infant\w+",
        "milk": r"leche",
        "doubt": r"pued\w+|podria\w*|sugier\w+|posible\w*|probable\w*",
    },
}
CHECKED = frozenset(_LEXICON)
"""Languages, beside English, in which a statement can be checked, and so shown."""


def translation_faults(text: str, english: str, language: str, groups: Sequence[str] = ()) -> list[str]:
    """Return where a statement and its English differ; nothing where they agree on all that can be compared.

    Words that are in none of the lists are not compared: the check sees figures, names, directions, denials, doubt and
    those who are studied, in their order, not the whole meaning.

    >>> translation_faults("Au Canada, le lait était plus riche.", "Milk had less in Canada.", "fr", ["Canada"])
    ['the two differ on down', 'the two differ on up']
    """
    if language not in _LEXICON:
        return [f"statements in {language!r} cannot be checked"]
    if not english.strip():
        return ["there is no English to check"]
    found = []
    flat, source = _flat(text), _flat(english)
    if [number.value for number in numbers(text)] != [number.value for number in numbers(english)]:
        found.append("the two differ on numbers")
    if _units(text) != _units(english):
        found.append("the two differ on units")
    if _order(flat, groups) != _order(source, groups):
        found.append("the two differ on groups")
    if not 0.4 <= len(flat) / len(source) <= 2.2:
        found.append("the two differ in length")
    for name, pattern in sorted(_ENGLISH.items()):
        if _has(_LEXICON[language][name], flat) != _has(pattern, source):
            found.append(f"the two differ on {name}")
    return found


def _has(pattern: str, text: str) -> bool:
    return bool(re.search(rf"\b(?:{pattern})(?!\w)", text))


def _flat(text: str) -> str:
    """Return a text in lower case without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return "".join(char for char in plain if not unicodedata.combining(char))


def _order(text: str, groups: Sequence[str]) -> list[str]:
    """Return the groups that a text names, in order; five letters carry over ("Cambodia", "Cambodge")."""
    found = [
        (match.start(), group) for group in groups for match in re.finditer(rf"\b{re.escape(_flat(group)[:5])}", text)
    ]
    return [group for _, group in sorted(found)]


def _units(text: str) -> list[str]:
    return [
        number.unit
        for number in numbers(text)
        if "/" in number.unit or number.unit in ("%", "kg", "g", "µg", "mg", "iu")
    ]
