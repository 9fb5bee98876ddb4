"""What studies report under set names (a standard deviation, ethics approval): asked for, and nowhere told."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from assistant.records import Study

# What a question calls it, and what a text would hold that tells it. A false "not reported" is worse than none, so the
# question's pattern is the narrow one, the text's the wide one. Abbreviations that are words too count in capitals,
# beside a word of statistics.
_NEAR = r"(?=[^.?!]{0,30}\b(?:adjusted|crude|95|CI|for|of)\b)"
_ITEMS: Mapping[str, tuple[str, str]] = {
    "standard deviations": (r"SDs?|standard deviations?", r"\bs\.?d\.?s?\b|standard deviation|±|\+/-"),
    "standard errors": (r"SEMs?|standard errors?(?: of the mean)?", r"\b(?-i:SEM?s?)\b|standard error|±|\+/-"),
    "interquartile ranges": (r"IQRs?|inter-?quartile ranges?", r"IQR|quartile|25th|percentile|q1"),
    "odds ratios": (rf"(?:adjusted |crude )?odds ratios?|(?-i:aORs?|ORs){_NEAR}|(?-i:adjusted OR)", r"(?-i:OR\b)|odds"),
    "hazard ratios": (rf"hazard ratios?|(?-i:aHRs?|adjusted HR){_NEAR}", r"(?-i:HR\b)|hazard"),
    "relative risks": (rf"relative risks?|risk ratios?|(?-i:aRRs?|adjusted RR){_NEAR}", r"(?-i:RR\b)|risk"),
    "numbers needed to treat": (r"NNTs?|numbers? needed to treat", r"\bNNT|needed to treat"),
    "an effect size": (r"effect sizes?|cohen['’]?s d", r"effect size|cohen|standardi[sz]ed"),
    "an assay’s precision or limit of detection": (
        r"(?:assay|intra|inter|intra-assay|inter-assay)[- ]?(?:CVs?|precision)|coefficients? of variation"
        r"|(?-i:CVs?) (?:and|or|of|for|%)|LODs?|LOQs?|limits? of (?:detection|quantification)",
        r"\bCVs?\b|coefficients? of variation|\bLO[DQ]s?\b|limits? of|detection|precision",
    ),
    "a sample size calculation": (
        r"(?:sample[- ]size|power) (?:calc\w*|analys[ie]s|estimat\w*|justif\w*)|statistical power"
        r"|(?:study|trial|was it|they) (?:\w+ )?powered",
        r"power|sample[- ]size (?:calc|was|estimat)|calculated that|(?:sample|women|mothers|infants|patients"
        r"|participants)"
        r"[^.]{0,30}(?:needed|required)",
    ),
    "an adjustment for other factors": (
        r"adjust(?:ed|ing|ment|ments) for|controll(?:ed|ing) for|covariates?|multivaria(?:te|ble)",
        r"adjust|covariate|controll(?:ed|ing) for|multivaria|regress|match(?:ed|ing) (?:for|on|by)",
    ),
    "a sensitivity or subgroup analysis": (
        r"sensitivity analys[ei]s|sub-?group analys[ei]s|stratified(?: analys[ei]s)?",
        r"sensitivity anal|sub-?group|stratif",
    ),
    "blinding": (r"(?:double|single|triple)[- ]blind(?:ed)?|blinded|blinding", r"blind|mask"),
    "drop-outs": (
        r"drop[- ]?outs?|dropped out|drop[- ]?out rate|attrition|(?:lost|loss) to follow[- ]?up",
        r"drop|attrition|lost|loss|withdr|complet|exclu|retention|discontinu|remain|did not finish"
        r"|follow(?:ed)?[- ]?up",
    ),
    "ethics approval": (
        r"ethics(?: (?:approval|committee|clearance|board|review))?|ethical (?:approval|clearance|review)|IRB"
        r"|informed consent",
        r"ethic|\bIRB\b|consent|review board|helsinki|approv",
    ),
    "the funding": (
        r"fund(?:ed|ing|er|ers) (?:it|this|the (?:study|research|trial|paper|work))|(?:who"
        r"|what) (?:\w+ )?funded(?: it| this)?"
        r"|(?:study|research|trial|paper)(?: \w+)? fund(?:ed|ing|ers?)|funding(?: sources?)?|funders?|sponsors?"
        r"|sponsored"
        r"|who paid for (?:it|this|that|the (?:study|research|trial|work))",
        r"fund|sponsor|grant|paid|financ|support(?:ed)? (?:by|from|in part)|received support",
    ),
    "conflicts of interest": (
        r"conflicts? of interests?|competing interests?|declarations? of interests?",
        r"interest|disclos|declar",
    ),
    "a trial registration": (
        r"(?:trial )?registration (?:number|id)|NCT(?: number)?|pre-?registered",
        r"regist|NCT|ISRCTN|ACTRN|CTRI|ChiCTR",
    ),
    "the year of sampling": (
        r"(?:what|which|in (?:what|which)) (?:\w+ )?years? (?:was|were|did)\b[^.?!]{0,40}\b(?:sampl|collect|recruit"
        r"|enrol"
        r"|taken|measured)\w*"
        r"|(?:what|which) year (?:is|are) the (?:data|samples?|blood|milk)"
        r"|years? (?:that |when )?the (?:samples?|data|blood|milk) (?:were|was)|years? of (?:sampling|recruitment"
        r"|enrolment|collection)",
        r"(?:collect|recruit|enrol|sampl|conducted|carried out|between|during)[^.]{0,80}\b(?:19|20)\d\d\b"
        r"|\b(?:19|20)\d\d\b[^.]{0,80}(?:collect|recruit|enrol|sampl|conducted|carried out)",
    ),
}


def unreported(question: str, study: Study) -> str:
    """Return what a question asks for by a set name and no source of the study tells, or "".

    >>> from pathlib import Path
    >>> from assistant.corpus import read_corpus
    >>> study = read_corpus(Path("corpus")).studies[0]
    >>> unreported("and the SDs?", study), unreported("95% CI for milk?", study)
    ('standard deviations', '')
    """
    absent = _absent(tuple(source.text for source in study.sources))
    return next((item for item in absent if _asked(item).search(question)), "")


@functools.lru_cache(64)
def _absent(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the items that no text tells; kept, since every question asks for them and the texts don't change."""
    return tuple(item for item, (_, told) in _ITEMS.items() if not any(re.search(told, text, re.I) for text in texts))


@functools.cache
def _asked(item: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_ITEMS[item][0]})\b", re.I)
