"""What kind of question is it? Urgent, personal advice, small talk, off topic, or one about the study.

A linear classifier over the question's embedding and a few signs (whose health, which words of alarm), trained by
`study-assistant train-triage` on messages written for it; words of alarm that it must not miss are rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from assistant.embed import PACKAGED, Embedder, Vectors
from assistant.errors import ModelError
from assistant.jsonl import read_jsonl

Kind = Literal["urgent", "advice", "study", "chat", "off_topic"]
KINDS: tuple[Kind, ...] = ("advice", "chat", "off_topic", "study", "urgent")
WEIGHTS = Path(__file__).with_name("triage.json")
TRAINING = Path(__file__).parent / "triage_data" / "train.jsonl"
URGENT_FROM = 0.3
"""An emergency missed costs more than one cried: urgent wins from this probability on.

Source: `study-assistant eval --suite triage`; recall and false alarms are in the README.
"""

_SOMEONE = (
    r"(?:my|our|his|her|their|the|a|this|neighbou?r'?s|friend'?s)\s+(?:\w+\s+){0,3}?"
    r"(?:baby|bub|infant|newborn|son|daughter|child|kid|toddler|twins?|boy|girl|lo|little one|grand\w+|nephew|niece|"
    r"wife|husband|partner|mum|mom|mother|dad|father|sister|brother|friend|gran\w*|nan)"
)
_NOW = (
    r"(?:\b(?:is|has|just|now|won'?t|wont|can'?t|cant|isn'?t|isnt|keeps?|went|goes|going|gone|started"
    r"|since|stopped|not)\b)"
)
_ALARM: Sequence[re.Pattern[str]] = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"\b(?:not|isn'?t|stopped|stops|barely|hardly|can(?:'?t|not)|struggling to|trouble|difficulty"
        r"|gasping)\s+(?:\w+\s+)?breath(?:e|ing)?\b",
        r"\b(?:lips?|face|skin|mouth|tongue|baby|he|she|fingers?|hands?|feet|colou?r)\b[^.?!]{0,30}\b(?:blue"
        r"|bluish|grey|gray|purple|mottled)\b(?!\s*light)",
        r"\b(?:turn(?:ed|ing)?|gone|going|went|looks?)\s+(?:\w+\s+)?(?:blue|bluish|grey|gray|purple|limp|floppy)\b",
        r"\b(?:limp|floppy|lifeless|unresponsive|unconscious|passed out|fainted|collapsed|unrousable|moribund)\b",
        r"\b(?:apn(?:o)?eic|cyanos(?:ed|is|ing)|cyanotic|hypotonic|obtunded|status epilepticus|tonic[- "
        r"]clonic|desaturating)\b[^.?!]{0,80}\b(?:now|in (?:clinic|front|the room|ed|a&e)|what do i|mother"
        r"|wk|week|day|month)",
        r"\b(?:won'?t|wont|can'?t|cant|cannot|doesn'?t|not|isn'?t|hard to|unable to)\s+(?:be\s+)?(?:wak(?:e"
        r"|ing)|woken|rouse|respond(?:ing)?)\b",
        r"\b(?:fitting|seizing|convuls\w+|having (?:a )?(?:fit|seizure|convulsion)s?|had (?:a )?(?:fit"
        r"|seizure)|seizures?|jerking|stiff and shak\w+)\b",
        r"\b(?:overdos\w+|swallowed|drank|ate|took|taken|got into)\b[^.?!]{0,40}\b(?:bleach|battery|pills?"
        r"|tablets?|medicine|paracetamol|tylenol|ibuprofen|poison|chemicals?|detergent|whole (?:bottle|pack"
        r"|packet)|too many)\b",
        r"\b(?:kill|hurt|harm|end)\s+(?:my ?self|myself|him|her|my (?:baby|son|daughter|child)|it all|the "
        r"baby|my life)\b",
        r"\b(?:suicid\w+|want to die|don'?t want to (?:be here|live|wake up)|better off without me|shake "
        r"(?:him|her|the baby|my baby)|throw (?:him|her|the baby)|smother)\b",
        # The same in French and Spanish: triage knows English, an emergency may not.
        r"\bne (?:respire|se réveille|réagit|bouge) (?:plus|pas)\b|\b(?:tout|toute) (?:bleue?|molle|mou)\b"
        r"|\bconvulsions?\b",
        r"\b(?:me|le|la) (?:tuer|suicider)\b|\bfaire du mal à (?:mon|ma|moi)\b|\bn'arrive (?:plus|pas) à respirer\b",
        r"\bno (?:respira|despierta|reacciona|se mueve|puede respirar)\b|\b(?:está|se puso|labios) (?:azul"
        r"|azules|morad[oa]s?)\b",
        r"\b(?:matarme|suicidarme|hacerle daño a|convulsion(?:ando|es))\b",
        r"\bchok(?:ing|ed)\b|\bnot moving\b|\bstopped moving\b",
    )
)
_PERSONAL = re.compile(rf"\b(?:i|i'?m|i'?ve|me|my|we|our|us)\b|{_SOMEONE}|\b(?:he|she)\b", re.I)
_OF_STUDY = re.compile(
    r"\b(?:in|during|from|by|of|per) (?:the|this|that|each|either|both) (?:study|trial|paper|cohorts?|arms?"
    r"|groups?|article|rct)\b"
    r"|\b(?:did|were|was|do|does|are) (?:the |any |many )?(?:researchers|authors|study|trial|participants"
    r"|infants|babies|mothers|women|patients|children|subjects)\b"
    r"|\b(?:reported|incidence|prevalence|excluded|enrolled|randomi[sz]ed|adverse events?|mortality|arm|cohort)\b",
    re.I,
)
_SIGNS: Sequence[re.Pattern[str]] = (
    re.compile(r"\b(?:my|our)\b", re.I),
    re.compile(r"\b(?:i|i'?m|i'?ve|me|we|us)\b", re.I),
    re.compile(r"\b(?:he|she|his|her|him|he'?s|she'?s)\b", re.I),
    re.compile(r"\b(?:baby|son|daughter|toddler|child|kid|newborn|wife|husband|mum|mom|dad|gran\w*|friend"
    r"|bub|lo|boy|girl)\b", re.I),
    re.compile(r"\b(?:study|trial|researchers?|authors?|paper|cohort|arms?|groups?|participants|infants"
    r"|babies|mothers|patients|rct|findings?|results?|outcome|they)\b", re.I),
    re.compile(r"\b(?:should|can i|could i|is it (?:ok|okay|safe|bad|normal|fine)|do i|how much|ought|worth)\b", re.I),
    re.compile(_NOW, re.I),
    re.compile(r"^\W*(?:what|how|which|who|where|when|why|did|was|were|does|is|are)\b", re.I),
    re.compile(r"\d"),
    re.compile(r"\b(?:tak(?:e|ing)|giv(?:e|ing)|dose|mg|mcg|iu|drops|tablets?|pills?|supplements?|formula"
    r"|breastfe\w+)\b", re.I),
    re.compile(r"\b(?:you|your|u)\b", re.I),
    re.compile(r"\b(?:bleed\w*|blood|soak\w*|clots?|gush\w*)\b", re.I),
    re.compile(r"\b(?:fever|temp(?:erature)?|hot|burning up|3[89](?:\.\d)?|4[01](?:\.\d)?|10[1-6])\b", re.I),
    re.compile(r"\b(?:rash|spots?|glass test|stiff neck|fontanelle|soft spot)\b", re.I),
    re.compile(r"\b(?:breath\w*|wheez\w*|grunting|gasp\w*|ribs|nostrils|chest)\b", re.I),
    re.compile(r"\b(?:fell|fall|dropped|hit|bang\w*|head|knock\w*)\b", re.I),
    re.compile(r"\b(?:listless|drowsy|sleepy|weak|sunken|dry|napp(?:y|ies)|diapers?|wet)\b", re.I),
    re.compile(r"\b(?:swell\w*|swollen|hives|throat|tongue|slurr\w*|droop\w*|numb|vision|headache)\b", re.I),
    re.compile(r"\b(?:swallow\w*|drank|ate|bottle of|whole|handful|empty)\b", re.I),
    re.compile(r"\b(?:cope|anymore|any more|scared|voices|hurt|harm|die|dying|dead|alive|goodbye|burden"
    r"|disappear)\b", re.I),
    re.compile(r"\b(?:otherwise|fine|happy|feeding well|active|normal|mild|bit|sometimes|usually|lately"
    r"|weeks|months)\b", re.I),
    re.compile(r"\b(?:test|results?|levels?|range|came back|doctor said|borderline|low|high)\b", re.I),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Triaged:
    """A question's kind, and the probability of each kind."""

    kind: Kind
    probabilities: Mapping[Kind, float]


