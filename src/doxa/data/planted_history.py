"""Questions whose words say how likely each of several made-up models is right: histories with a planted truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from doxa.data.history import Past, part_of
from doxa.records import Item

TOPICS, LEVELS = 8, 5
HARDEST = 1.5  # logit by which the hardest level is harder than the middle one, and the easiest easier
TOPIC_SD = 0.7  # of what a model knows more, or less, of a topic; logit
SKILLS = (-1.0, -0.6, -0.2, 0.2, 0.6, 1.0)
OPTIONS = ("amber", "birch", "coral", "denim")
MARKERS = {1: "surely", -1: "perhaps"}
# Words that make questions differ and mean nothing; each stands in many questions.
_FILLERS = (
    ("old", "new", "tall", "wide", "calm", "bright", "cold", "plain", "round", "steep", "narrow", "quiet"),
    ("house", "tower", "garden", "bridge", "market", "harbour", "orchard", "quarry", "meadow", "station", "well"),
    ("north", "south", "east", "west", "inland", "coastal", "upper", "lower", "inner", "outer", "middle", "far"),
)


def chances(
    n: int, skills: Sequence[float] = SKILLS, *, topic_sd: float = TOPIC_SD, strength: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Topic (n,), level (n,) and, for each model, the logit (m, n) of being right.

    logit = strength * (skill + what the model knows of the topic - difficulty of the level)

    source  planted histories after arXiv 2509.24988: skills, 8 topics, difficulties -1.5 to 1.5
    """
    rng = np.random.default_rng(seed)
    known_mt = rng.normal(0, topic_sd, (len(skills), TOPICS)) if topic_sd else np.zeros((len(skills), TOPICS))
    topic, level = rng.integers(TOPICS, size=n), rng.integers(LEVELS, size=n)
    difficulty = np.linspace(-HARDEST, HARDEST, LEVELS)[level]
    return topic, level, strength * (np.asarray(skills, dtype=float)[:, None] + known_mt[:, topic] - difficulty)


def questions(topic: np.ndarray, level: np.ndarray, *, seed: int = 0) -> list[str]:
    """Distinct questions that hold the words of their topic and level."""
    sizes = [len(words) for words in _FILLERS]
    order = np.random.default_rng(seed).permutation(int(np.prod(sizes)))
    found = []
    for j, (t, d) in enumerate(zip(topic, level, strict=True)):
        a, b, c = (words[k] for words, k in zip(_FILLERS, np.unravel_index(order[j % len(order)], sizes), strict=True))
        round_ = f" {'again ' * (j // len(order))}" if j >= len(order) else " "
        found.append(f"Topic{t} level{d}:{round_}which colour has the {a} {b} of the {c} side?")
    return found


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def planted_items(chances_mn: np.ndarray, topic: np.ndarray, level: np.ndarray, *, seed: int = 0) -> list[Item]:
    """Questions with four options; fields["m0"], fields["m1"], ... hold what each model believes of the options.

    A model that draws its answer from this is right with its chance; fields["chances"] lists those.
    """
    rng = np.random.default_rng(seed)
    found = []
    for j, text in enumerate(questions(topic, level, seed=seed)):
        options = tuple(str(option) for option in rng.permutation(OPTIONS))
        truth = options[0]
        options = tuple(str(option) for option in rng.permutation(options))
        beliefs = {
            f"m{m}": {option: p if option == truth else (1 - p) / (len(options) - 1) for option in options}
            for m, p in enumerate(chances_mn[:, j].tolist())
        }
        fields = {**beliefs, "chances": chances_mn[:, j].tolist(), "subject": f"topic{topic[j]}"}
        found.append(Item(f"planted/{j}", text, "choice", options, truth, fields=fields))
    return found


def planted_pasts(
    n: int,
    skills: Sequence[float] = SKILLS,
    *,
    topic_sd: float = TOPIC_SD,
    marker: float = 1.0,
    seed: int = 0,
) -> tuple[list[Past], np.ndarray, np.ndarray]:
    """Responses of each model to n questions, model by model; their chances (m n,), and the same with marker unseen.

    marker  logit by which a word in the response, of two with even chances, tells of its being right
    """
    topic, level, logit_mn = chances(n, skills, topic_sd=topic_sd, seed=seed)
    rng, texts = np.random.default_rng(seed + 1), questions(topic, level, seed=seed)
    sign_mn = rng.choice([-1, 1], size=logit_mn.shape)
    chance_mn = sigmoid(logit_mn + marker * sign_mn)
    blind_mn = (sigmoid(logit_mn + marker) + sigmoid(logit_mn - marker)) / 2
    right_mn = rng.random(logit_mn.shape) < chance_mn
    pasts = [
        Past(
            f"planted/{j}",
            f"model{m}",
            texts[j],
            f"It is {MARKERS[int(sign_mn[m, j])]} so.",
            None,
            bool(right_mn[m, j]),
            part_of(f"planted/{j}"),
            f"topic{topic[j]}",
            f"planted/{j}",
        )
        for m in range(len(skills))
        for j in range(n)
    ]
    return pasts, chance_mn.ravel(), blind_mn.ravel()


# --- for a run: item fields and what they mean -----------------------------------------------------------------------

OTHERS = ",".join(f"simulated:planted?field=m{m}&seed={m}" for m in (1, 2, 3))
RUN_SKILLS = (0.5, -0.7, 0.0, 0.7)


def asked_alike(n: int) -> list[Item]:
    """Items on which four models differ by skill and topic."""
    return _asked(*chances(n, RUN_SKILLS, seed=3))


def asked_apart(n: int) -> list[Item]:
    """Items of which two models, equally good, know very different topics."""
    return _asked(*chances(n, (0.0, 0.0), topic_sd=3.0, seed=1))


def _asked(topic: np.ndarray, level: np.ndarray, logit_mn: np.ndarray) -> list[Item]:
    return planted_items(sigmoid(logit_mn), topic, level)


SETS = {"planted": asked_alike, "planted-apart": asked_apart}


def held(item: Item, strength: float, other: int | None = None) -> dict[str, float]:
    """What the first model believes of the options when it follows the planted logit with this strength.

    other  the model whose belief it holds for the rest; None: it is right on half
    """
    (p,) = chance_of([item], strength, other).tolist()
    return {option: p if option == item.answer else (1 - p) / (len(item.options) - 1) for option in item.options}


def chance_of(items: Sequence[Item], strength: float, other: int | None = None) -> np.ndarray:
    """The first model's chance (n,) of being right, see `held`."""
    chance_nm = np.array([item.fields["chances"] for item in items])
    logit_nm = np.log(chance_nm) - np.log1p(-chance_nm)
    rest = 0.0 if other is None else (1 - strength) * logit_nm[:, other]
    return sigmoid(strength * logit_nm[:, 0] + rest)


def of_test_part(items: Sequence[Item]) -> list[Item]:
    """Those of the test part."""
    return [item for item in items if part_of(item.cluster) == "test"]


def others_chances(items: Sequence[Item]) -> np.ndarray:
    """The mean chance (n,) of all models but the first: what their history tells of one that was never seen."""
    return np.array([np.mean(item.fields["chances"][1:]) for item in items])
