"""Whether two findings about one thing agree: rounding, units, p-values, and words that deny each other."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

from assistant.records import Finding
from assistant.standing import decimal
from assistant.vocabulary import kind, negated

Verdict = Literal["agree", "differ", "incomparable"]

_PREFIX = {"": Decimal(1), "m": Decimal("1e-3"), "µ": Decimal("1e-6"), "n": Decimal("1e-9"), "p": Decimal("1e-12")}
_AMOUNT = re.compile(r"(?P<prefix>[mµnp]?)(?P<base>mol|g|IU)/(?P<per>[mµd]?)(?P<volume>L)")
_VOLUME = {"": Decimal(1), "d": Decimal("0.1"), "m": Decimal("1e-3"), "µ": Decimal("1e-6")}
_SIGNIFICANT = Decimal("0.05")
_ROUNDED_TENS = Decimal("0.02")


def verdict(one: Finding, other: Finding) -> Verdict:
    """Return whether two findings of one measure, who and cohort agree; incomparable where that can't be said."""
    if kind(one) == kind(other) == "correlation":
        return _correlations(one, other)
    if one.value is None and other.value is None:
        return "differ" if negated(one.statistic) != negated(other.statistic) else "agree"
    if one.value is None or other.value is None or kind(one) != kind(other):
        return "incomparable"
    factor = conversion(other.unit, one.unit)
    if factor is None:
        return "incomparable"
    exact = kind(one) == "count"
    a, b = decimal(one.value), decimal(other.value) * factor
    return "agree" if (a == b if exact else same_rounded(a, b)) else "differ"


def conversion(unit: str, into: str) -> Decimal | None:
    """Return what a figure in one unit is multiplied by to be in another, or None where that can't be said.

    >>> conversion("ng/mL", "µg/L"), conversion("nmol/L", "pmol/L"), conversion("ng/L", "pmol/L")
    (Decimal('1'), Decimal('1000'), None)
    """
    one, other = _canonical(unit), _canonical(into)
    if one == other:
        return Decimal(1)
    a, b = _AMOUNT.fullmatch(one), _AMOUNT.fullmatch(other)
    if not a or not b or a["base"] != b["base"]:
        return None
    scale = [_PREFIX[unit["prefix"]] / _VOLUME[unit["per"]] for unit in (a, b)]
    return Decimal(f"{(scale[0] / scale[1]).normalize():f}")


def same_rounded(one: Decimal, other: Decimal) -> bool:
    """Return whether two figures are the same once the finer is rounded as the coarser is.

    >>> same_rounded(Decimal("41"), Decimal("41.2")), same_rounded(Decimal("350"), Decimal("348"))
    (True, True)
    >>> same_rounded(Decimal("348"), Decimal("346")), same_rounded(Decimal("400"), Decimal("351"))
    (False, False)
    """
    steps = sorted((_step(one), _step(other)))
    if steps[1] > 1 and abs(one - other) > _ROUNDED_TENS * max(abs(one), abs(other)):
        steps[1] = Decimal(1)
    return abs(one - other) <= steps[1] / 2


def _step(value: Decimal) -> Decimal:
    """Return the last place that a figure gives: 0.1 for 41.2, 1 for 41, 10 for 350."""
    exponent = value.normalize().as_tuple().exponent
    return Decimal(1).scaleb(int(exponent))


def _canonical(unit: str) -> str:
    folded = unit.replace("μ", "µ").replace("mcg", "µg").replace("ug/", "µg/").strip()
    return re.sub(r"/([dmµ]?)l$", r"/\1L", folded)


def _correlations(one: Finding, other: Finding) -> Verdict:
    """Return whether two findings about a correlation reach one conclusion with compatible figures."""
    if one.value is not None and other.value is not None:
        return "agree" if same_rounded(decimal(one.value), decimal(other.value)) else "differ"
    found = correlated(one), correlated(other)
    if None in found:
        return "incomparable"
    if found[0] != found[1]:
        return "differ"
    return "agree" if _compatible(one.p, other.p) else "differ"


def correlated(finding: Finding) -> bool | None:
    """Return whether a finding is of a correlation (p ≤ 0.05 where it only gives figures), or None where it is open."""
    if finding.value is None:
        return not negated(finding.statistic)
    bounds = p_bounds(finding.p)
    if bounds is None or bounds[0] <= _SIGNIFICANT < bounds[1]:
        return None
    return bounds[1] <= _SIGNIFICANT


def p_bounds(p: str) -> tuple[Decimal, Decimal] | None:
    """Return the least and greatest that a p-value as given can be, or None where none is given.

    >>> p_bounds("<0.05"), p_bounds("0.27")
    ((Decimal('0'), Decimal('0.05')), (Decimal('0.27'), Decimal('0.27')))
    """
    digits = p.lstrip("<>=≤≥ ")
    if not digits:
        return None
    value = Decimal(digits)
    if p[0] in "<≤":
        return Decimal(0), value
    return (value, Decimal(1)) if p[0] in ">≥" else (value, value)


def _compatible(one: str, other: str) -> bool:
    """Return whether two p-values can be the same one; one that isn't given is compatible with any."""
    a, b = p_bounds(one), p_bounds(other)
    return a is None or b is None or (a[0] <= b[1] and b[0] <= a[1])
