"""Inputs of every metric: sequences turned into checked arrays; errors name the value, the rule and the way out."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A softmax in float32 sums to 1 only up to rounding; a wrong unit is off by far more than this.
ROUNDING = 1e-6
SUM_ROUNDING = 1e-4


def flat(name: str, values: ArrayLike) -> NDArray[Any]:
    """values as an array (n,) without missing entries; raises ValueError when it is empty, nested, or has a None."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(
            f"{name} has shape {array.shape}, not (n,): one value per item. Select a column or flatten it."
        )
    if len(array) == 0:
        raise ValueError(
            f"{name} is empty (n = 0), so nothing can be measured. Check what the filter before it dropped."
        )
    if array.dtype == object:
        missing = np.array([value is None for value in array])
        _raise_missing(name, array, missing)
    return array


def numbers(name: str, values: ArrayLike, *, finite: bool = True) -> Floats:
    """values as float64 (n,); NaN raises with its index, infinity too unless finite=False."""
    array = flat(name, values)
    try:
        result = array.astype(np.float64)
    except (TypeError, ValueError):
        index, value = next((i, v) for i, v in enumerate(array.tolist()) if not _is_number(v))
        raise ValueError(f"{name}[{index}] is {value!r}, not a number. Parse it before measuring.") from None
    _raise_missing(name, array, np.isnan(result))
    if finite and np.isinf(result).any():
        index = int(np.isinf(result).argmax())
        raise ValueError(f"{name}[{index}] is {result[index]:g}; values must be finite. Was a logarithm of 0 taken?")
    return result


def probabilities(name: str, values: ArrayLike) -> Floats:
    """values as float64 (n,) in [0, 1]; overshoot of up to 1e-6 is rounding and is cut, anything more raises."""
    array = numbers(name, values, finite=False)
    _raise_outside(name, array)
    return np.clip(array, 0.0, 1.0)


def outcomes(name: str, values: ArrayLike) -> Floats:
    """values as 0.0 or 1.0 (n,); booleans and the numbers 0 and 1 are accepted, all else raises."""
    array = numbers(name, values, finite=False)
    bad = (array != 0) & (array != 1)
    if bad.any():
        index = int(bad.argmax())
        raise ValueError(
            f"{name}[{index}] is {array[index]:g}, neither 0 nor 1 ({bad.sum()} of {len(array)} are not). "
            "Graded truth? compare it with a threshold. Swapped arguments? first what was said, then what is true."
        )
    return array


def distributions(name: str, values: ArrayLike) -> Floats:
    """values as float64 (n, c): each row a distribution over c options, in [0, 1] and summing to 1 (to 1e-4)."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}, not (n, c): one row per item, one column per option.")
    if array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}: no item or no option, so nothing can be measured.")
    for row in np.flatnonzero(np.isnan(array).any(axis=1))[:1]:
        raise ValueError(f"{name}[{row}] has a nan. Remove the item and count it as missing.")
    _raise_outside(name, array.ravel(), columns=array.shape[1])
    totals = array.sum(axis=1)
    off = np.abs(totals - 1) > SUM_ROUNDING
    if off.any():
        row = int(off.argmax())
        raise ValueError(
            f"{name}[{row}] sums to {totals[row]:g}, not to 1 ({off.sum()} of {len(array)} rows do not). "
            "Divide each row by its sum, or add the missing option as a column."
        )
    return np.clip(array, 0.0, 1.0)


def same_length(**arrays: NDArray[Any]) -> int:
    """The common length n of the named arrays; raises ValueError naming two that differ."""
    (first, reference), *others = arrays.items()
    for name, array in others:
        if len(array) != len(reference):
            raise ValueError(
                f"{first} has {len(reference)} values, {name} has {len(array)}; they must pair up item by item. "
                "Filter both with the same mask."
            )
    return len(reference)


def codes(name: str, values: ArrayLike) -> tuple[Ints, int]:
    """Labels (n,) as integers in sorted order of the label, and how many distinct ones there are."""
    array = flat(name, values)
    if array.dtype.kind == "f":
        _raise_missing(name, array, np.isnan(array))
    try:
        distinct, index = np.unique(array, return_inverse=True)
    except TypeError:
        raise ValueError(
            f"{name} mixes types that cannot be ordered, e.g. text and numbers. Write all as text."
        ) from None
    return index.astype(np.int64), len(distinct)


def one_of(name: str, value: str, allowed: Iterable[str]) -> str:
    """value if it is among the allowed words; raises ValueError listing them otherwise."""
    choices = tuple(allowed)
    if value not in choices:
        raise ValueError(f"{name} is {value!r}, not one of {', '.join(map(repr, choices))}.")
    return value


def whole(name: str, value: int, *, minimum: int = 1) -> int:
    """value if it is a whole number of at least `minimum`; raises ValueError otherwise."""
    if isinstance(value, bool) or int(value) != value or value < minimum:
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least {minimum}.")
    return int(value)


def open_unit(name: str, value: float) -> float:
    """value if strictly between 0 and 1, as levels, powers and base rates are; raises ValueError otherwise."""
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value!r}, outside (0, 1). Percent? divide by 100.")
    return float(value)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _raise_missing(name: str, array: NDArray[Any], missing: NDArray[np.bool_]) -> None:
    if missing.any():
        index = int(missing.argmax())
        raise ValueError(
            f"{name}[{index}] is missing ({array[index]}; {missing.sum()} of {len(array)} are). "
            "Filter these items out before measuring, and report how many there were."
        )


def _raise_outside(name: str, array: Floats, columns: int = 0) -> None:
    outside = (array < -ROUNDING) | (array > 1 + ROUNDING)
    if outside.any():
        index = int(outside.argmax())
        where = f"{index // columns}, {index % columns}" if columns else f"{index}"
        raise ValueError(
            f"{name}[{where}] is {array[index]:g}, outside [0, 1] ({outside.sum()} of {len(array)} are). "
            "Percent? divide by 100. Log-probability? exponentiate."
        )
