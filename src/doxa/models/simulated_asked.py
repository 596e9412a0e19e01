"""One prompt as a simulated respondent takes it: what it may say, and how probable it is that it says so."""

from __future__ import annotations

from dataclasses import dataclass, replace

from doxa.models.simulated_values import Key
from doxa.models.simulated_wording import Words
from doxa.records import Form, Item, Outcome


@dataclass(frozen=True)
class Asked:
    """What a respondent may say to one prompt.

    belief     (c,) over the words, before admitting, following a hint and giving in to pressure
    likeliest  place of the greedy answer; hint: of the hinted one
    key        what draws depend on
    admission  place of the option that admits, where a rule says how often it does
    surety     belief in any answer it gives; stated: the confidence it states, when that is known already
    cover      where it lies: the same prompt as taken by somebody who believes the lie
    evasion    where it evades: the outcome as which an evasion is read, and its text
    """

    form: Form
    shown: Item
    words: Words
    belief: tuple[float, ...]
    likeliest: int
    key: Key
    abstains: float = 0.0
    follows: float = 0.0
    hint: int | None = None
    admission: int | None = None
    surety: float | None = None
    stated: float | None = None
    lies: float = 0.0
    evades: float = 0.0
    cover: Asked | None = None
    evasion: tuple[Outcome, str] = ("abstained", "")

    @property
    def choices(self) -> int:
        """How many values the belief is spread over."""
        return len(self.belief) - (self.admission is not None)

    def answers(self) -> tuple[list[float], dict[str, float]]:
        """Probability of each value, (c,), and of declining in words, by outcome; sums to 1 over both."""
        honest = max(0.0, 1 - self.lies - self.evades)
        follows = self.follows if self.hint is not None else 0.0
        said = [honest * (1 - self.abstains) * (1 - follows) * p for p in self.belief]
        if self.hint is not None:
            said[self.hint] += honest * (1 - self.abstains) * follows
        declined = {"abstained": 0.0}
        if self.admission is None:
            declined["abstained"] = honest * self.abstains
        else:
            said[self.admission] += honest * self.abstains
        if self.cover is not None:
            said[self.cover.likeliest] += self.lies
        declined[self.evasion[0]] = declined.get(self.evasion[0], 0.0) + self.evades
        return said, declined

    def telling(self, lie: int) -> Asked:
        """The prompt as taken by somebody whose belief in the favourite and in the lie had changed places."""
        belief = list(self.belief)
        belief[lie], belief[self.likeliest] = belief[self.likeliest], belief[lie]
        return replace(self, belief=tuple(belief), likeliest=lie)


def short(p: float) -> float:
    """Four decimals, or four significant digits where p is nearer to 0 or 1 than that: never 0 or 1 by rounding."""
    rounded = round(p, 4)
    if rounded in (0.0, 1.0) and p not in (0.0, 1.0):
        return float(f"{p:.4g}") if p < 0.5 else 1 - float(f"{1 - p:.4g}")
    return rounded
