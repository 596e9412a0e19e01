"""Judges trained in seconds: a planted rule is learnt, nothing is learnt from nothing, the model stays as it was."""

import asyncio
import math
import warnings
from dataclasses import replace

import numpy as np
import pytest

from doxa.metrics import auroc
from doxa.models.local import LocalModel
from doxa.models.simulated import respondent
from doxa.records import DoxaError, Prompt, Sampling
from doxa.training import lora
from doxa.training.cases import CORRECT, KNOWS, Case
from doxa.training.correctness import CorrectnessModel
from doxa.training.saved import load
from doxa.training.supervised import Settings, batches, rate_at, train
from doxa.training.trainee import Row, Trainee, passes

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

HOW = Settings(epochs=5, learning_rate=5e-3, rank=4, batch_tokens=200)
QUESTION = "{question}"
WAYS = ["head", "words"]


@pytest.mark.parametrize("by", WAYS)
def test_a_planted_rule_is_learnt(model, planted, by):
    cases, _, right = planted(400, 0)
    new, rate, drawn = planted(500, 1)
    judge = train(model, cases, right, by=by, template=QUESTION, settings=HOW)
    found = judge.predict(new)
    assert auroc(found, drawn) > auroc(rate, drawn) - 0.05
    assert np.abs(found - rate).mean() < 0.1
    assert judge.card.kind == ("adapter with head" if by == "head" else "adapter, yes/no")
    assert judge.card.target == KNOWS and judge.card.n == 400 and judge.card.reads == "question, as read by hf:tiny"


@pytest.mark.parametrize("by", WAYS)
def test_nothing_is_learnt_where_nothing_is_planted(model, planted, by):
    cases, _, right = planted(300, 0, rates=(0.5, 0.5))
    new, _, drawn = planted(1000, 1, rates=(0.5, 0.5))
    found = train(model, cases, right, by=by, template=QUESTION, settings=HOW).predict(new)
    # 500 right against 500 wrong without relation, a confidence that few different texts share: .0183
    assert auroc(found, drawn) == pytest.approx(0.5, abs=3 * math.sqrt(1001 / (12 * 500 * 500)))


def test_rates_are_recovered_from_soft_labels(model, planted):
    cases, rate, _ = planted(400, 0, rates=(0.3, 0.8))
    new, true, _ = planted(200, 1, rates=(0.3, 0.8))
    found = train(model, cases, rate, template=QUESTION, settings=HOW).predict(new)
    assert np.abs(found - true).mean() < 0.06


def test_words_are_learnt_as_the_reply(model, planted):
    cases, _, right = planted(300, 0)
    judge = train(model, cases, right, by="words", template=QUESTION, settings=HOW)
    new, _, _ = planted(50, 1)
    p = judge.yes_no(new)
    scores = [asyncio.run(model.score(Prompt.user(case.question), ["yes", "no"])) for case in new[:5]]
    untrained = max(sum(math.exp(score.logprob) for score in two) for two in scores)  # of 49 words
    assert p.shape == (50, 2) and p.sum(axis=1).min() > 0.35 and p.sum(axis=1).max() <= 1 + 1e-6 and untrained < 0.2
    assert judge.predict(new) == pytest.approx(p[:, 0] / p.sum(axis=1))
    with pytest.raises(ValueError, match="has a head and compares no words"):
        train(model, cases, right, template=QUESTION, settings=replace(HOW, epochs=1)).yes_no(new)


async def test_the_model_answers_as_before_even_while_a_judge_is_trained(model, planted):
    prompt = Prompt.user("where does the red fig grow")
    before = await model.score(prompt, ["yes", "no"])
    cases, _, right = planted(200, 0)
    one, *during = await asyncio.gather(
        asyncio.to_thread(train, model, cases, right, template=QUESTION, settings=HOW),
        *(model.score(prompt, ["yes", "no"]) for _ in range(5)),
    )
    other = await asyncio.to_thread(train, model, cases, 1 - right, by="words", template=QUESTION, settings=HOW)
    assert all(scores == before for scores in [*during, await model.score(prompt, ["yes", "no"])])
    new, _, _ = planted(40, 1)
    first, second = await asyncio.gather(one.confidence(new), other.confidence(new))
    assert np.corrcoef(first, second)[0, 1] < -0.5  # taught the opposite; unrelated: 0, SE .16
    other.close()
    other.close()
    assert await one.confidence(new) == pytest.approx(first, abs=1e-6)
    assert await model.generate(prompt, Sampling(max_tokens=3)) and await one.confidence([]) == pytest.approx([])


