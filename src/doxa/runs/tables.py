"""Rows and calls as tables: checked when they are recorded, built from records, kept as Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from doxa.records import DoxaError, Reading
from doxa.runs.files import whole_file
from doxa.runs.notation import dumps, read_prompt
from doxa.study import schema

Columns = Mapping[str, str]

# Bytes of log turned into one table, which takes some twenty times that in passing; bytes of tables written at once.
GROUP_BYTES = 1 << 20
ROW_GROUP_BYTES = 16 << 20

# Columns that stand before those of a Row, in the Parquet files or in queries over many runs.
ADDED = ("run", "study", "model", "reading")

_TYPES: dict[str, Any] = {"str": pl.String, "int": pl.Int64, "float": pl.Float64, "bool": pl.Boolean}
_CALLS = {
    "item": "str",
    "call": "int",
    "kind": "str",
    "condition": "str",
    "prompt": "str",
    "sampling": "str",
    "reply": "str",
    "replies": "str",
    "scores": "str",
    "input_tokens": "int",
    "output_tokens": "int",
    "readings": "list[str]",
}


def columns(row: type[Reading]) -> dict[str, str]:
    """Type of each field of a Row in words: "str", "int", "float", "bool", "list[str]", ...

    raises  DoxaError: a field has the name of a column that the run adds
    """
    types = {name: _name(dtype) for name, dtype in schema(row).items()}
    if taken := [name for name in ADDED if name in types]:
        raise DoxaError(
            f"{row.__module__}.{row.__name__} has a field {taken[0]!r}; a run adds a column of that name. Rename it."
        )
    return types


def _name(dtype: Any) -> str:
    if isinstance(dtype, pl.List):
        return f"list[{_name(dtype.inner)}]"
    return next(name for name, simple in _TYPES.items() if dtype == simple)


def _dtype(name: str) -> Any:
    return pl.List(_dtype(name[5:-1])) if name.startswith("list[") else _TYPES[name]


# --- one row ---------------------------------------------------------------------------------------------------------


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (float, int, np.floating, np.integer)):
        raise TypeError
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not -(2**63) <= value < 2**63:
        raise TypeError
    return int(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError
    return bool(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _list_of(check: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def checked(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple, np.ndarray)):
            raise TypeError
        return [None if v is None else check(v) for v in value]

    return checked


def _checker(name: str) -> Callable[[Any], Any]:
    if name.startswith("list["):
        return _list_of(_checker(name[5:-1]))
    return {"str": _text, "int": _whole, "float": _number, "bool": _truth}[name]


def row_writer(row: type[Reading]) -> Callable[[Reading], dict[str, Any]]:
    """A function that turns a Row into a dictionary and refuses a value that its column cannot hold.

    Checked here, item by item: found only when the table is built, one bad value would cost all the others.
    """
    checks = {name: (_checker(type_), type_) for name, type_ in columns(row).items()}

    def write(reading: Reading) -> dict[str, Any]:
        if not isinstance(reading, row):
            raise TypeError(f"collect yielded {type(reading).__name__}; this study's rows are {row.__name__}")
        written = {}
        for name, (check, type_) in checks.items():
            value = getattr(reading, name)
            try:
                written[name] = None if value is None else check(value)
            except TypeError:
                held = f"{value!r} ({type(value).__name__})"
                raise TypeError(f"{row.__name__}.{name} is {held}; the column holds {type_}") from None
        return written

    return write


def read_row(written: Mapping[str, Any], types: Columns) -> dict[str, Any]:
    """A row as written to the log, with "NaN" and the infinities turned back into numbers."""
    return {name: _read_value(written.get(name), type_) for name, type_ in types.items()}


def _read_column(values: list[Any], type_: str) -> list[Any]:
    return [_read_value(value, type_) for value in values] if "float" in type_ else values


def _read_value(value: Any, type_: str) -> Any:
    if isinstance(value, str) and type_ == "float":
        return float(value)
    if isinstance(value, list):
        return [_read_value(v, type_[5:-1]) for v in value]
    return value


# --- records as tables -----------------------------------------------------------------------------------------------


def reading_id(study: str, item: str, k: int) -> str:
    """The stable name of the k-th reading (from 0) of an item."""
    return f"{study}/{item}/{k}"


def rows_table(records: Iterable[Mapping[str, Any]], types: Columns, study: str, model: str) -> pl.DataFrame:
    """Rows of the records that are done, with `model` and `reading` before the columns of the study's Row."""
    rows: list[dict[str, Any]] = []
    ids: list[str] = []
    for record in records:
        if record["status"] == "done":
            rows += record["rows"]
            ids += [reading_id(study, record["item"]["id"], k) for k in range(len(record["rows"]))]
    table = _table({name: _read_column([row.get(name) for row in rows], type_) for name, type_ in types.items()}, types)
    return table.select(pl.lit(model).alias("model"), pl.Series("reading", ids, dtype=pl.String), pl.all())


