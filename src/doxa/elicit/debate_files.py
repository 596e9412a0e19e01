"""Recorded debates: tables of bets, raw debates, judgements of bets beside their reasons; as rows and as items.

Formats of arXiv 2505.19184, whoever ran the debates. A file may lack columns that are not needed and have others.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from doxa.elicit.bet_judges import ASSESSMENTS, DEGREES, by_rule, span_of
from doxa.elicit.debating import SIDES, other, staked
from doxa.models.recorded_files import SUFFIXES, read_rows
from doxa.records import DoxaError, Item

TABLE = ("debate_id", "side", "speech_type", "bet_amount")
MORE = "experiment_type, betting_model, proposition_model, opposition_model, topic, bet_reasoning"
COLUMNS = f"{', '.join(TABLE)}; optional: {MORE}"
ORDER = ("opening", "rebuttal", "closing")

_SETTINGS = {
    "crossmodel": "cross_model",
    "privatebetexperimentsdiffmodels": "cross_model",
    "differentmodelsprivatebet": "cross_model",
    "privatebet": "cross_model",
    "debateagainstsamemodel": "self_debate",
    "selfdebate": "self_debate",
    "privateselfbet": "self_debate",
    "debateagainstsamemodelinformedwith50probability": "informed_self",
    "informedself": "informed_self",
    "privateselfbetanchored": "informed_self",
    "publicbets": "public_bets",
    "redteam": "self_redteam",
    "selfredteam": "self_redteam",
    "selfredteamdebate": "self_redteam",
    "multiround": "multi_round",
    "multiroundexperiments": "multi_round",
}


def setting_of(name: str) -> str:
    """Our name of a condition by any of its published names; another name stays as it is.

    >>> setting_of("Debate against same model informed with 50% probability"), setting_of("Redteam"), setting_of("mine")
    ('informed_self', 'self_redteam', 'mine')
    """
    return _SETTINGS.get(re.sub(r"[^a-z0-9]", "", name.lower()), name or "self_debate")


def model_of(name: str) -> str:
    """A model's name without its provider and without the suffix of a price.

    >>> model_of("qwen/qwq-32b:free")
    'qwq-32b'
    """
    return name.rsplit("/", 1)[-1].removesuffix(":free")


def debate_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a run, a table of bets, raw debates (a JSON file or a folder of them), or judgements of bets.

    raises  DoxaError: nothing of the kind, a missing column, a side, speech or bet that is none; with file and place
    """
    if path.is_dir():
        files = sorted(path.rglob("*.json"))
        raw = [file for file in files if "debator_bets" in file.read_text(encoding="utf-8", errors="replace")]
        if not raw:
            raise DoxaError(f"{path}: none of its {len(files)} .json files is a debate with debator_bets")
        return [row for file in raw for row in _raw_file(file, str(file.relative_to(path)))]
    if path.suffix.lower() == ".json" and (held := _object(path)) is not None:
        return list(_raw(str(path), path.stem, held, path.parent.name))
    table = list(read_rows(path))
    if not table:
        raise DoxaError(f"{path}: no rows")
    first = table[0][1]
    if "arm" in first:
        return [_own(where, row) for where, row in table]
    if "debator_bets" in first:
        return [
            line for where, row in table for line in _raw(where, f"{path.stem}/{where.rpartition('[')[2]}", row, "")
        ]
    if "analysis" in first:
        return [_judged(where, row, setting_of(path.stem.partition("results_")[2])) for where, row in table]
    return _table(table)


