"""plan(): calls, tokens and money of a run, without asking the model."""

import dataclasses
import math

import coin_study
import pytest
from coin_study import Coin, Options, Row, statements

from doxa.models.base import Price
from doxa.records import Answer, DoxaError, Item, MissingCapability, Prompt, Sampling
from doxa.runs import plan, run
from doxa.runs.plan import written_reply


@dataclasses.dataclass(frozen=True)
class LetterForm:
    """Reads and writes "Answer: A"; anything but A to D is no answer of it."""

    name = "letter"
    target = ""

    def prompt(self, item):
        return Prompt.user(f"{item.text} A, B, C or D?", form=self, item=item)

    def read(self, reply, item=None):
        text = reply if isinstance(reply, str) else reply.text
        value = text.removeprefix("Answer: ")
        return Answer("ok", value) if value in "ABCD" else Answer("unparsed")

    def write(self, answer, item=None):
        if answer.value not in list("ABCD"):
            raise ValueError(answer.value)
        return f"Answer: {answer.value}"


def study_of(collect, **changes):
    return dataclasses.replace(coin_study.study, collect=collect, **changes)


async def two_calls(item, ask, options):
    answer, _ = await ask.answer(LetterForm(), sampling=Sampling(max_tokens=10))
    assert answer.outcome == "ok"  # a study that goes on only after a readable reply
    await ask.sample(LetterForm().prompt(item), Sampling(n=3, max_tokens=10, temperature=1.0))
    yield Row(item=item.id, answer=answer.value, truth="", correct=True, confidence=None)


def test_calls_tokens_and_money_without_a_question():
    model = Coin()
    model.price = Price(1.0, 10.0)
    items = [Item(f"i{k}", "Which?", "choice", ("w", "x", "y", "z"), answer="y") for k in range(1000)]
    planned = plan(study_of(two_calls), model, items=items)
    assert not model.asked
    # "[user]\nWhich? A, B, C or D?" is 27 characters, 7 tokens; "Answer: C" 9 characters, 3 tokens
    assert (planned.items, planned.calls, planned.rehearsed) == (1000, 2000, 8)
    assert planned.input_tokens == 2 * 7 * 1000
    assert planned.output_tokens == (3 + 3 * 3) * 1000 and planned.output_tokens_at_most == (10 + 30) * 1000
    assert planned.money == pytest.approx((14_000 * 1 + 12_000 * 10) / 1e6)
    assert planned.money_at_most == pytest.approx((14_000 * 1 + 40_000 * 10) / 1e6)
    assert "1,000 items, about 2,000 calls" in str(planned) and "0.13 in money" in str(planned)
    assert planned.as_dict()["calls"] == 2000


def test_what_it_plans_is_what_a_run_takes():
    model = Coin()
    planned = plan(coin_study.study, model, Options(samples=3), limit=50)
    made = run(coin_study.study, model, options=Options(samples=3), limit=50)
    assert planned.calls == made.manifest["counts"]["calls"] == 150 and planned.money is None


def test_a_reply_is_never_longer_than_it_may_be():
    async def collect(item, ask, options):
        await ask.answer(LetterForm(), sampling=Sampling(max_tokens=1))
        yield

    planned = plan(study_of(collect), Coin(), items=[Item("i", "?", options=("a", "b"), answer="a")])
    assert planned.output_tokens == planned.output_tokens_at_most == 1


def test_rehearses_items_from_all_over():
    seen = []

    async def collect(item, ask, options):
        seen.append(item.id)
        for _ in range(2 if int(item.id[1:]) >= 500 else 1):  # the later half takes twice as many calls
            await ask.score(Prompt.user("?"), [" a", " b"])
        yield

    assert plan(study_of(collect), Coin(), items=statements(1000)).calls == 1500
    assert len(seen) == 8 and seen[0] == "s0" and seen[-1] == "s999"


def test_an_item_that_cannot_be_rehearsed_is_left_out_and_said():
    async def collect(item, ask, options):
        await ask.generate(Prompt.user("?"))
        if item.id == "s0":
            raise ValueError("nothing to read")
        yield

    planned = plan(study_of(collect), Coin(), items=statements(4))
    assert planned.rehearsed == 3 and planned.calls == 4
    assert planned.left_out == ("item 's0', ValueError: nothing to read",)
    assert "left out of the estimate: item 's0'" in str(planned)
    with pytest.raises(DoxaError, match="could not be rehearsed, so there is no plan: item 's0', ValueError"):
        plan(study_of(collect), Coin(), items=statements(1))


def test_a_model_that_can_count_is_asked_to():
    model = Coin()
    model.count_tokens = lambda text: len(text.split())
    assert plan(coin_study.study, model, limit=1).input_tokens == 6  # [user] Statement 0. True or false?


def test_needs_and_items_are_checked():
    with pytest.raises(MissingCapability, match="needs attention"):
        plan(study_of(two_calls, needs={"attention"}), Coin())
    with pytest.raises(DoxaError, match="no items to plan for"):
        plan(coin_study.study, Coin(), items=[])


def test_hidden_states_and_log_probabilities_can_be_rehearsed():
    async def collect(item, ask, options):
        states = await ask.hidden_states(Prompt.user("?"), layers=[0, 1], positions=(-2, -1))
        reply = await ask.generate(Prompt.user("?"), Sampling(top_logprobs=5))
        scores = await ask.score(Prompt.user("?"), [" a", " b"])
        assert states.shape[:2] == (2, 2) and reply.tokens is not None
        assert sum(math.exp(s.logprob) for s in scores) == pytest.approx(1)
        yield

    assert plan(study_of(collect), Coin(), limit=2).calls == 6


def test_written_replies_fit_their_form():
    item = Item("i", "?", "choice", ("a", "b"), answer="b")
    assert written_reply(LetterForm().prompt(item)) == "Answer: B"
    assert written_reply(LetterForm().prompt(Item("i", "?"))) == "Answer: A"
    assert written_reply(Prompt.user("?")) == ""
