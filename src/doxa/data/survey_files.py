"""Surveys by path: question files, tables of shares, and person records with the recodes of the American survey.

Published opinion surveys have layouts of their own, see `opinion_sets`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.data.opinion_sets import is_opinion_shares, opinion_shares
from doxa.data.populations import Population
from doxa.records import LETTERS, DoxaError, Item

if TYPE_CHECKING:
    import polars as pl

ACS, ANES, SOME = "the American Community Survey", "the American National Election Study", "a survey"
WEIGHT, STATE = "PWGTP", "ST"

# After the universes of the PUMS dictionary, as far as the survey's own age bins (codes of AGER) tell them.
_AGED_5, _AGED_16 = {"AGER": (2, 3, 4, 5, 6, 7)}, {"AGER": (3, 4, 5, 6, 7)}
ASKED_IF: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "LANX": _AGED_5,
    "ENG": {"LANX": (1,)},
    "MAR": _AGED_16,
    "FER": {"SEX": (2,), "AGER": (3, 4, 5)},
    "GCL": {"AGER": (4, 5, 6, 7)},
    **dict.fromkeys(("MIL", "WRK", "ESR", "PINCPR"), _AGED_16),
    "JWTRNS": {"ESR": (1, 4)},
    "WKL": _AGED_16,
    "WKWN": {"WKL": (1,)},
    "WKHPR": {"WKL": (1,)},
    "COWR": {"WKL": (1, 2)},
    "voted_2016_candidate": {"voted_2016": (1,)},
}
ANES_KEYS = (
    *("gender", "race", "age", "education", "religion", "patriotism", "politics_discuss", "politics_interest"),
    *("voted_2016", "voted_2016_candidate", "political_ideology", "partisan_identification"),
)


def survey_items(path: Path) -> list[Item]:
    """Questions of a JSON file: a list of {key, question, options: [{text, code}], ...} in the survey's order.

    Optional fields: id, you (the text in the second person), asked_if ({key: [codes]}; without it that of ASKED_IF),
    survey (its name; without it that of the published questions, else "a survey"). Codes name options
    in `asked_if` and in records; options are told apart by their place, not by their code.

    raises  DoxaError: no such list, a field missing, fewer than two or more than 26 options, a key or code twice,
            an asked_if that names no earlier question or no code of it
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DoxaError(f"{path}: no JSON file of questions ({error})") from None
    if not isinstance(held, list) or not held:
        raise DoxaError(f"{path} holds {type(held).__name__}; a survey is a list of questions, at least one")
    items: list[Item] = []
    codes: dict[str, list[int]] = {}
    for place, row in enumerate(held):
        where = f"{path.name}[{place}]"
        key, text, options, own = _question(where, row)
        if key in codes:
            raise DoxaError(f"{where}: key {key!r} was there before; questions are named once")
        asked_if = row.get("asked_if", ASKED_IF.get(key, {}))
        known = "asked_if" not in row
        conditions = {k: _places(where, codes, k, v) for k, v in asked_if.items() if k in codes or not known}
        codes[key] = own
        fields = {"key": key, "codes": own, "survey": row.get("survey", _survey_of(key)), "asked_if": conditions}
        fields |= {"you": str(row["you"])} if "you" in row else {}
        items.append(Item(f"{path.stem}/{key}", text, "choice", options, fields=fields))
    return items


def _survey_of(key: str) -> str:
    acs = key in (*SAME, *BINS, "HISPR", "FER", "WKL", "JWTRNS", "COWR")
    return ACS if acs else ANES if key in ANES_KEYS else SOME