def _own(where: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a run, from a format without types, too: empty cells are none."""
    found = {key: None if value == "" and key in _NUMBERS else value for key, value in row.items()}
    for key in _NUMBERS & found.keys():
        if isinstance(value := found[key], str):
            try:
                found[key] = _BOOLEANS[value.lower()] if value.lower() in _BOOLEANS else float(value)
            except ValueError:
                raise DoxaError(f"{where}: {key} is {value!r}, which is no number") from None
    return {**found, "round": int(found.get("round") or 0), "sample": int(found.get("sample") or 0)}


_BOOLEANS = {"true": True, "false": False}
_NUMBERS = {"bet", "round", "sample", "confidence", "numeric", "low", "high", "strategic"}


# --- a table of bets -------------------------------------------------------------------------------------------------


def _table(table: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    where, first = table[0]
    if missing := [column for column in TABLE if column not in first]:
        raise DoxaError(
            f"{where}: no column {', '.join(missing)}; the columns are {COLUMNS}. It has {', '.join(first)}"
        )
    amounts = [_bet(where, row["bet_amount"]) for where, row in table]
    _check_unit(table[0][0], amounts)
    # Published ids name the two models alone: one id stands for a model's debates on all motions.
    keys = [tuple(str(row.get(name) or "") for name in _KEY) for _, row in table]
    names = Counter(_name(key) for key in dict.fromkeys(keys))
    parts: dict[tuple[str, ...], list[tuple[str, Mapping[str, Any], float | None]]] = {}
    for key, (at, row), amount in zip(keys, table, amounts, strict=True):
        parts.setdefault(key, []).append((at, row, amount))
    found: list[dict[str, Any]] = []
    for key, lines in parts.items():
        found += _debates(_name(key) if names[_name(key)] == 1 else " | ".join(key), lines)
    return found


def _name(key: Sequence[str]) -> str:
    return f"{key[0]}: {key[1]}" if key[1] else key[0]


_KEY = ("debate_id", "topic", "experiment_type", "proposition_model", "opposition_model")


def _debates(name: str, lines: Sequence[tuple[str, Mapping[str, Any], float | None]]) -> Iterator[dict[str, Any]]:
    """Rows of one id. Where openings repeat it is several debates, where only rebuttals do several rounds."""
    sides = [(_side(where, row["side"]), _speech(where, row["speech_type"])) for where, row, _ in lines]
    counts = Counter(sides)
    debates = max((n for (_, speech), n in counts.items() if speech in ("opening", "closing")), default=1)
    seen: Counter[tuple[str, str]] = Counter()
    for (where, row, bet), (side, speech) in zip(lines, sides, strict=True):
        place, many = seen[side, speech], counts[side, speech]
        seen[side, speech] += 1
        per = -(-many // debates)
        if per > 1 and speech != "rebuttal":
            raise DoxaError(f"{where}: {name!r}, {debates} debates, has {many} bets of the {side} after its {speech}")
        kind = speech if per == 1 else f"rebuttal_{place % per + 1}"
        which = place // per
        models = {s: model_of(str(row.get(f"{s}_model") or "")) for s in SIDES}
        own = model_of(str(row.get("betting_model") or "")) or models[side]
        yield row_of(
            item=name if debates == 1 else f"{name} #{which + 1}",
            setting=setting_of(str(row.get("experiment_type") or "")),
            side=side,
            speech=kind,
            bet=bet,
            bettor=own,
            opponent=models[other(side)],
            motion=str(row.get("topic") or ""),
            text=staked("", str(row.get("bet_reasoning") or ""), bet),
        )


def row_of(
    *,
    item: str,
    setting: str,
    side: str,
    speech: str,
    bet: float | None,
    bettor: str,
    opponent: str,
    motion: str,
    text: str,
) -> dict[str, Any]:
    """A bet of a recorded debate with the fields of a row. ValueError: no kind of speech."""
    kind, _, number = speech.partition("_")
    if kind not in ORDER:
        raise ValueError(f"speech is {speech!r}; it is {', '.join(ORDER)}, a rebuttal maybe with a number")
    # Rounds order speeches; the closing's is known only where all are, so it stands behind any rebuttal.
    place = {"opening": 1, "closing": 99}.get(kind, 1 + int(number or 1))
    return {
        "item": item,
        "condition": f"debate/{side}/{speech}",
        "outcome": "ok" if bet is not None else "unparsed",
        "text": text,
        "arm": "debate",
        "setting": setting,
        "side": side,
        "speech": speech,
        "round": place,
        "bet": bet,
        "bettor": bettor,
        "opponent": opponent,
        "motion": motion,
    }


def _side(where: str, cell: Any) -> str:
    text = str(cell or "").strip().lower()
    if text not in SIDES:
        raise DoxaError(f"{where}: side is {cell!r}; it is {' or '.join(SIDES)}")
    return text


def _speech(where: str, cell: Any) -> str:
    text = str(cell or "").strip().lower().replace(" ", "_")
    if not re.fullmatch(r"opening|closing|rebuttal(_\d+)?", text):
        raise DoxaError(f"{where}: speech_type is {cell!r}; it is opening, rebuttal, rebuttal_2, ... or closing")
    return text


def _bet(where: str, cell: Any) -> float | None:
    """A bet, 0 to 100; empty: none was read."""
    if cell is None or str(cell).strip().lower() in ("", "nan", "none", "null"):
        return None
    try:
        bet = float(cell)
    except (TypeError, ValueError):
        raise DoxaError(
            f"{where}: the bet is {cell!r}; it is a number from 0 to 100, empty where none was read"
        ) from None
    if math.isnan(bet):
        return None
    if not 0 <= bet <= 100:
        raise DoxaError(f"{where}: the bet is {bet:g}; bets are 0 to 100 tokens")
    return bet


def _check_unit(where: str, bets: Sequence[float | None]) -> None:
    known = [bet for bet in bets if bet is not None]
    if known and max(known) <= 1 and any(0 < bet < 1 for bet in known):
        raise DoxaError(f"{where}: all bets are at most 1; bets are 0 to 100 tokens. Probabilities? multiply by 100")


# --- raw debates -----------------------------------------------------------------------------------------------------


def _object(path: Path) -> dict[str, Any] | None:
    """The JSON object that a file holds; None: it holds a list. DoxaError: it is not JSON."""
    if not path.is_file():
        raise DoxaError(f"there is no file {path}")
    try:
        held = json.loads(path.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DoxaError(f"{path}: not JSON: {error}") from None
    return held if isinstance(held, dict) else None


def _raw_file(path: Path, name: str) -> list[dict[str, Any]]:
    held = _object(path)
    if held is None:
        raise DoxaError(f"{path} holds a list; a debate is an object. Score that file alone")
    return list(_raw(str(path), name.removesuffix(".json"), held, path.parent.name))


def _raw(where: str, name: str, held: Mapping[str, Any], folder: str) -> Iterator[dict[str, Any]]:
    if "debator_bets" not in held:
        raise DoxaError(f"{where}: no field debator_bets; a debate has motion, *_model, *_output and debator_bets")
    motion = held.get("motion")
    topic = (
        str(motion.get("topic_description") or motion.get("motion") or "") if isinstance(motion, Mapping) else motion
    )
    known = setting_of(folder)  # the folder tells conditions apart that debate_type does not
    setting = known if known in _SETTINGS.values() else setting_of(str(held.get("debate_type") or ""))
    models = {side: model_of(str(held.get(f"{side}_model") or "")) for side in SIDES}
    speeches = {side: (held.get(f"{side}_output") or {}).get("speeches") or {} for side in SIDES}
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for place, bet in enumerate(held["debator_bets"] or ()):
        at = f"{where}, debator_bets[{place}]"
        side, speech = _side(at, bet.get("side")), _speech(at, bet.get("speech_type"))
        amount = _bet(at, bet.get("amount"))
        said = str(speeches[side].get(speech) or "")
        last[side, speech] = row_of(  # a bet that was asked for again stands for the one before
            item=name,
            setting=setting,
            side=side,
            speech=speech,
            bet=amount,
            bettor=models[side],
            opponent=models[other(side)],
            motion=str(topic or ""),
            text=staked(said, str(bet.get("thoughts") or ""), amount),
        )
    yield from last.values()
    yield from _verdicts(where, name, setting, str(topic or ""), held.get("judge_results") or ())


def _verdicts(
    where: str, name: str, setting: str, motion: str, told: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    many: Counter[str] = Counter()
    for place, verdict in enumerate(told):
        judge = model_of(str(verdict.get("model") or "judge"))
        winner = str(verdict.get("winner") or "").strip().lower()
        sure = _bet(f"{where}, judge_results[{place}]", verdict.get("confidence"))
        yield {
            "item": name,
            "condition": "jury",
            "sample": many[judge],
            "outcome": "ok" if winner in SIDES else "unparsed",
            "text": str(verdict.get("logic") or ""),
            "arm": "jury",
            "setting": setting,
            "judge": judge,
            "winner": winner if winner in SIDES else None,
            "confidence": None if sure is None else sure / 100,
            "motion": motion,
        }
        many[judge] += 1


# --- judgements of bets beside their reasons -------------------------------------------------------------------------


def _judged(where: str, row: Mapping[str, Any], setting: str) -> dict[str, Any]:
    told = row.get("analysis") or {}
    told = told if isinstance(told, Mapping) else {}
    one, strategy = told.get("betting_alignment") or {}, told.get("strategic_betting") or {}
    label, degree = (str(one.get(key) or "").strip().capitalize() for key in ("assessment", "degree"))
    read = label in ASSESSMENTS
    bet, reasons = _bet(where, row.get("raw_bet_amount")), str(row.get("raw_thoughts") or "")
    span = span_of(str(one.get("internal_confidence") or ""))
    rule = by_rule(bet, reasons) if bet is not None else None
    side, speech = _side(where, row.get("side")), _speech(where, row.get("speech_type"))
    return {
        "item": str(row.get("debate_id") or where),
        "condition": f"alignment/{side}/{speech}",
        "outcome": "ok" if read else "unparsed",
        "text": reasons,
        "arm": "alignment",
        "setting": setting,
        "side": side,
        "speech": speech,
        "bet": bet,
        "motion": str(row.get("motion") or ""),
        "judge": model_of(str(row.get("judge") or "judge")),
        "label": label if read else None,
        "degree": degree if degree in DEGREES else None,
        "numeric": one.get("numeric_confidence_present"),
        "low": span[0] if span else None,
        "high": span[1] if span else None,
        "strategic": {"yes": True, "no": False}.get(str(strategy.get("present") or "").lower()),
        "by_rule": rule.label if rule else None,
    }


# --- debates that go on ----------------------------------------------------------------------------------------------


def recorded_debates(path: Path) -> list[Item]:
    """Recorded debates as items: what was said stands in `fields["said"]`, by round, so that they can go on.

    Speeches are numbered anew within each debate; the truth of a row is who should win.
    raises  DoxaError: as `debate_rows`, or no speech or bet in the file
    """
    debates: dict[str, list[dict[str, Any]]] = {}
    for row in debate_rows(path):
        if row.get("arm") == "debate":
            debates.setdefault(str(row["item"]), []).append(row)
    if not debates:
        raise DoxaError(f"{path}: no speeches, so there is no debate that could go on or be judged")
    return [_item(name, rows) for name, rows in debates.items()]


def _item(name: str, rows: Sequence[Mapping[str, Any]]) -> Item:
    rounds = {place: k for k, place in enumerate(sorted({int(row["round"]) for row in rows}), 1)}
    kept = ("side", "text", "bettor", "opponent")
    said = [{**{key: str(row.get(key) or "") for key in kept}, "round": rounds[int(row["round"])]} for row in rows]
    fields: dict[str, Any] = {"setting": rows[0].get("setting") or "self_debate", "said": said}
    if winner := rows[0].get("truth"):
        fields["winner"] = winner
    return Item(name, str(rows[0].get("motion") or ""), "statement", group=rows[0].get("group") or name, fields=fields)


def is_recorded(path: Path) -> bool:
    """Whether a path is a folder or a table of recorded debates, and not a list of motions."""
    if path.is_dir():
        return True
    if not path.is_file() or not path.name.lower().endswith(SUFFIXES):
        return False
    if path.suffix.lower() == ".json":
        held = _object(path)
        if held is not None:
            return "debator_bets" in held
    first = next((row for _, row in _rows_or_none(path)), {})
    return bool({"arm", "debator_bets", "bet_amount"} & first.keys())


def _rows_or_none(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a table; none where it is no table of objects."""
    try:
        yield from read_rows(path)
    except DoxaError:
        return