@pytest.mark.parametrize("by", WAYS)
def test_what_is_stored_says_the_same(tiny, model, planted, tmp_path, by):
    cases, _, right = planted(150, 0)
    new, _, _ = planted(40, 1)
    made = train(model, cases, right, by=by, template=QUESTION, settings=HOW)
    folder = made.save(tmp_path / "judge")
    fresh = LocalModel(tiny, address="hf:elsewhere", device="cpu")  # the same files under another address
    again = load(folder, base=fresh)
    assert isinstance(again, CorrectnessModel) and again.card.settings["rank"] == 4
    assert again.predict(new) == pytest.approx(made.predict(new), abs=1e-6)
    expected = {"adapter_config.json", "adapter_model.safetensors", "card.json"}
    assert {p.name for p in folder.iterdir()} == expected | (
        {"head.json", "head.safetensors"} if by == "head" else set()
    )


def test_a_judge_is_loaded_with_its_base_by_address(tiny, planted, tmp_path):
    model = LocalModel(tiny, device="cpu")
    cases, _, right = planted(60, 0)
    made = train(model, cases, right, template=QUESTION, settings=replace(HOW, epochs=1))
    again = load(made.save(tmp_path), device="cpu")
    assert asyncio.run(again.confidence(cases)) == pytest.approx(made.predict(cases), abs=1e-6)


async def test_peft_reads_the_adapter_and_the_head_fits_its_states(tiny, model, planted, tmp_path):
    pytest.importorskip("peft", reason="needs peft, which reads the stored adapter")
    cases, _, right = planted(150, 0)
    made = train(model, cases, right, template=QUESTION, settings=HOW)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        merged = LocalModel(tiny, adapter=made.save(tmp_path), device="cpu")
    states = [(await merged.hidden_states(Prompt.user(case.question), layers=[-1]))[0, 0] for case in cases[:20]]
    assert made.head is not None
    assert made.head.predict(states) == pytest.approx(made.predict(cases[:20]), abs=1e-4)


def test_another_base_and_changed_files_are_refused(model, other, planted, tmp_path):
    cases, _, right = planted(60, 0)
    folder = train(model, cases, right, template=QUESTION, settings=replace(HOW, epochs=1)).save(tmp_path / "judge")
    with pytest.raises(DoxaError, match=r"another model: its weights differ"):
        load(folder, base=other)
    with pytest.raises(DoxaError, match="only local models can"):
        load(folder, base=respondent("calibrated"))
    (folder / lora.CONFIG).write_text((folder / lora.CONFIG).read_text().replace('"r": 4', '"r": 5'))
    with pytest.raises(DoxaError, match="not those that its card was written with"):
        load(folder, base=model)
    with pytest.raises(DoxaError, match="holds no saved confidence"):
        load(tmp_path / "other", base=model)


@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
@pytest.mark.parametrize("by", WAYS)
def test_weights_of_other_precisions(tiny, planted, tmp_path, dtype, by):
    cases, _, right = planted(400, 0)
    new, rate, drawn = planted(200, 1)
    model = LocalModel(tiny, address="hf:tiny", device="cpu", dtype=dtype)
    judge = train(model, cases, right, by=by, template=QUESTION, settings=HOW)
    found = judge.predict(new)
    assert auroc(found, drawn) > auroc(rate, drawn) - 0.1
    assert all(p.dtype == (torch.float64 if dtype == "float64" else torch.float32) for p in judge.adapter.parameters)
    assert load(judge.save(tmp_path), base=model).predict(new) == pytest.approx(found, abs=1e-5)


def test_an_adapter_beside_chosen_layers_with_its_own_scale(tiny, model, tmp_path):
    network = model._network.model
    made = lora.Adapter(network, rank=2, seed=0, scale=0.5, layers=("q_proj", "v_proj"))
    assert {name.rpartition(".")[2] for name in made.matrices} == {"q_proj", "v_proj"} and len(made.matrices) == 4
    for matrix in made.parameters:
        matrix.data += 0.3
    ids = torch.arange(6)[None]
    with torch.no_grad():
        beside = network(ids).logits
        made.save(tmp_path / "adapter", base="hf:tiny", half=False)
        made.remove()
        again = lora.beside(network, tmp_path / "adapter")
        assert again.scale == 0.5 and torch.allclose(network(ids).logits, beside, atol=1e-6)
        again.remove()
        lora.write_merged(tiny, tmp_path / "adapter", tmp_path / "merged")
    merged = LocalModel(tmp_path / "merged", device="cpu")._network.model
    with torch.no_grad():
        assert torch.allclose(merged(ids).logits, beside, atol=1e-5)


def test_the_same_seed_gives_the_same_judge_and_another_one_another(model, planted):
    cases, _, right = planted(80, 0)
    one, same, other = (
        train(model, cases, right, template=QUESTION, settings=replace(HOW, epochs=1, seed=seed)).predict(cases)
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one, same) and not np.allclose(one, other)


def test_the_size_of_a_pass_changes_no_number(model, planted):
    cases, _, right = planted(60, 0)
    few, many = (
        train(model, cases, right, template=QUESTION, settings=replace(HOW, epochs=1, batch_tokens=t)).predict(cases)
        for t in (1, 4096)
    )
    assert few == pytest.approx(many, abs=1e-3)