def _question(where: str, row: Any) -> tuple[str, str, tuple[str, ...], list[int]]:
    try:
        key, text = str(row["key"]), str(row["question"])
        options = tuple(str(option["text"]) for option in row["options"])
        codes = [int(option.get("code", place)) for place, option in enumerate(row["options"], 1)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DoxaError(f"{where}: no key, question and options with text and code ({error!r})") from None
    if not 2 <= len(options) <= len(LETTERS) or len(set(codes)) < len(codes) or len(set(options)) < len(options):
        raise DoxaError(f"{where}: options {options}, codes {codes}; give 2 to {len(LETTERS)}, all different")
    return key, text, options, codes


def _places(where: str, codes: Mapping[str, list[int]], key: str, after: Sequence[int]) -> list[int]:
    if key not in codes or not set(after) <= set(codes[key]):
        raise DoxaError(
            f"{where}: asked_if names {key!r} with codes {list(after)}; it names earlier questions "
            f"({', '.join(codes) or 'none'}) and codes of theirs"
        )
    return [codes[key].index(code) for code in after]


# --- populations -----------------------------------------------------------------------------------------------------


def population(path: Path, items: Sequence[Item]) -> Population:
    """What answers are compared with, from a table in CSV or Parquet.

    shares   columns key, code (or option, its text), share; optional: part (a subgroup; empty: the whole). Shares are
             divided by their sum
    records  a column for each key with its codes, or the options' texts, or raw columns of the PUMS extract, which are
             recoded (`recoded`); PWGTP, weight or WEIGHT_W26: weights; ST or part: subgroups. Empty: no answer
    else     counts or distributions of OpinionQA, see `opinion_shares`
    raises   DoxaError: no such columns, a share or weight below 0, a code or text that the question does not have
    """
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    asked = tuple((str(i.fields["key"]), tuple(i.fields["codes"]), i.options) for i in items if "key" in i.fields)
    if is_opinion_shares(path):
        return opinion_shares(path, {key: options for key, _, options in asked})
    return _population(path, stamp, asked)


Asked = tuple[tuple[str, tuple[int, ...], tuple[str, ...]], ...]


@cache
def _population(path: Path, stamp: int, asked: Asked) -> Population:
    import polars as pl

    try:
        table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DoxaError(f"{path}: no table in CSV or Parquet ({error})") from None
    if "share" in table.columns:
        return _of_shares(path, table, asked)
    return _of_records(path, table, asked)


def _of_shares(path: Path, table: pl.DataFrame, asked: Asked) -> Population:
    if "key" not in table.columns or not {"code", "option"} & set(table.columns):
        raise DoxaError(
            f"{path}: shares have columns key, share, and code or option; it has {', '.join(table.columns)}"
        )
    codes, texts = {key: own for key, own, _ in asked}, {key: options for key, _, options in asked}
    found: dict[str, dict[str, list[float]]] = {}
    for number, row in enumerate(table.iter_rows(named=True), 2):
        key, part = str(row["key"]), str(row.get("part") or "")
        if key not in codes:
            continue
        by_code = row.get("code") is not None
        names: Sequence[Any] = codes[key] if by_code else texts[key]
        said, share = row["code"] if by_code else row.get("option"), row["share"]
        if said not in names or not isinstance(share, int | float) or not share >= 0:
            raise DoxaError(
                f"{path}:{number}: {key!r}, {said!r}, share {share!r}; options are {list(names)}, shares >= 0"
            )
        of = found.setdefault(part, {}).setdefault(key, [0.0] * len(names))
        of[list(names).index(said)] += float(share)
    whole = {part: {k: _normalised(path, k, v) for k, v in of.items()} for part, of in found.items()}
    return Population(path.stem, whole.pop("", {}), whole)


def _normalised(path: Path, key: str, values: Sequence[float]) -> tuple[float, ...]:
    total = sum(values)
    if not total > 0:
        raise DoxaError(f"{path}: the shares of {key!r} sum to {total:g}; at least one is above 0")
    return tuple(value / total for value in values)


def _of_records(path: Path, table: pl.DataFrame, asked: Asked) -> Population:
    named = recoded(_coded(path, table, asked))
    codes = {key: own for key, own, _ in asked if key in named}
    if not codes:
        wanted = ", ".join(key for key, _, _ in asked)
        raise DoxaError(f"{path}: none of the questions {wanted} is a column; it has {', '.join(table.columns[:30])}")
    people = np.stack([_as_places(path, key, named[key], own) for key, own in codes.items()], axis=1)
    weights = _weights(path, table)
    column = next((name for name in ("part", STATE) if name in table.columns), None)
    parts = None if column is None else np.array([str(value) for value in table[column].to_list()])
    counts = {key: len(own) for key, own in codes.items()}
    every = np.ones(len(people), dtype=bool)
    subgroups = (
        {p: _marginals(people, weights, parts == p, counts) for p in sorted(set(parts))} if parts is not None else {}
    )
    whole = _marginals(people, weights, every, counts)
    return Population(path.stem, whole, subgroups, None, {}, tuple(codes), people, weights, parts)


def _coded(path: Path, table: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The table with the codes of options where it has their texts."""
    import polars as pl

    for key, codes, options in asked:
        if key in table.columns and table[key].dtype == pl.String:
            known = {text: code for text, code in zip(options, codes, strict=True)} | {"": None}
            known |= {str(code): code for code in codes}
            odd = next((i for i, v in enumerate(table[key]) if v is not None and v.strip() not in known), None)
            if odd is not None:
                raise DoxaError(f"{path}, row {odd + 1}: {key} is {table[key][odd]!r}; its options are {list(options)}")
            values = [None if v is None else known[v.strip()] for v in table[key]]
            table = table.with_columns(pl.Series(key, values, dtype=pl.Int64))
    return table


def _weights(path: Path, table: pl.DataFrame) -> np.ndarray:
    panel = [name for name in table.columns if name.startswith("WEIGHT_W")]
    column = next((name for name in ("weight", WEIGHT, *panel) if name in table.columns), None)
    weights = np.ones(len(table)) if column is None else table[column].to_numpy().astype(np.float64)
    if not (weights >= 0).all() or not weights.sum() > 0:
        raise DoxaError(f"{path}: column {column!r} has weights below 0, missing, or all 0")
    return weights


def _as_places(path: Path, key: str, values: np.ndarray, codes: Sequence[int]) -> np.ndarray:
    """1 to c by the place of the code among the question's options, 0 for none."""
    places = np.zeros(len(values), dtype=np.int64)
    for place, code in enumerate(codes, 1):
        places[values == code] = place
    odd = ~np.isnan(values) & (places == 0)
    if odd.any():
        at = int(odd.argmax())
        raise DoxaError(f"{path}, row {at + 1}: {key} is {values[at]:g}; its codes are {', '.join(map(str, codes))}")
    return places


def _marginals(people: np.ndarray, weights: np.ndarray, rows: np.ndarray, counts: Mapping[str, int]) -> dict[str, Any]:
    found = {}
    for column, (key, c) in enumerate(counts.items()):
        total = np.bincount(people[rows, column], weights[rows], minlength=c + 1)[1:]
        if total.sum() > 0:
            found[key] = tuple((total / total.sum()).tolist())
    return found


# --- recodes of the PUMS extract -------------------------------------------------------------------------------------

SAME = ("SEX", "NATIVITY", "CIT", "SCH", "LANX", "ENG", "HICOV", "DEAR", "DEYE", "MAR", "GCL", "MIL", "WRK", "ESR")
BINS: Mapping[str, tuple[str, tuple[float, ...]]] = {  # key -> raw column, upper ends (included) of the codes from 1
    "AGER": ("AGEP", (4, 15, 30, 40, 50, 64, 99)),
    "RAC1PR": ("RAC1P", (1, 2, 5, 6, 8, 9)),
    "SCHLR": ("SCHL", (1, 15, 17, 21, 24)),
    "WKWN": ("WKWN", (13, 26, 39, 47, 52)),
    "WKHPR": ("WKHP", (9, 19, 34, 44, 59, 98)),
    "PINCPR": ("PINCP", (0, 12_490, 52_000, 120_000, np.inf)),
}


def recoded(table: pl.DataFrame) -> dict[str, np.ndarray]:
    """Codes (n,) by key, nan for none, from a table of records.

    A column that bears a key is taken as it is, but for WKWN in weeks. Raw columns of the PUMS extract (2019, 1 year)
    are binned: ages, race, schooling, weeks, hours (99 is missing) and income as BINS has them; HISP 1 is "no", others
    "yes"; FER missing is "no". COW is not recoded: it does not tell the armed forces from other federal work.
    """
    columns = {name: table[name] for name in table.columns}
    found = {name: _numbers(column) for name, column in columns.items() if not column.dtype.is_nested()}
    for key, (raw, ends) in BINS.items():
        values = found.get(raw)
        in_codes = key == raw and values is not None and not (values > len(ends)).any()
        if values is not None and not in_codes and (key == raw or key not in found):
            found[key] = _binned(values, ends)
    if "HISP" in found and "HISPR" not in found:
        found["HISPR"] = np.where(np.isnan(found["HISP"]), np.nan, np.where(found["HISP"] == 1, 2, 1))
    if "FER" in found and "AGEP" in found:
        found["FER"] = np.where(np.isnan(found["FER"]), 2, found["FER"])
    return found


def _numbers(column: pl.Series) -> np.ndarray:
    import polars as pl

    return column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()


def _binned(values: np.ndarray, ends: Sequence[float]) -> np.ndarray:
    codes = np.searchsorted(np.array(ends), values, side="left") + 1.0
    return np.where(np.isnan(values) | (codes > len(ends)), np.nan, codes)
