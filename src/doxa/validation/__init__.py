"""Planted truth: is every instrument shown to find a known value, and nothing where there is nothing?"""

from doxa.validation.curves import Curve, sweep
from doxa.validation.kept import trusted
from doxa.validation.recovery import Check, Recovery, checks, holds, recover, sound, validate, verdict
from doxa.validation.trivial import trivial, trivials

__all__ = [
    "Check",
    "Curve",
    "Recovery",
    "checks",
    "holds",
    "recover",
    "sound",
    "sweep",
    "trivial",
    "trivials",
    "trusted",
    "validate",
    "verdict",
]
