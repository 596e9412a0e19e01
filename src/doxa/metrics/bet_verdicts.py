"""Verdicts on debates with bets, and judgements of bets beside their reasons: figures and tables, errors corrected.

A verdict is a row with item (the debate), judge, sample, winner (a side, null: not read) and truth (the side that
should win, null: nobody knows); a judgement has judge, side, speech, label, degree, numeric, strategic, and by_rule,
the label where arithmetic gives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.metrics.bet_tables import SIDES, Debates, Lines, Told, score_of, share_of
from doxa.metrics.bets import FAIR, bet_brier, won
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.judge_errors import corrected_shares

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Verdicts:
    """Verdicts of a jury on the debates of one condition, and, where it is known, who should have won (`truth`)."""

    debates: Debates

    @cached_property
    def votes(self) -> dict[str, list[str]]:
        """Debate -> the verdicts that could be read, in an order that depends on what they are alone."""
        import polars as pl

        told = self.debates.rows.filter((pl.col("arm") == "jury") & pl.col("winner").is_not_null())
        told = told.sort("item", "judge", "sample", "winner")
        return {str(item[0]): part["winner"].to_list() for item, part in told.group_by("item", maintain_order=True)}

    @cached_property
    def known(self) -> dict[str, str]:
        """Debate -> the side that should win."""
        told = self.debates.rows.drop_nulls("truth").unique("item", keep="first").sort("item")
        return dict(zip(told["item"].to_list(), told["truth"].to_list(), strict=True))

    @cached_property
    def decided(self) -> dict[str, str]:
        """Debate -> the side with more verdicts; "tie": as many."""
        names = {1.0: SIDES[0], 0.0: SIDES[1], 0.5: "tie"}
        return {item: names[won(votes, SIDES[0])] for item, votes in self.votes.items()}

    @property
    def winners(self) -> dict[str, dict[str, float]]:
        """Debate -> side -> 1, 0.5 or 0: by the jury, and without one by what is true."""
        by_jury = {item: {side: won(votes, side) for side in SIDES} for item, votes in self.votes.items()}
        by_truth = {item: {side: float(side == winner) for side in SIDES} for item, winner in self.known.items()}
        return by_jury or by_truth

    def shares(self) -> dict[str, float]:
        """Debate -> the proposition's share of the verdicts."""
        return {item: votes.count(SIDES[0]) / len(votes) for item, votes in self.votes.items()}

    def proposition_wins(self) -> Interval:
        """Mean of the proposition's outcome, a tie half a win."""
        found = self.winners
        return score_of(np.array([w[SIDES[0]] for w in found.values()]), self._groups(list(found)))

    def corrected(self) -> Interval | None:
        """Share won by the proposition, the jury's errors taken out; learned where `truth` is known.

        None: there is no jury, or no debate with a known winner. Ties are left out. Where every winner is known, the
        share of them all.
        """
        decided = {item: side for item, side in self.decided.items() if side != "tie"}
        labelled = [item for item in decided if item in self.known]
        rest = [item for item in decided if item not in self.known]
        if not labelled or not rest:
            return None
        truth, judged = [self.known[i] for i in labelled], [decided[i] for i in labelled]
        if len({*truth, *judged}) < 2:
            return None
        return corrected_shares(truth, judged, [decided[i] for i in rest]).shares.get(SIDES[0])

    def right(self) -> Interval:
        """Share of the jury's decisions that name the side that should have won, where that is known."""
        judged = [(item, side) for item, side in self.decided.items() if item in self.known]
        return share_of([side == self.known[item] for item, side in judged], self._groups([item for item, _ in judged]))

    def agreement(self) -> Interval:
        """Share of pairs of verdicts on one debate that name the same side, all debates alike; nan without a pair."""
        paired = {item: [a == b for a, b in combinations(v, 2)] for item, v in self.votes.items() if len(v) > 1}
        agreed = np.array([np.mean(pairs) for pairs in paired.values()])
        return score_of(agreed, self._groups(list(paired)))

    def scored(self, speech: str, *, by: str = "majority", only: str = "") -> tuple[np.ndarray, np.ndarray, list[str]]:
        """Bets after a speech, the bettors' outcomes, and the groups; by "majority" or "share" of the verdicts.

        only  "decided" or "tie": those debates alone
        """
        found, shares = self.winners, self.shares() if by == "share" else {}
        bets, outcomes, groups = [], [], []
        for line in self.debates.bets.iter_rows(named=True):
            item, side = line["item"], line["side"]
            if not line["speech"].startswith(speech) or item not in found:
                continue
            tied = found[item][side] == 0.5
            if only and tied != (only == "tie"):
                continue
            share = shares.get(item)
            won_ = found[item][side] if share is None else share if side == SIDES[0] else 1 - share
            bets.append(line["bet"])
            outcomes.append(won_)
            groups.append(line["group"] or item)
        return np.array(bets), np.array(outcomes), groups

    def brier(self, speech: str) -> Interval:
        """Mean of (bet / 100 - w)^2 after a kind of speech."""
        bets, outcomes, groups = self.scored(speech)
        return score_of(bet_brier(bets, outcomes) if len(bets) else bets, groups)

    def constant(self) -> Interval:
        """The same for a bet of 50 at every opening: what there is to beat."""
        bets, outcomes, groups = self.scored("opening")
        return score_of(bet_brier(np.full(len(bets), FAIR), outcomes) if len(bets) else bets, groups)

    def figures(self) -> dict[str, Interval]:
        """Who won, and what bets are worth then; empty where nobody says or knows it."""
        if not self.winners:
            return {}
        found = {"proposition wins": self.proposition_wins()}
        found |= {f"Brier, {speech}": self.brier(speech) for speech in ("opening", "rebuttal", "closing")}
        found["Brier, a constant 50"] = self.constant()
        if not self.votes:
            return found
        found["verdicts that agree"] = self.agreement()
        if self.known:
            found["verdicts that are right"] = self.right()
        corrected = self.corrected()
        return found if corrected is None else {**found, "proposition wins, corrected": corrected}

    def tables(self) -> tuple[Told, ...]:
        """Name, columns, rows and note of each table; none where nobody says or knows who won."""
        if not self.winners:
            return ()
        ways = ("speech", "by majority", "decided debates", "by share of verdicts")
        return (
            ("Bets and wins", ("bettor", "mean closing bet", "wins, %", "bets"), self.by_model(), ""),
            ("Brier scores", ways, self.lines(), "A tie is half a win."),
        )

    def lines(self) -> Lines:
        """Speech, and the Brier score by majority, by majority on decided debates alone, and by share of verdicts."""
        speeches = self.debates.bets.sort("round")["speech"].unique(maintain_order=True).to_list()
        found = []
        for speech in (*speeches, "a constant 50"):
            at = speech if speech in speeches else "opening"
            cells = []
            for how in ({}, {"only": "decided"}, {"by": "share"}):
                bets, outcomes, _ = self.scored(at, **how)
                bets = bets if speech in speeches else np.full(len(bets), FAIR)
                cells.append(float(bet_brier(bets, outcomes).mean()) if len(bets) else NAN)
            found.append((speech, *cells))
        return tuple(found)

    def by_model(self) -> Lines:
        """Bettor, its mean closing bet, its win rate, the bets."""
        import polars as pl

        found = self.winners
        last = self.debates.bets.filter((pl.col("speech") == "closing") & pl.col("item").is_in(list(found)))
        lines = []
        for (model,), part in last.sort("bettor").group_by(["bettor"], maintain_order=True):
            pairs = zip(part["item"].to_list(), part["side"].to_list(), strict=True)
            rate = float(np.mean([found[item][side] for item, side in pairs]))
            lines.append((model, float(np.mean(part["bet"].to_numpy())), 100 * rate, len(part)))
        return tuple(lines)

    @cached_property
    def _group(self) -> dict[str, str]:
        told = self.debates.rows.unique("item", keep="first")
        return {
            item: group or item for item, group in zip(told["item"].to_list(), told["group"].to_list(), strict=True)
        }

    def _groups(self, items: Sequence[str]) -> list[str]:
        return [self._group[item] for item in items]


