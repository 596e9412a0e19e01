"""New stories written by a model: pairs of entities and key information for a scenario, then one story for each pair.

What comes back is checked by rules and has to be read by a person; it is in the seed format of `data.stories`, so that
`simpletom --set FILE` asks about it.

source  the two steps are those of SimpleToM's generator, arXiv 2410.13648; the prompts are ours
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from doxa.records import Prompt, Reply, Sampling

SCENARIOS: Mapping[str, str] = {
    "food_item_in_grocery_store": "Somebody buys food in a shop. Something is wrong with it that shows from outside to "
    "nobody, so that the buyer pays before it can be found out.",
    "provider_info_healthcare": "Somebody who sells health products or treatments knows their drawback and recommends "
    "them for gain. The patient cannot check.",
    "true_property_pretentious_labels": "A product bears a label with a fine property that it does not have. Whoever "
    "looks at it in the shop cannot verify the label.",
    "behind_the_scene_service_industry": "A business does something questionable where customers do not come.",
    "inside_reuse_labeled_containers": "Somebody keeps something in a closed, opaque container that bears the label of "
    "something else. Another person sees the container only.",
    "unobserved_unethical_actions": "Somebody does wrong at a place or time at which the other person is not there.",
    "inside_containers_for_personal_belongings": "Somebody carries something in a closed bag or case of their own. "
    "Another person meets them.",
    "seller_info_in_second_hand_market": "Somebody sells a used thing with a flaw that a look at it does not show, and "
    "praises it to a buyer.",
    "hidden_body_part_feature": "Somebody has something on the body under clothes or shoes. Another person meets them.",
    "locked_devices_accounts": "There is something on a locked device or in an account of somebody's. Another person "
    "has no access to it.",
}
FIELDS: Mapping[str, str] = {
    "entities": 'lines "Person X = ...", "Person Y = ..." (if there is one), "Object Z = ..."',
    "key_information": "one sentence on what X cannot see",
    "story_sentence": "one sentence on what X, and perhaps Y, does with Z; fine-grained actions, no thoughts",
    "question": "What will X likely do next? (with X's name)",
    "correct_answer": "a bare verb phrase: what X does, who does not know",
    "incorrect_answer": "a bare verb phrase: what X would do, knowing",
    "sev1": "the key information in a mild version",
    "incorrect_answer_sev1": "what X would do, knowing the mild version",
    "sev3": "the key information in a grave version",
    "incorrect_answer_sev3": "what X would do, knowing the grave version",
}
_RULES = (
    "Rules: That X does not know must follow from the situation and never be said. X cannot observe the key "
    "information, and it is nothing that usually happens, so X has no reason to expect it. Do not use words such as "
    '"actually" or "secret". The story must not mention the action of the correct answer.'
)


def pairs_prompt(scenario: str, n: int = 10, known: Sequence[str] = ()) -> Prompt:
    """Asks for n pairs of entities and key information; known: those there are, to be avoided.

    raises  KeyError: no such scenario
    """
    avoid = ["Do not repeat these:", *(f"- {text}" for text in known)] if known else []
    lines = [
        f"We collect ideas for very short stories about this situation: {SCENARIOS[scenario]}",
        f"Think of {n} different ones from everyday life. Person X is the one who cannot know.",
        *avoid,
        'Reply with a JSON list of objects that have two keys, "entities" and "key_information".',
        f'"entities": {FIELDS["entities"]}; "key_information": {FIELDS["key_information"]}.',
        _RULES,
    ]
    return Prompt.user("\n".join(lines))


def story_prompt(scenario: str, pair: Mapping[str, str], seed: Mapping[str, Any]) -> Prompt:
    """Asks for one story for a pair, with a seed story of the scenario as the example."""
    shown = json.dumps({name: seed[name] for name in FIELDS if name in seed}, ensure_ascii=False, indent=1)
    wanted = "\n".join(f'"{name}": {what}' for name, what in FIELDS.items())
    given = "\n".join(f"{name}: {pair[name]}" for name in ("entities", "key_information"))
    lines = [
        f"We write very short stories about this situation: {SCENARIOS[scenario]}",
        f"Reply with one JSON object that has these keys:\n{wanted}",
        f"An example:\n{shown}",
        f"Now write the object for\n{given}",
        "All three versions share the story sentence, the question and the correct answer.",
        _RULES,
    ]
    return Prompt.user("\n\n".join(lines))


def read_pairs(reply: Reply | str) -> list[dict[str, str]]:
    """The pairs of a reply: the objects with both keys of its first JSON list; nothing if there is none."""
    found = _first(reply, "[")
    kept = [p for p in found if isinstance(p, dict)] if isinstance(found, list) else []
    both = [{name: _text(p.get(name)) for name in ("entities", "key_information")} for p in kept]
    return [pair for pair in both if all(pair.values())]


def read_story(reply: Reply | str) -> dict[str, str] | None:
    """The fields of a reply's first JSON object; None: there is none."""
    found = _first(reply, "{")
    return {name: _text(found.get(name)) for name in FIELDS} if isinstance(found, dict) else None