class Triage:
    """Sorts questions by their text and embedding.

    Args:
        weights: File that `train` wrote.

    Raises:
        ModelError: The weights are missing or are for another embedding model.
    """

    def __init__(self, embedder: str = PACKAGED, weights: Path = WEIGHTS) -> None:
        try:
            data = json.loads(weights.read_text(encoding="utf-8"))
            self._coefficients = np.asarray(data["coefficients"], np.float32)
            self._intercepts = np.asarray(data["intercepts"], np.float32)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise ModelError(f"{weights}: cannot be read ({exc}); run: study-assistant train-triage") from exc
        if data["embedder"] != embedder:
            raise ModelError(
                f"{weights} was trained with the embedding model {data['embedder']!r}, but {embedder!r} is set; "
                "run: study-assistant train-triage"
            )

    def __call__(self, question: str, vector: Vectors) -> Triaged:
        """Return a question's kind.

        Args:
            vector: The question's embedding, shape `(d,)`, length one.
        """
        logits = self._coefficients @ features(question, vector) + self._intercepts
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        probabilities = {kind: float(share) for kind, share in zip(KINDS, shares, strict=True)}
        return Triaged(_decide(question, probabilities), probabilities)


def alarms(question: str) -> bool:
    """Return whether a question has words of alarm about someone, not about those in a study."""
    return bool(
        any(pattern.search(question) for pattern in _ALARM)
        and not (_OF_STUDY.search(question) and not re.search(r"\b(?:i|i'?m|me|my|our)\b", question, re.I))
    )