# --- reasons beside bets ---------------------------------------------------------------------------------------------


def alignment_tables(rows: pl.DataFrame, labels: Sequence[str], degrees: Sequence[str]) -> tuple[Told, ...]:
    """Name, columns, rows and note of the table of judgements; none where nothing was judged."""
    columns = ("judge", "reasons with", *labels, *degrees, "strategic", "bets")
    lines = tuple(_alignments(rows, labels, degrees))
    return (("Bets beside their reasons", columns, lines, ""),) if lines else ()


def _alignments(rows: pl.DataFrame, labels: Sequence[str], degrees: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Judge, which reasons, then the share of each label and of each degree, of strategic betting, and how many."""
    import polars as pl

    told = rows.filter((pl.col("arm") == "alignment") & pl.col("label").is_not_null()).sort("judge", "item", "side")
    for (judge,), part in told.group_by(["judge"], maintain_order=True):
        some = {"all": part, "a number": part.filter("numeric"), "no number": part.filter(~pl.col("numeric"))}
        for name, which in some.items():
            shares = [
                float(np.mean([cell == value for cell in which[column].to_list()])) if len(which) else NAN
                for column, values in (("label", labels), ("degree", degrees))
                for value in values
            ]
            strategic = which["strategic"].drop_nulls()
            yield judge, name, *shares, float(np.mean(strategic.to_numpy())) if len(strategic) else NAN, len(which)


def aligned(rows: pl.DataFrame, judge: str, label: str) -> Interval:
    """Share of a judge's labels that are this one."""
    import polars as pl

    part = rows.filter((pl.col("arm") == "alignment") & (pl.col("judge") == judge) & pl.col("label").is_not_null())
    part = part.sort("item", "side", "speech")
    return share_of((part["label"] == label).to_list(), part.select(pl.coalesce("group", "item")).to_series().to_list())


def aligned_corrected(rows: pl.DataFrame, judge: str, label: str) -> Interval | None:
    """The same among reasons that state no number, the judge's errors taken out.

    They are learned on the reasons that state one, where arithmetic gives the label (`by_rule`). None: none of those,
    or no others.
    """
    import polars as pl

    part = rows.filter((pl.col("arm") == "alignment") & (pl.col("judge") == judge) & pl.col("label").is_not_null())
    part = part.sort("item", "side", "speech")
    known, rest = part.filter(pl.col("by_rule").is_not_null()), part.filter(pl.col("by_rule").is_null())
    if known.is_empty() or rest.is_empty():
        return None
    truth, said, others = known["by_rule"].to_list(), known["label"].to_list(), rest["label"].to_list()
    if len({*truth, *said, *others}) < 2:
        return Interval(NAN, NAN, NAN, len(others), "one label only, so nothing can be learned of its errors")
    return corrected_shares(truth, said, others).shares.get(label)
