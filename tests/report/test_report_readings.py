"""Readings packed for the page come out as they went in; limits leave out whole items and count them."""

import base64
import gzip
import json

import numpy as np
import pytest

from doxa.records import Findings, Item, Prompt, Reply, Sampling, Score, Token
from doxa.report.readings import embed, script_json
from doxa.study import Call

PLENTY = {"max_readings": 10_000, "max_bytes": 10_000_000}
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a\x00b\x1b[31m",
    "\u202eright to left\u2066 שלום",
    "\ud800 half a pair",
    "x" * 1_000_000,
]


def unpacked(embedded):
    return [json.loads(gzip.decompress(base64.b64decode(block))) for block in embedded.blocks]


def items_of(embedded, part=0):
    return [r["item"]["id"] for block in unpacked(embedded) if block["part"] == part for r in block["records"]]


def many(make, n, study="made"):
    items = [Item(f"item-{i}", f"Question {i}?") for i in range(n)]
    both = ("neutral", "pressured")
    records = [
        make.record(item, [make.reading(item, f"{c} reply", condition=c) for c in both], [Reply("yes"), Reply("no")])
        for item in items
    ]
    return make.part(study, "simulated:random", records, Findings())


def test_a_reading_is_whole(make):
    item = Item(
        "capital", "Capital of Peru?", "choice", ("Lima", "Quito"), "Lima", popularity=0.9, fields={"year": 1990}
    )
    row = make.reading(item, "Lima, 90 %", correct=True, confidence=np.float64(0.9), steps=[0.5, float("nan")])
    tokens = (Token("Lima", -0.1, (("Lima", -0.1), ("Quito", -2.5))),)
    prompt = Prompt.user("Capital of Peru?", system="Be short.")
    calls = [
        Call(
            "generate", prompt, "neutral", Sampling(stop=("\n",)), (Reply("Lima, 90 %", tokens=tokens, reasoning="hm"),)
        ),
        Call("score", Prompt(text="Capital of Peru?"), "neutral", None, (), (Score(" Lima", -0.2),)),
    ]
    record = make.record(item, [row], [])
    record.calls.extend(calls)
    record.row_calls[0] = (0, 1)
    block = unpacked(embed([make.part("made", "m", [record], Findings())], **PLENTY))[0]
    [kept], text = block["records"], block["strings"]
    assert kept["item"]["facts"] == [["kind", "choice"], ["popularity", 0.9], ["year", 1990]]
    assert kept["rows"][0]["fields"] == [["correct", True], ["confidence", 0.9], ["steps", [0.5, None]]]
    assert kept["rows"][0]["calls"] == [0, 1] and text[kept["rows"][0]["text"]] == "Lima, 90 %"
    asked, scored = kept["calls"]
    assert [(role, text[k]) for role, k in asked["prompt"]] == [("system", "Be short."), ("user", "Capital of Peru?")]
    assert ["temperature", 0.0] in asked["sampling"] and ["stop", ["\n"]] in asked["sampling"]
    assert asked["replies"][0]["tokens"] == [["Lima", -0.1, [["Lima", -0.1], ["Quito", -2.5]]]]
    assert text[asked["replies"][0]["reasoning"]] == "hm"
    assert [(text[k], logprob) for k, logprob in scored["scores"]] == [(" Lima", -0.2)]
    assert text.count("Capital of Peru?") == 1  # question, prompt and scored prompt share one string


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "image", "control", "bidi", "surrogate", "long"])
def test_hostile_replies_come_out_unchanged(make, text):
    record = make.record(Item("one", text), [make.reading(Item("one", ""), text)], [Reply(text)])
    embedded = embed([make.part("made", "m", [record], Findings())], **PLENTY)
    assert all(c.isalnum() or c in "+/=" for block in embedded.blocks for c in block)  # base64: nothing breaks out
    [block] = unpacked(embedded)
    assert block["strings"][block["records"][0]["calls"][0]["replies"][0]["text"]] == text
    assert json.loads(script_json([text])) == [text]
    assert not set("<>&") & set(script_json([text]))


def test_failed_items_are_readings_too(make):
    record = make.record(Item("one", "Q?"), [], [], error="ServerError: 503")
    embedded = embed([make.part("made", "m", [record], Findings())], **PLENTY)
    [block] = unpacked(embedded)
    kept = block["records"][0]
    assert kept["failed"] and block["strings"][kept["error"]] == "ServerError: 503"
    assert (embedded.shown, embedded.total, embedded.left_out) == ((1,), (1,), 0)


def test_limits_draw_the_same_items_in_every_part(make):
    parts = [many(make, 300), many(make, 300, "other")]
    embedded = embed(parts, max_readings=400, max_bytes=10_000_000)  # 200 of 600 each: a third of the items
    first, second = items_of(embedded, 0), items_of(embedded, 1)
    assert first == second and len(set(first)) == len(first)
    # 300 items with chance 1/3: sd 8.2, four of them
    assert abs(len(first) - 100) < 33
    assert embedded.shown == (2 * len(first),) * 2 and embedded.total == (600, 600)
    assert embedded.left_out == 1200 - sum(embedded.shown)


def test_a_small_part_leaves_its_share_to_a_large_one(make):
    embedded = embed([many(make, 5), many(make, 300, "other")], max_readings=610, max_bytes=10_000_000)
    assert embedded.shown == (10, 600) and embedded.left_out == 0


def test_bytes_are_limited(make):
    noise = np.random.default_rng(0)
    items = [Item(f"item-{i}", noise.bytes(20_000).hex()) for i in range(200)]  # 40,000 characters that barely compress
    records = [make.record(i, [make.reading(i, "yes")], [Reply("yes")]) for i in items]
    embedded = embed([make.part("made", "m", records, Findings())], max_readings=1000, max_bytes=3_000_000)
    assert 0 < embedded.shown[0] < 200 and embedded.total == (200,)
    assert sum(map(len, embedded.blocks)) <= 3_000_000


def test_same_readings_same_bytes(make):
    part = many(make, 20)
    assert embed([part], **PLENTY).blocks == embed([part], **PLENTY).blocks
