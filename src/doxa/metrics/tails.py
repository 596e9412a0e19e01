"""Tail probabilities and quantiles; scipy is loaded when first needed, so that importing metrics stays quick."""

from statistics import NormalDist
from types import ModuleType

from doxa.metrics.inputs import open_unit


def normal_quantile(level: float) -> float:
    """Two-sided quantile of the standard normal: P(|z| <= quantile) = level."""
    return NormalDist().inv_cdf((1 + open_unit("level", level)) / 2)


def t_quantile(level: float, degrees: float) -> float:
    """Two-sided quantile of Student's t: P(|t| <= quantile) = level; nan without degrees of freedom."""
    return float(_special().stdtrit(degrees, (1 + open_unit("level", level)) / 2)) if degrees > 0 else float("nan")


def beta_quantile(a: float, b: float, probability: float) -> float:
    """Quantile of the beta distribution with parameters a and b."""
    return float(_special().betaincinv(a, b, probability))


def beta_tail(a: float, b: float, x: float) -> float:
    """P(a beta variable with parameters a and b is at most x)."""
    return float(_special().betainc(a, b, x))


def correlation_tail(r: float, degrees: float) -> float:
    """Two-sided p of a correlation r: P(|t| >= |r| sqrt(degrees / (1 - r^2)))."""
    return float(_special().betainc(degrees / 2, 0.5, 1 - r**2))


def chi_square_tail(statistic: float, degrees: float) -> float:
    """P(chi-square with these degrees of freedom >= statistic)."""
    return float(_special().chdtrc(degrees, statistic))


def _special() -> ModuleType:
    from scipy import special

    return special
