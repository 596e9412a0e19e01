"""Log-probabilities of continuations: the seam in characters, whatever a server's tokens and offsets look like."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stub_server import Stub, gives, logprob, pieces, serving

from doxa.models.endpoint import CannotScoreChat, Endpoint
from doxa.models.endpoint_scoring import last_tokens, tokens_after
from doxa.records import DoxaError, Message, MissingCapability, Prompt, Sampling, Token

TEXT = Prompt(text="The sky is")
CHAT = Prompt.user("Is the sky blue?")


serve = pytest.fixture(serving)


async def scores(stub: Stub, prompt: Prompt, *continuations: str, **options: Any) -> list[Any]:
    model = Endpoint("m", base_url=stub.url, **{"logprobs": True, "score": True} | options)
    try:
        return await model.score(prompt, continuations)
    finally:
        await model.close()


def counted(shown: str, prompt: str, continuation: str, **more: Any) -> list[str]:
    """Tokens after the seam, from tokens written as "a|b|c"."""
    tokens = [Token(t, -1.0) for t in shown.split("|")]
    return [t.text for t in tokens_after(tokens, prompt, continuation, **more)]


# --- with a server ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bos", [False, True])
async def test_the_planted_logprobs_come_back(serve, bos):
    found = await scores(serve(bos=bos), TEXT, " blue", " deep blue!", "n't")
    assert [s.continuation for s in found] == [" blue", " deep blue!", "n't"]
    assert [t.text for t in found[1].tokens] == [" deep", " blue", "!"]
    for score in found[:2]:
        assert score.logprob == pytest.approx(sum(logprob(t) for t in pieces(score.continuation)))
    # " isn" holds characters of both sides: it counts whole, and is there to be seen
    assert [t.text for t in found[2].tokens] == [" isn", "'", "t"]


async def test_one_token_is_generated_and_dropped(serve):
    stub = serve()
    await scores(stub, TEXT, " blue")
    [body] = stub.bodies()
    assert (body["prompt"], body["echo"], body["max_tokens"]) == ("The sky is blue", True, 1)


async def test_a_chat_is_scored_where_the_server_gives_prompt_logprobs(serve):
    stub = serve(chat_scores=True)
    [score] = await scores(stub, CHAT, " deep blue")
    assert [t.text for t in score.tokens] == [" deep", " blue"]
    assert score.logprob == pytest.approx(logprob(" deep") + logprob(" blue"))
    [opened] = await scores(stub, CHAT.then("It", "is?"), " so")
    [on] = await scores(stub, Prompt(messages=(*CHAT.messages, Message("assistant", "It is"))), " so")
    assert opened.logprob == on.logprob
    assert [m["content"] for m in stub.bodies()[-1]["messages"]] == ["Is the sky blue?", "It is so"]


async def test_a_server_that_scores_text_alone_says_so_for_chats(serve):
    with pytest.raises(CannotScoreChat, match="hold no log-probabilities of what it was sent") as caught:
        await scores(serve(), CHAT, " blue")
    assert caught.value.fatal and isinstance(caught.value, MissingCapability)
    for field in ("prompt_logprobs", "continue_final_message"):
        with pytest.raises(CannotScoreChat, match=field):
            await scores(serve(refuses=(field,)), CHAT, " blue")


async def test_a_server_that_opens_no_turn_is_not_asked_to_score_one(serve):
    model = Endpoint("m", base_url=serve(refuses=("continue_final_message",)).url, logprobs=True, score=True)
    with pytest.warns(UserWarning, match="continue_final_message"):
        await model.generate(Prompt(messages=(*CHAT.messages, Message("assistant", "It"))), Sampling())
    with pytest.raises(CannotScoreChat, match="last turn"):
        await model.score(CHAT, [" blue"])
    await model.close()


@pytest.mark.parametrize("manners", [{"echo": False}, {"logprobs": False}, {"text": False}, {"refuses": ("echo",)}])
async def test_the_missing_capability_is_said_with_its_reason(serve, manners):
    with pytest.raises(MissingCapability, match=r"'endpoint:m' cannot score: .*echoes logprobs"):
        await scores(serve(**manners), TEXT, " blue", score=None)


async def test_a_text_without_a_beginning_has_no_score(serve):
    with pytest.raises(DoxaError, match="prompt that is not empty"):
        await scores(serve(), Prompt(text=""), "Blue it is")
    [score] = await scores(serve(bos=True), Prompt(text=""), "Blue")
    assert score.logprob == pytest.approx(logprob("Blue"))
    with pytest.raises(ValueError, match="continuation is empty"):
        await scores(serve(), TEXT, "")


async def test_an_unlikely_token_has_no_made_up_score(serve):
    values = {"tokens": ["The", " sky is", " b"], "token_logprobs": [None, -1.0, -9999.0]}
    answer = {"choices": [{"text": "The sky is b", "logprobs": values}], "usage": {"completion_tokens": 0}}
    with pytest.raises(DoxaError, match="too unlikely"):
        await scores(serve(gives(answer)), TEXT, " b")


# --- tokens and text -------------------------------------------------------------------------------------------------


def test_as_vllm_shows_it():
    # offsets are 3 too large: <s> is counted, and is no part of the text
    shown = "<s>|The| capital| of| France| is| Paris|."
    assert counted(shown, "The capital of France is", " Paris", offsets=[0, 3, 6, 14, 17, 24, 27, 33]) == [" Paris"]
    assert counted("<s>|Die| |L||ö|s|u|n|g|:| |||猫|D", "Die Lösung: ", "猫", generated=1) == ["", "", "猫"]


def test_as_llama_cpp_shows_it():
    assert counted("| The| sky| is| blue|!", "The sky is", " blue") == [" blue"]  # a blank of its own before the text
    # pieces are shown as nothing; that 猫 has three bytes and é two tells which are whose
    assert counted("Le| |||||| oui|!", "Le 猫", "é oui") == ["", "", " oui"]
    shown, offsets = "Le| ||||||!", [0, 2, 3, 3, 3, 4, 4, 5]  # 猫猫 in five pieces: three and two, or two and three
    with pytest.raises(DoxaError, match="end the prompt at a space"):
        counted(shown, "Le 猫", "猫")
    assert counted(shown, "Le 猫", "猫", offsets=offsets) == ["", ""]


def test_as_others_show_it():
    assert counted("▁The|▁sky|▁is|▁blue", "The sky is", " blue", generated=0) == ["▁blue"]
    assert counted("Le| |bytes:\\xe7|bytes:\\x8c|bytes:\\xab| oui", "Le ", "猫 oui", generated=0)[-1] == " oui"
    assert counted("Le| |\ufffd|\ufffd|\ufffd| oui|\ufffd", "Le 猫", " oui") == [" oui"]
    assert counted("a|b", "a", "b", offsets=[-1, -1], generated=0) == ["b"]


def test_what_does_not_spell_the_text_is_refused():
    for shown in ("the| sky| is| blue", "The| sky", "The| sky| is| blue| and| green| things"):
        with pytest.raises(DoxaError, match="does not spell"):
            counted(shown, "The sky is", " blue")


def test_the_end_of_a_chat():
    def last(shown: str, continuation: str) -> list[str]:
        return [t.text for t in last_tokens([Token(t, -1.0) for t in shown.split("|")], continuation)]

    assert last("[user]| Hi|[assistant]| Par|is", " Paris") == [" Par", "is"]
    assert last("[assistant]:| Paris", "Paris") == [" Paris"]  # across the seam: whole
    assert last(": ||ö|de", "öde") == ["", "ö", "de"]
    with pytest.raises(DoxaError, match="trims or rewrites"):
        last("[assistant]:|Paris|\n", " Paris")


LETTERS = st.text(st.sampled_from("ab é猫🙂."), min_size=1, max_size=12)


@st.composite
def tokenized(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]], list[bytes]]:
    """A text, and tokens of it: runs of whole characters, or single characters torn into pieces of bytes."""
    text, tokens, places, at = draw(LETTERS), [], [], 0
    while at < len(text):
        size = len(text[at].encode())
        if size > 1 and draw(st.booleans()):
            cuts = [0, *sorted(draw(st.sets(st.integers(1, size - 1), min_size=1))), size]
            tokens += [text[at].encode()[a:b] for a, b in pairwise(cuts)]
            places += [(at, at + 1)] * (len(cuts) - 1)
            at += 1
        else:
            end = draw(st.integers(at + 1, len(text)))
            tokens.append(text[at:end].encode())
            places.append((at, end))
            at = end
    return text, places, tokens


def shown_by(style: str, tokens: list[bytes]) -> list[str]:
    """Tokens as a server shows them. "whole": nothing, then the whole character; "mark": U+FFFD; "nothing"."""
    piece = "\ufffd" if style == "mark" else ""
    shown, held = [], b""
    for token in tokens:
        held += token
        try:
            text, torn, held = held.decode(), held != token, b""
            shown.append(piece if torn and style != "whole" else text)
        except UnicodeDecodeError:
            shown.append(piece)
    return shown


@given(tokenized(), st.sampled_from(["whole", "mark", "nothing"]), st.booleans(), st.data())
def test_the_seam_is_found_in_any_tokenization_or_not_at_all(case, style, with_offsets, data):
    text, places, tokens = case
    seam = data.draw(st.integers(0, len(text) - 1))
    shown = [Token(t, -float(k)) for k, t in enumerate(shown_by(style, tokens))]
    offsets = [start for start, _ in places] if with_offsets else None
    right = [t for t, (_, end) in zip(shown, places, strict=True) if end > seam]
    try:
        found = tokens_after(shown, text[:seam], text[seam:], generated=0, offsets=offsets)
    except DoxaError as error:
        assert style != "whole" and ("end the prompt" in str(error) or "does not spell" in str(error))
        return
    assert found == right
