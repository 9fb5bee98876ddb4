"""Words of alarm, and words that tell of somebody: what triage must not miss, whatever its model makes of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
        r"\b(?:fitting|seizing|convuls\w+|(?:had|having) (?:(?:a|an|another|his|her) )?(?:\w+ )?(?:fit|seizure)s?"
        r"|seizures?|jerking|stiff and shak\w+)\b",
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
_OF_STUDY = re.compile(
    r"\b(?:in|during|from|by|of|per) (?:the|this|that|each|either|both) (?:study|trial|paper|cohorts?|arms?"
    r"|groups?|article|rct)\b"
    r"|\b(?:did|were|was|do|does|are) (?:the |any |many )?(?:researchers|authors|study|trial|participants"
    r"|infants|babies|mothers|women|patients|children|subjects)\b"
    r"|\b(?:reported|incidence|prevalence|excluded|enrolled|randomi[sz]ed|adverse events?|mortality|arm|cohort)\b",
    re.I,
)


def alarms(question: str) -> bool:
    """Return whether a question has words of alarm about someone, not about those in a study."""
    return bool(
        any(pattern.search(question) for pattern in _ALARM)
        and not (_OF_STUDY.search(question) and not re.search(r"\b(?:i|i'?m|me|my|our)\b", question, re.I))
    )


_SOMEONE = (
    r"(?:my|our|his|her|their|the|a|this|neighbou?r'?s|friend'?s)\s+(?:\w+\s+){0,3}?"
    r"(?:baby|bub|infant|newborn|son|daughter|child|kid|toddler|twins?|boy|girl|lo|little one|grand\w+|nephew|niece|"
    r"wife|husband|partner|mum|mom|mother|dad|father|sister|brother|friend|gran\w*|nan)"
)
_SOMEBODY = re.compile(rf"\b(?:my|our|he|she|his|her|hers|him|he['’]?s|she['’]?s)\b|{_SOMEONE}", re.I)


def speaks_of_someone(text: str) -> bool:
    """Return whether a text speaks of one person, not of those in a study."""
    return bool(_SOMEBODY.search(text))


_ACTS = re.compile(
    r"\b(?:stop(?:ped|ping)?|start(?:ed|ing)?|switch\w*|gave|giv(?:e|ing)|took|tak(?:e|ing)|swallow\w*|whether to"
    r"|decid\w+|planning|going to|gonna|thinking (?:of|about)|diagnos\w+|prescri\w+|refus\w+|hungry|cry\w*|crie[sd]|ill"
    r"|sick|poorly|(?:has|have|is|wo|ca|ai)n['’]?t"
    r"|not (?:fed|feeding|drinking|sleeping|eating|gaining))\b",
    re.I,
)


def tells_of_acting(text: str) -> bool:
    """Return whether somebody says what they do or did with a medicine or a feed, or how someone fares."""
    return bool(_ACTS.search(text))
