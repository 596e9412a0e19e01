"""Tables of recorded answers in JSONL, JSON, CSV, TSV or Parquet, row by row with the place where each row stands."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doxa.records import DoxaError

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".gz")


def read_rows(path: Path, *, encoding: str = "utf-8") -> Iterator[tuple[str, dict[str, Any]]]:
    """(file:line, row) of a table in JSONL, JSON (a list), CSV, TSV or Parquet; the text ones also as .gz.

    raises  DoxaError: no such file, a folder, an unknown suffix, another encoding, a line that is cut or malformed
    """
    if path.is_dir():
        raise DoxaError(f"{path} is a folder; name a file. A run's rows lie in {path}/readings/STUDY/rows.parquet")
    if not path.is_file():
        raise DoxaError(f"there is no file {path}")
    suffix = path.with_suffix("").suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if suffix == ".parquet":
        yield from _parquet(path)
    elif suffix in (".jsonl", ".ndjson"):
        yield from _jsonl(path, _decoded(path, encoding))
    elif suffix == ".json":
        yield from _json(path, _decoded(path, encoding))
    elif suffix in (".csv", ".tsv"):
        yield from _csv(path, _decoded(path, encoding), "\t" if suffix == ".tsv" else ",")
    else:
        raise DoxaError(f"{path}: suffix {suffix!r} is none of {', '.join(SUFFIXES)}")


def _decoded(path: Path, encoding: str) -> str:
    data = path.read_bytes()
    try:
        data = gzip.decompress(data) if path.suffix.lower() == ".gz" else data
        return data.decode("utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as e:
        line = data[: e.start].count(b"\n") + 1
        raise DoxaError(
            f"{path}:{line} is not {encoding}: byte 0x{data[e.start]:02x}. Files from Excel and older Windows programs "
            "are usually Windows-1252: encoding='cp1252'"
        ) from None
    except LookupError:
        raise DoxaError(f"there is no encoding {encoding!r}; usual ones are utf-8, cp1252, latin-1, utf-16") from None
    except (OSError, EOFError) as e:
        raise DoxaError(f"{path} cannot be unpacked: {e}") from None


def _jsonl(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    # Split at "\n" alone: replies may hold U+2028 and other marks that splitlines() takes for line ends.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except json.JSONDecodeError as e:
                cut = "the line is cut off" if e.pos >= len(line.rstrip()) - 1 or "Unterminated" in e.msg else e.msg
                raise DoxaError(f"{path}:{number}: not JSON at column {e.colno}: {cut}") from None
            yield f"{path}:{number}", _object(row, f"{path}:{number}")


def _json(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as e:
        raise DoxaError(f"{path}:{e.lineno}: not JSON at column {e.colno}: {e.msg}") from None
    if not isinstance(rows, list):
        lists = [k for k, v in rows.items() if isinstance(v, list)] if isinstance(rows, dict) else []
        inside = f" (its {', '.join(map(repr, lists))} hold lists: save the right one on its own)" if lists else ""
        raise DoxaError(f"{path} holds {type(rows).__name__}, not a list of rows{inside}")
    for number, row in enumerate(rows):
        yield f"{path}[{number}]", _object(row, f"{path}[{number}]")


def _object(row: Any, where: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise DoxaError(f"{where}: a row is a JSON object with named columns, not {type(row).__name__}")
    return row


def _csv(path: Path, text: str, delimiter: str) -> Iterator[tuple[str, dict[str, Any]]]:
    limit = csv.field_size_limit(max(len(text), 131072))  # long reasoning exceeds the default of 128 KiB
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, restkey=None)
    try:
        for row in reader:
            where = f"{path}:{reader.line_num}"
            if None in row or None in row.values():
                raise DoxaError(f"{where}: {'more' if None in row else 'fewer'} cells than the header has columns")
            yield where, row
    except csv.Error as e:
        raise DoxaError(f"{path}:{reader.line_num}: not CSV: {e}") from None
    finally:
        csv.field_size_limit(limit)


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    import polars as pl

    try:
        table = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as e:
        raise DoxaError(f"{path} is not a whole Parquet file: {e}") from None
    for number, row in enumerate(table.iter_rows(named=True)):
        yield f"{path} row {number}", row
