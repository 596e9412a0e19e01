"""Simulated debaters and judges that bet by rule: to plant truths in debates, from prompt to number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from doxa.elicit.bet_judges import Alignment, Juror, by_rule
from doxa.elicit.debating import SIDES, THOUGHTS, Speaking, staked
from doxa.models.base import Context, Model
from doxa.models.simulated_values import normals, uniforms
from doxa.records import Answer, DoxaError, Item, Prompt, Reply, Sampling

BELOW = "well below my bet"
MODERATE = 15  # tokens by which an overbettor's bet lies above the chance that its reasons state


@dataclass(frozen=True, eq=False)
class Debater(Model):
    """Bets 50 + d / 2 for the proposition and 50 - d / 2 for the opposition, and what it is planted with.

    d is the debate's Item.fields["skill"], 0 without one: how much better the proposition is, in tokens.

    bias      tokens added to every bet; drift: added again with every round of speeches it heard
    moved     added where the words that it reads say nothing: by filler as by all later speeches
    noise     standard deviation of each bet, tokens, drawn for every item, side and condition anew
    unread    share of its replies without a bet
    wins      as a juror: probability of naming the proposition; None: it names the better side
    overbets  share of bets that lie above the chance which the reasons beside them state
    silent    share of reasons that state no number, but the same in words
    errs      as a judge of reasons: probability of taking any bet for an aligned one
    echoes    its speech repeats the whole prompt
    """

    bias: float = 0.0
    drift: float = 0.0
    moved: float = 0.0
    noise: float = 0.0
    unread: float = 0.0
    wins: float | None = None
    overbets: float = 0.0
    silent: float = 0.0
    errs: float = 0.0
    echoes: bool = False
    address: str = "simulated: debater"
    seed: int = 0

    capabilities = frozenset({"generate"})
    stored = False

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"debater": {f.name: getattr(self, f.name) for f in fields(self)}}

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        """Answers a debate's prompts, and a side's statement asked for as a probability; DoxaError: any other."""
        item = context.item if context and context.item else prompt.item
        shown = prompt.item or item
        if item is None or shown is None:
            raise DoxaError(f"{self.address} is not told what is debated: Prompt.item and Context.item are not set")
        condition = context.condition if context else "neutral"
        return [Reply(self._said(prompt, item, shown, condition, sampling.seed + k)) for k in range(sampling.n)]

    def _said(self, prompt: Prompt, item: Item, shown: Item, condition: str, sample: int) -> str:
        form, key = prompt.form, (self.seed, item.id, condition, sample)
        if isinstance(form, Juror):
            return form.write(Answer("ok", self._winner(item, key), 0.8), shown)
        if isinstance(form, Alignment):
            return form.write(self._assessed(form, key), shown)
        if form is None or "side" not in shown.fields:
            raise DoxaError(f"{self.address} debates; it cannot answer {prompt.show()[-80:]!r}")
        errs, over, mute = uniforms(3, "reply", *key)
        if errs < self.unread:
            return "So we hold."
        bet = self._bet(item, shown, condition, key)
        if not isinstance(form, Speaking):
            return form.write(Answer("ok", confidence=bet / 100), shown)
        said = prompt.show() if self.echoes else "So we hold."
        below = over < self.overbets
        chance = f"at {max(0.0, bet - MODERATE) if below else bet:g}%"
        if mute < self.silent:
            chance = BELOW if below else "just where my bet is"
        return staked(_untagged(said) if form.length else "", _reasons(shown, chance), bet, form.wager.tag)

    def _bet(self, item: Item, shown: Item, condition: str, key: tuple[Any, ...]) -> float:
        """A whole number of tokens, 0 to 100."""
        heard, filler = int(shown.fields["round"]) - 1, condition.startswith("filler")
        better = float(item.fields.get("skill", 0)) / 2 * (1 if shown.fields["side"] == SIDES[0] else -1)
        lift = heard * (self.moved + (0.0 if filler else self.drift))
        (off,) = normals(1, "bet", *key)
        return min(max(float(round(50 + better + self.bias + lift + self.noise * off)), 0.0), 100.0)

    def _winner(self, item: Item, key: tuple[Any, ...]) -> str:
        if self.wins is None:
            return SIDES[float(item.fields.get("skill", 0)) < 0]
        (u,) = uniforms(1, "juror", *key)
        return SIDES[u >= self.wins]

    def _assessed(self, form: Alignment, key: tuple[Any, ...]) -> Answer:
        found, (u,) = by_rule(form.bet, form.reasons), uniforms(1, "judge", *key)
        if u < self.errs or (found is None and BELOW not in form.reasons):
            return Answer("ok", "Aligned")
        return Answer("ok", found.label, note=found.degree) if found else Answer("ok", "Overbetting", note="Moderate")


def _reasons(shown: Item, chance: str) -> str:
    """More than 100 characters, as judges of reasons want them."""
    return (
        f"Our {shown.fields.get('speech', 'case')} rests on what can be checked, and the other side has yet to answer "
        f"it; all in all I put my chance {chance}."
    )


def _untagged(text: str) -> str:
    return text.replace(f"<{THOUGHTS}>", "").replace(f"</{THOUGHTS}>", "").replace("<bet>", "").replace("</bet>", "")
