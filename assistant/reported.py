"""What studies report under set names (a standard deviation, ethics approval): asked for, and nowhere told."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from assistant.records import Study

# What a question calls it, and what a text would hold that tells it; the text's pattern is the wider one.
_ITEMS: Mapping[str, tuple[str, str]] = {
    "standard deviations": (r"SDs?\b|standard deviations?", r"\bSD\b|standard deviation|±|\+/-"),
    "standard errors": (r"SEMs?\b|standard errors?(?: of the mean)?", r"\b(?-i:SEM?)\b|standard error|±"),
    "interquartile ranges": (r"IQRs?\b|inter-?quartile ranges?|quartiles?", r"IQR|quartile|25th|percentile"),
    "odds ratios": (r"(?-i:a?ORs?)\b|odds ratios?", r"\b(?-i:a?OR)\b|odds"),
    "hazard ratios": (r"(?-i:a?HRs?)\b|hazard ratios?", r"\b(?-i:a?HR)\b|hazard"),
    "relative risks": (r"(?-i:a?RRs?)\b|relative risks?|risk ratios?", r"\b(?-i:a?RR)\b|relative risk|risk ratio"),
    "numbers needed to treat": (r"NNTs?\b|numbers? needed to treat", r"\bNNT\b|needed to treat"),
    "an effect size": (r"effect sizes?|cohen['’]?s d", r"effect size|cohen"),
    "an assay’s precision or limit of detection": (
        r"(?:assay|intra|inter)[- ]?(?:assay )?(?:CVs?|precision)|CVs?\b|coefficients? of variation|LODs?\b|LOQs?\b"
        r"|limits? of (?:detection|quantification)",
        r"\bCVs?\b|coefficient of variation|\bLO[DQ]\b|limit of|detection limit|precision",
    ),
    "a sample size calculation": (
        r"(?:sample[- ]size|power) (?:calc\w*|analys[ie]s|estimat\w*|justif\w*)|(?:statistical )?power(?:ed)?\b",
        r"power|sample[- ]size (?:calc|was|estimat)",
    ),
    "drop-outs": (
        r"drop[- ]?outs?|dropped out|attrition|lost to follow[- ]?up|loss to follow[- ]?up|withdrawals?|withdrew",
        r"drop|attrition|lost|loss|withdr|complet|exclu|retention|follow(?:ed)?[- ]?up rate",
    ),
    "ethics approval": (
        r"ethic(?:s|al)(?: (?:approval|committee|clearance|board|review))?|IRB\b|informed consent",
        r"ethic|\bIRB\b|consent|review board|helsinki",
    ),
    "the funding": (
        r"fund(?:ed|ing|er|ers|s)\b|sponsor\w*|who paid for|paid for (?:it|this|the (?:study|research|trial))"
        r"|grants?\b",
        r"fund|sponsor|grant|paid|financ|supported by",
    ),
    "conflicts of interest": (
        r"(?:conflicts?|competing|declarations?) (?:of )?interests?|disclosures?\b",
        r"interest|disclos|declar",
    ),
    "a trial registration": (
        r"(?:trial )?registration number|NCT\b|registered (?:trial|with|at)|pre-?registered",
        r"regist|NCT|ISRCTN",
    ),
    "the year of sampling": (
        r"(?:what|which|in) years? (?:were|was|did)\b[^.?!]{0,40}?\b(?:sampl|collect|recruit|enrol|taken|measur)\w*"
        r"|years? (?:the |of )?(?:samples?|sampling|blood|data|recruitment|enrol\w+|collection)",
        r"(?:collect|recruit|enrol|sampl|between|from|during)[^.]{0,60}\b(?:19|20)\d\d\b",
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
    return next((item for item in absent if re.search(rf"\b(?:{_ITEMS[item][0]})", question, re.I)), "")


@functools.lru_cache(64)
def _absent(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the items that no text tells; kept, since every question asks for them and the texts don't change."""
    return tuple(item for item, (_, told) in _ITEMS.items() if not any(re.search(told, text, re.I) for text in texts))
