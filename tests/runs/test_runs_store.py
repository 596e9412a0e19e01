"""The response store: nothing is asked twice, no model gets another one's answers, nothing uncommitted is returned."""

import asyncio
import dataclasses
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import coin_study
import numpy as np
import pytest
from coin_study import Coin, statements

from doxa.models.base import Context, Model
from doxa.records import DoxaError, Item, Prompt, Reply, Sampling, Score, Token
from doxa.runs import CannotWrite, Refused, Stopped, run
from doxa.runs.store import Store, Stored

ITEM = Item("s0", "Statement 0.", "statement", answer="true")
PROMPT = Prompt.user("Statement 0. True or false?")


def asked(path, model, *calls):
    """Carry out calls of a Stored model, one after the other, with a store of their own; the answers and the model."""

    async def main():
        store = Store(path)
        stored = Stored(model, store)
        try:
            return [await call(stored) for call in calls], stored
        finally:
            await stored.close()
            store.close()

    return asyncio.run(main())


def generate(prompt=PROMPT, sampling=None):
    return lambda model: model.generate(prompt, sampling or Sampling(), Context(ITEM))


def test_an_answer_is_asked_once_and_then_from_the_store(tmp_path):
    model = Coin()
    first, _ = asked(tmp_path / "store.sqlite", model, generate(), generate())
    later, stored = asked(tmp_path / "store.sqlite", model, generate())
    assert first[0] == first[1] == later[0] and len(model.asked) == 1
    assert stored.tally.counts() == {"from_store": 1}


@pytest.mark.parametrize("change", [
    {"n": 2}, {"temperature": 0.5}, {"top_p": 0.9}, {"max_tokens": 9}, {"stop": ("x",)}, {"seed": 1},
    {"top_logprobs": 0}, {"reasoning_effort": "low"}, {"reasoning_tokens": 5},
])  # fmt: skip
def test_every_field_of_the_sampling_makes_another_question(tmp_path, change):
    model = Coin()
    asked(tmp_path / "s", model, generate(), generate(sampling=Sampling(**change)))
    assert len(model.asked) == 2
    assert set(change) <= {f.name for f in dataclasses.fields(Sampling)}


def test_every_field_of_the_sampling_is_tried_above():
    tried = {"n", "temperature", "top_p", "max_tokens", "stop", "seed", "top_logprobs", "reasoning_effort"}
    assert {f.name for f in dataclasses.fields(Sampling)} == tried | {"reasoning_tokens"}


def test_text_and_chat_and_system_messages_are_different_prompts(tmp_path):
    model = Coin()
    prompts = [Prompt(text="a"), Prompt.user("a"), Prompt.user("a", system=""), Prompt.user("a").then("b", "a")]
    asked(tmp_path / "s", model, *(generate(p) for p in prompts))
    assert len(model.asked) == 4


def test_no_model_gets_the_answers_of_another(tmp_path):
    out = [run(coin_study.study, Coin(0.8, name=name), items=statements(60), out=tmp_path / name) for name in "abc"]
    answers = [tuple(r.parts[0].rows()["text"]) for r in out]
    assert len(set(answers)) == 3
    assert all(r.parts[0].counts["from_store"] == 0 for r in out)
    assert (tmp_path / "store.sqlite").exists()  # one store beside the three runs


def test_another_seed_is_another_question_and_the_same_one_is_not(tmp_path):
    model = Coin(0.5)
    texts = []
    for name, seed in (("a", 0), ("b", 1), ("c", 0)):
        made = run(coin_study.study, model, items=statements(60), seed=seed, out=tmp_path / name)
        texts.append(made.parts[0].rows()["text"].to_list())
    assert texts[0] == texts[2] != texts[1] and len(model.asked) == 120
    assert made.parts[0].counts["from_store"] == 60 and made.parts[0].usage.calls == 0


def test_equal_questions_in_flight_are_asked_once():
    model = Coin(delay=0.01)

    async def main():
        store = Store(None)
        views = [Stored(model, store)]
        views += [views[0].counted() for _ in range(9)]
        answers = await asyncio.gather(*(generate()(view) for view in views))
        store.close()
        return answers, views

    answers, views = asyncio.run(main())
    assert len(model.asked) == 1 and all(a == answers[0] for a in answers)
    assert sum(v.tally.calls for v in views) == 1 and sum(v.tally.from_store for v in views) == 9


def test_an_answer_is_committed_before_it_is_returned(tmp_path):
    async def main():
        store = Store(tmp_path / "s")
        await generate()(Stored(Coin(), store))
        with sqlite3.connect(tmp_path / "s") as other:  # as another process sees it
            (count,) = other.execute("SELECT count(*) FROM answers").fetchone()
        other.close()
        store.close()
        return count

    assert asyncio.run(main()) == 1


def test_an_answer_under_way_is_kept_when_its_item_gives_up(tmp_path):
    model = Coin(delay=0.02)

    async def main():
        store = Store(tmp_path / "s")
        stored = Stored(model, store)
        task = asyncio.ensure_future(generate()(stored))
        await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.sleep(0.1)
        await generate()(stored)
        store.close()

    asyncio.run(main())
    assert len(model.asked) == 1