def _text(value: Any) -> str:
    """A field's text; entities may come as an object or a list of lines."""
    if isinstance(value, Mapping):
        return "\n".join(f"{name} = {text}" for name, text in value.items())
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return str(value or "").strip()


def _first(reply: Reply | str, opening: str) -> Any:
    text = reply if isinstance(reply, str) else reply.text
    at = text.find(opening)
    while at >= 0:
        try:
            return json.JSONDecoder().raw_decode(text[at:])[0]
        except json.JSONDecodeError:
            at = text.find(opening, at + 1)
    return None


# --- both steps ------------------------------------------------------------------------------------------------------


class Writer(Protocol):
    """Any model that generates."""

    async def generate(self, prompt: Prompt, sampling: Sampling) -> list[Reply]: ...


@dataclass(frozen=True)
class Written:
    """Stories in the seed format by name, and what was turned down, with the reasons."""

    stories: Mapping[str, Mapping[str, Any]]
    rejected: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())

    def save(self, path: Path) -> None:
        """Write the stories as a file in the seed format."""
        path.write_text(json.dumps({"stories": self.stories}, ensure_ascii=False, indent=1), encoding="utf-8")


async def write_stories(
    model: Writer,
    scenario: str,
    seed: Mapping[str, Any],
    check: Callable[[Mapping[str, Any]], Sequence[str]],
    *,
    n: int = 10,
    generator: str = "",
    sampling: Sampling | None = None,
) -> Written:
    """At most n stories for one scenario by a model, those that `check` objects to left out.

    seed       a story in the seed format that is shown as the example
    check      what is wrong with a story, in words: `data.story_checks.problems`
    generator  who writes, for the stories' own field
    sampling   temperature 1, 1,000 tokens for a story and 2,000 for the pairs, if not said
    raises     KeyError: no such scenario
    """
    drawn = sampling or Sampling(temperature=1.0, max_tokens=1000)
    longer = replace(drawn, max_tokens=2 * drawn.max_tokens)
    first = await model.generate(pairs_prompt(scenario, n, [str(seed.get("key_information", ""))]), longer)
    stories: dict[str, Mapping[str, Any]] = {}
    rejected: list[tuple[str, tuple[str, ...]]] = []
    for number, pair in enumerate(read_pairs(first[0])[:n], 1):
        name = f"{scenario}-{number}"
        story = read_story((await model.generate(story_prompt(scenario, pair, seed), drawn))[0])
        wrong = ["the reply has no JSON object"] if story is None else list(check(story))
        if story is None or wrong:
            rejected.append((name, tuple(wrong)))
        else:
            stories[name] = {"scenario_name": scenario, **story, "generator": generator}
    return Written(stories, tuple(rejected))
