"""Which language a question is written in, told by its script and its commonest words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

NAMES = {
    "en": "English", "fr": "French", "es": "Spanish", "km": "Khmer", "de": "German", "pt": "Portuguese",
    "it": "Italian", "nl": "Dutch", "vi": "Vietnamese", "zh": "Chinese", "ja": "Japanese", "ko": "Korean",
    "ar": "Arabic", "ru": "Russian", "th": "Thai", "hi": "Hindi", "el": "Greek", "he": "Hebrew",
}  # fmt: skip
"""Languages that can be told apart, by two letters."""
_SCRIPTS = {
    "KHMER": "km", "THAI": "th", "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "ARABIC": "ar",
    "CYRILLIC": "ru", "DEVANAGARI": "hi", "GREEK": "el", "HEBREW": "he",
}  # fmt: skip
_WORDS = {
    "en": "the a an of and is are was were what which who how why when where did do does can could should would my "
    "your in to for with from than there their they it this that have has had be been not or about if mother mothers "
    "baby babies milk study level levels much many any help hi hello thanks tell me",
    "fr": "le la les un une des du de d l et est sont était étaient quel quelle quels quelles qui que quoi comment "
    "pourquoi quand où combien dans pour avec sur au aux ce cette ces mon ma mes votre vos il elle ils elles on je "
    "j ai a ont plus moins ne pas ou mère mères bébé bébés lait étude taux niveau niveaux chez bonjour merci sans",
    "es": "el la los las un una unos unas del de y es son era eran fue fueron qué que quién cuál cuáles cómo por para "
    "cuándo dónde cuánto cuánta cuántos cuántas con en sobre al este esta estos mi mis su sus él ella ellos se no o "
    "más menos madre madres bebé bebés leche estudio nivel niveles hay hola gracias entre como cual cuanto donde sin",
    "de": "der die das den dem des ein eine einer und ist sind war waren was welche welcher wer wie warum wann wo mit "
    "für von im in auf zu nicht ich mein meine oder mehr weniger mutter mütter baby babys muttermilch studie wurde bei",
    "pt": "o a os as um uma do da dos das de e é são era foi qual quais quem como por que quando onde quanto quantos "
    "com em no na nos nas para mãe mães bebê bebês leite estudo nível níveis mais menos não meu minha ou entre foram",
    "it": "il lo la i gli le un una di del della dei delle e è sono era quale quali chi come perché quando dove quanto "
    "quanti con in nel nella per su non mio mia o più meno madre madri bambino bambini latte studio livelli livello",
    "nl": "de het een van en is zijn was waren wat welke wie hoe waarom wanneer waar hoeveel met voor in op te niet ik "
    "mijn of meer minder moeder moeders baby baby's moedermelk studie bij naar werd",
    "vi": "là và của có không bao nhiêu trong cho với các những được mẹ sữa trẻ bé nghiên cứu tại sao như thế nào gì",
}
_COMMON = {code: frozenset(words.split()) for code, words in _WORDS.items()}


def language_of(text: str) -> str:
    """Return the language of a text by two letters; "en" where nothing speaks for another one.

    >>> language_of("Quel était le taux de B12 chez les mères ?"), language_of("¿Cuántas madres había?")
    ('fr', 'es')
    >>> language_of("B12?"), language_of("vitamin B12 Phnom Penh café"), language_of("តើកម្រិត B12 ប៉ុន្មាន?")
    ('en', 'en', 'km')
    """
    text = unicodedata.normalize("NFC", text)
    letters = Counter(_SCRIPTS.get(unicodedata.name(char, "").split(" ")[0], "") for char in text if char.isalpha())
    latin = letters.pop("", 0)
    if letters and letters.total() * 2 > latin:
        return "ja" if letters["ja"] else letters.most_common(1)[0][0]
    words = re.findall(r"[^\W\d_]+", text.casefold())
    scores = {code: sum(word in common for word in words) for code, common in _COMMON.items()}
    # A word that only one language has says more than "a" or "de", which several have.
    for word in words:
        having = [code for code, common in _COMMON.items() if word in common]
        if len(having) == 1:
            scores[having[0]] += 1
    heard = {code: len({word for word in words if word in common}) for code, common in _COMMON.items()}
    best = max(scores, key=lambda code: (scores[code], code == "en"))
    clear = heard[best] >= 2 and scores[best] > scores["en"] + 1 and scores[best] >= 0.3 * len(words)
    return best if clear else "en"


def name_of(code: str) -> str:
    """Return the English name of a language, or its code where it has none here."""
    return NAMES.get(code, code)