def test_failed_replies_and_errors_are_not_kept(tmp_path):
    model = Coin(reply=Reply("", finish="error", error="server failed"))
    asked(tmp_path / "s", model, generate(), generate())
    assert len(model.asked) == 2
    broken = Coin(breaks=["s0"])
    for _ in range(2):
        with pytest.raises(RuntimeError, match="the model broke"):
            asked(tmp_path / "s", broken, generate())
    assert len(broken.asked) == 2


class Nameless(Coin):
    identity = Model.identity

    def __init__(self):
        super().__init__()
        self.address = ""


@pytest.mark.parametrize("model", [Coin(stored=False), Nameless()])
def test_models_that_are_not_stored_are_always_asked(tmp_path, model):
    asked(tmp_path / "s", model, generate(), generate())
    assert len(model.asked) == 2


def test_a_run_with_a_model_that_is_not_stored_makes_no_store(tmp_path):
    run(coin_study.study, Coin(stored=False), limit=3, out=tmp_path / "run")
    assert not (tmp_path / "store.sqlite").exists()


def test_a_store_can_lie_elsewhere_and_serve_runs_in_memory(tmp_path):
    model = Coin()
    for _ in range(2):
        run(coin_study.study, model, limit=5, store=tmp_path / "deep" / "answers.sqlite")
    assert len(model.asked) == 5


def test_scores_and_tokens_survive_the_store(tmp_path):
    token = Token("yes", -0.5, (("yes", -0.5), ("no", float("-inf"))))
    reply = Reply("yes", "length", (token,), "because", 3, 1)

    class Exact(Coin):
        async def score(self, prompt, continuations, context=None):
            self.asked.append("score")
            return [Score(c, float("-inf"), (token,)) for c in continuations]

    model = Exact(reply=reply)
    calls = (generate(), lambda m: m.score(PROMPT, [" a", " b"]))
    fresh, _ = asked(tmp_path / "s", model, *calls)
    stored, _ = asked(tmp_path / "s", model, *calls)
    assert fresh == stored == [[reply], [Score(c, float("-inf"), (token,)) for c in (" a", " b")]]
    asked(tmp_path / "s", model, lambda m: m.score(PROMPT, [" b", " a"]))
    assert model.asked.count("score") == 2


def test_hidden_states_pass_through(tmp_path):
    class Deep(Coin):
        async def hidden_states(self, prompt, *, layers=None, positions=(-1,)):
            self.asked.append("states")
            return np.ones((2, 1, 3))

    model = Deep()
    (states, _), stored = asked(tmp_path / "s", model, *[lambda m: m.hidden_states(PROMPT, layers=[0, 1])] * 2)
    assert states.shape == (2, 1, 3) and model.asked == ["states"] * 2
    assert stored.tally.counts() == {"calls": 2, "calls_hidden_states": 2}


def test_two_processes_share_a_store(tmp_path):
    code = """
import sys; sys.path.insert(0, sys.argv[1])
import coin_study
from doxa.runs import run
run(coin_study.study, coin_study.Coin(delay=0.001), items=coin_study.statements(300), store=sys.argv[2])
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path / "s")]
    processes = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [p.wait() for p in processes] == [0, 0]
    model = Coin()
    run(coin_study.study, model, items=statements(300), store=tmp_path / "s")
    assert not model.asked


def test_a_file_that_is_no_store_and_a_newer_one_are_refused(tmp_path):
    (tmp_path / "s").write_text("not a database, but long enough to be looked at" * 10)
    with pytest.raises(DoxaError, match=r"cannot be read: file is not a database. Move that file away"):
        Store(tmp_path / "s")
    base = sqlite3.connect(tmp_path / "newer")
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(Refused, match="has format 99"):
        Store(tmp_path / "newer")


def test_a_store_that_cannot_be_written_ends_the_run(tmp_path, monkeypatch):
    def full(self, answers):
        raise CannotWrite("the response store is full")

    monkeypatch.setattr(Store, "_insert", full)
    with pytest.raises(Stopped, match="the response store is full"):
        run(coin_study.study, Coin(), limit=20, out=tmp_path / "run")


def test_sqlite_errors_are_explained(tmp_path):
    async def main():
        store = Store(tmp_path / "s")
        store._write.execute("PRAGMA max_page_count = 3")
        stored = Stored(Coin(reply=Reply(os.urandom(20_000).hex())), store)
        try:
            with pytest.raises(CannotWrite, match=r"database or disk is full. What was answered before is kept"):
                await generate()(stored)
        finally:
            store.close()

    asyncio.run(main())


def test_a_damaged_answer_is_explained(tmp_path):
    path = tmp_path / "s"
    asked(path, Coin(), generate())
    base = sqlite3.connect(path)
    base.execute("UPDATE answers SET value = x'00'")
    base.commit()
    base.close()
    with pytest.raises(DoxaError, match=r"the response store .* cannot be read"):
        asked(path, Coin(), generate())