def test_progress_is_told_and_losses_fall(model, planted):
    said = []
    cases, _, right = planted(200, 0)
    train(model, cases, right, template=QUESTION, settings=HOW, say=lambda *told: said.append(told))
    assert [step for step, _, _ in said] == list(range(1, 66)) and {steps for _, steps, _ in said} == {65}
    assert said[0][2] == pytest.approx(math.log(2), abs=0.05) and np.mean([loss for _, _, loss in said[-5:]]) < 0.5


def test_answers_and_own_prompts_are_read(model, planted):
    cases, _, right = planted(40, 0)
    brief = replace(HOW, epochs=1)
    judge = train(model, cases, right, template="{question} {model} said {answer}", settings=brief)
    assert judge.card.target == CORRECT and judge.card.reads.startswith("question and model and answer")
    with pytest.raises(ValueError, match="the template reads an answer, and there is none"):
        judge.predict([Case("where does it grow")])
    own = [replace(case, prompt=Prompt.user(case.question)) for case in cases]
    by_prompt, by_text = (train(model, c, right, template=t, settings=brief) for c, t in ((own, None), (own, QUESTION)))
    assert np.array_equal(by_prompt.predict(own), by_text.predict(own))
    with pytest.raises(ValueError, match="has no prompt"):
        by_prompt.predict(cases)


def test_what_is_refused(model, planted):
    cases, _, right = planted(20, 0)
    brief = replace(HOW, epochs=1)
    with pytest.raises(ValueError, match="one class"):
        train(model, cases, np.ones(20), template=QUESTION)
    with pytest.raises(ValueError, match="must pair up"):
        train(model, cases[:-1], right, template=QUESTION)
    with pytest.raises(DoxaError, match="'simulated:calibrated' cannot be trained here"):
        train(respondent("calibrated"), cases, right, template=QUESTION)
    with pytest.raises(DoxaError, match=r"no linear layer called c_attn.*q_proj"):
        train(model, cases, right, template=QUESTION, settings=replace(brief, layers=("c_attn",)))
    with pytest.raises(ValueError, match="layer is 2; there are 2 blocks"):
        train(model, cases, right, template=QUESTION, settings=replace(brief, layer=2))
    with pytest.raises(DoxaError, match="begin with the same token"):
        train(model, cases, right, by="words", words=("yes", "yes it is"), template=QUESTION)
    with pytest.raises(DoxaError, match="reads at most 64"):
        train(model, [Case("it " * 99)] * 20, right, template=QUESTION)
    for wrong in ({"rank": 0}, {"learning_rate": 0.0}, {"warmup": 1.0}):
        with pytest.raises(ValueError, match="settings are"):
            replace(HOW, **wrong)


def test_a_failed_training_leaves_no_adapter_behind(model, planted):
    cases, _, right = planted(20, 0)

    def stop(step, steps, loss):
        raise KeyboardInterrupt

    before = model._network.model
    hooks = sum(len(module._forward_hooks) for module in before.modules())
    with pytest.raises(KeyboardInterrupt):
        train(model, cases, right, template=QUESTION, settings=HOW, say=stop)
    assert sum(len(module._forward_hooks) for module in before.modules()) == hooks


# --- batches ---------------------------------------------------------------------------------------------------------


def rows_of(lengths):
    return [Row(np.zeros(n, dtype=int)) for n in lengths]


def test_every_case_is_in_each_epoch_once():
    rows = rows_of(np.random.default_rng(0).integers(1, 50, 333))
    cut = list(batches(rows, replace(HOW, epochs=2, batch=16)))
    seen = [i for batch in cut for i in batch]
    assert sorted(seen) == sorted([*range(333)] * 2) and sorted(seen[:333]) == list(range(333))
    spread = np.mean([np.ptp([len(rows[i].ids) for i in batch]) for batch in cut])
    assert spread < 5  # of 49: those of one length are together
    assert cut == list(batches(rows, replace(HOW, epochs=2, batch=16)))


def test_passes_hold_so_many_tokens():
    rows = rows_of([5, 1, 9, 30, 2, 2])
    cut = list(passes(rows, 10))
    assert cut == [[1, 4, 5], [0], [2], [3]]  # 3 of 2 tokens, then 5, 9, and 30 alone
    assert sorted(i for part in cut for i in part) == list(range(6))


def test_rates_rise_and_fall():
    rates = [rate_at(step, 100, 0.1) for step in range(100)]
    assert rates[0] == 0.1 and max(rates) == 1.0 and rates[-1] == pytest.approx(1 / 90)
    assert rate_at(0, 1, 0.05) == 1.0 and rate_at(0, 10, 0.0) == 1.0


def test_tokens_of_the_two_words(model):
    trainee = Trainee(model)
    (row,) = trainee.rows([Prompt.user("the red fig")], ("yes", "no"))
    ids = trainee.rows([Prompt.user("the red fig")])[0].ids
    vocabulary = model._text.tokenizer.get_vocab()
    assert np.array_equal(row.ids, ids) and (row.yes, row.no) == (vocabulary["yes"], vocabulary["no"])