_OF_SOURCES = re.compile(
    r"\b(?:according to|based on) (?:the|this|that) (?:study|research|paper|page)\b"
    r"|\b(?:do|does|did|what does) (?:the|this) (?:study|research|paper|page|authors?|researchers) (?:\w+ "
    r")?(?:say|mention|show|find|suggest|tell)"
    r"|\b(?:were|was) (?:any|the) (?:of (?:them|the) )?(?:babies|mothers|mums|moms|women|infants|kids|dads|children)\b"
    r"|\bdid (?:they|the researchers|the study) (?:check|look|test|measure|find|ask|follow|say|include)\b",
    re.I,
)
_WANTS_ADVICE = re.compile(
    r"\b(?:should|can|could|may|must|shall|ought) (?:i|we|she|he|my|our)\b|\bdo (?:i|we) (?:need|have)\b"
    r"|\bhow (?:much|many|often) (?:should|do|can|must) (?:i|we|my)\b|\bis (?:it|that|this|mine|my|his|her)\b",
    re.I,
)


def _decide(question: str, probabilities: Mapping[Kind, float]) -> Kind:
    if alarms(question) and (_PERSONAL.search(question) or probabilities["study"] < 0.5):
        return "urgent"
    told = tells_of_acting(question) and _PERSONAL.search(question)
    of_study = bool(_OF_SOURCES.search(question)) and not _WANTS_ADVICE.search(question) and not told
    if probabilities["urgent"] >= max(0.5 if of_study else URGENT_FROM, probabilities["chat"]):
        return "urgent"
    if of_study:
        return "study"
    rest = {kind: share for kind, share in probabilities.items() if kind != "urgent"}
    return max(rest, key=rest.__getitem__)


_SOMEBODY = re.compile(rf"\b(?:my|our|he|she|his|her|hers|him|he['’]?s|she['’]?s)\b|{_SOMEONE}", re.I)
_ACTS = re.compile(
    r"\b(?:stop(?:ped|ping)?|start(?:ed|ing)?|switch\w*|gave|giv(?:e|ing)|took|tak(?:e|ing)|swallow\w*|whether to"
    r"|decid\w+|planning|going to|gonna|thinking (?:of|about)|diagnos\w+|prescri\w+|refus\w+|hungry|cry\w*|crie[sd]|ill"
    r"|sick|poorly|(?:has|have|had|is|was|does|did|wo|ca|ai)n['’]?t"
    r"|not (?:fed|feeding|drinking|sleeping|eating|gaining))\b",
    re.I,
)


def speaks_of_someone(text: str) -> bool:
    """Return whether a text speaks of one person, not of those in a study."""
    return bool(_SOMEBODY.search(text))


def tells_of_acting(text: str) -> bool:
    """Return whether somebody says what they do or did with a medicine or a feed, or how someone fares."""
    return bool(_ACTS.search(text))


def features(question: str, vector: Vectors) -> npt.NDArray[np.float32]:
    """Return what the classifier sees: the embedding, one value a sign, alarm and length; shape `(d + 24,)`."""
    signs = [0.5 * bool(pattern.search(question)) for pattern in _SIGNS]
    extra = [*signs, float(alarms(question)), min(len(question.split()), 40) / 80]
    return np.concatenate([vector, np.asarray(extra, np.float32)])


def train(embedder: Embedder, out: Path = WEIGHTS) -> str:
    """Fit the classifier on the messages written for it and the questions written about studies; write its weights.

    Returns:
        How many messages of each kind it saw.
    """
    from sklearn.linear_model import LogisticRegression

    labelled = [(str(record["text"]), str(record["label"])) for record in read_jsonl(TRAINING)]
    labelled += [(question, "study") for question in study_questions()]
    texts, labels = [text for text, _ in labelled], [label for _, label in labelled]
    vectors = embedder.encode(texts)
    matrix = np.stack([features(text, vector) for text, vector in zip(texts, vectors, strict=True)])
    model = LogisticRegression(C=2.0, max_iter=4000).fit(matrix, labels)
    assert tuple(model.classes_) == KINDS
    data = {
        "embedder": embedder.name,
        "coefficients": [[round(float(w), 4) for w in row] for row in model.coef_],
        "intercepts": [round(float(b), 4) for b in model.intercept_],
    }
    out.write_text(json.dumps(data) + "\n", encoding="utf-8")
    return ", ".join(f"{labels.count(kind)} {kind}" for kind in KINDS)


def study_questions() -> list[str]:
    """Return every third question that was written about the made-up study pages, both readers' among them."""
    files = sorted((Path(__file__).parent / "evidence" / "data").glob("pages-*.jsonl"))
    return [str(record["q"]) for file in files for record in read_jsonl(file)][::3]
