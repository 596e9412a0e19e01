"""What was published on model and reader confidence: on which side of 0, for the texts at hand give no numbers."""

from __future__ import annotations

_FINDINGS = (
    ("mean gap, default", "above 0", "abstract"),
    ("bias, default", "above 0", "abstract"),
    ("mean reader confidence, long minus short", "above 0", "abstract of the journal version"),
    ("reader AUC, long minus short", "not above 0", "abstract of the journal version"),
    ("calibration gap, selected minus default", "below 0", "abstract"),
    ("discrimination gap, selected minus default", "below 0", "abstract"),
)
PUBLISHED: tuple[tuple[str, float, str], ...] = tuple(
    (estimate, float("nan"), f"no figure: {direction} in persons ({where}, which gives no number)")
    for estimate, direction, where in _FINDINGS
)
"""(estimate, nan, setting) of arXiv 2401.13835 and its journal version."""