def calls_table(records: Iterable[Mapping[str, Any]], study: str, model: str) -> pl.DataFrame:
    """Calls of all records, failed ones too, with who was called and the readings that each of them led to."""
    calls = [call for record in records for call in _calls(record, study, model)]
    types = {"model": "str", **_CALLS}
    return _table({name: [call[name] for call in calls] for name in types}, types)


def _calls(record: Mapping[str, Any], study: str, model: str) -> Iterator[dict[str, Any]]:
    item = record["item"]["id"]
    led_to: dict[int, list[str]] = {}
    if record["status"] == "done":
        for k, used in enumerate(record["row_calls"]):
            for call in used:
                led_to.setdefault(call, []).append(reading_id(study, item, k))
    for k, call in enumerate(record["calls"]):
        replies = call.get("replies", [])
        yield {
            "model": call.get("beside", model),
            "item": item,
            "call": k,
            "kind": call["kind"],
            "condition": call["condition"],
            "prompt": read_prompt(call).show(),
            "sampling": _json(call.get("sampling")),
            "reply": replies[0]["text"] if replies else None,
            "replies": _json(replies or None),
            "scores": _json(call.get("scores")),
            "input_tokens": _total(replies, "input_tokens"),
            "output_tokens": _total(replies, "output_tokens"),
            "readings": led_to.get(k, []),
        }


def _json(value: Any) -> str | None:
    return None if value is None else dumps(value).decode()


def _total(replies: list[dict[str, Any]], name: str) -> int | None:
    counts = [r[name] for r in replies if name in r]
    return sum(counts) if counts else None


def _table(data: Mapping[str, list[Any]], types: Columns) -> pl.DataFrame:
    return pl.DataFrame(data, schema={name: _dtype(type_) for name, type_ in types.items()})


# --- Parquet ---------------------------------------------------------------------------------------------------------


class ParquetFile:
    """A Parquet file that is written table by table; small tables are gathered into row groups of a useful size."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None
        self._waiting: list[pl.DataFrame] = []
        self._bytes = 0

    def add(self, table: pl.DataFrame) -> None:
        self._waiting.append(table)
        self._bytes += int(table.estimated_size())
        if self._bytes >= ROW_GROUP_BYTES:
            self._write()

    def close(self) -> None:
        """Write what waits; the file then has all rows, be they none."""
        if self._waiting or self._writer is None:
            self._write()
        self._writer.close()
        _give_back_memory()

    def _write(self) -> None:
        import pyarrow.parquet as pq

        table = pl.concat(self._waiting).to_arrow()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd", compression_level=3)
        self._writer.write_table(table)
        self._waiting, self._bytes = [], 0


def _give_back_memory() -> None:
    """What writing took and keeps for the next time; scoring needs the room."""
    import pyarrow

    pyarrow.default_memory_pool().release_unused()


@contextmanager
def parquet_file(path: Path) -> Iterator[ParquetFile]:
    """A Parquet file of at least one table, maybe empty, that is there, whole, when the block ends without an error."""
    with whole_file(path) as part:
        file = ParquetFile(part)
        yield file
        file.close()


def groups(records: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    """Records (with their length in bytes) in groups of about GROUP_BYTES; one empty group if there are none."""
    group: list[dict[str, Any]] = []
    size = 0
    for length, record in records:
        group.append(record)
        size += length
        if size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    yield group
