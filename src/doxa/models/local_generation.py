"""Replies sampled in batches, each from its own stream of random numbers, so that none depends on its neighbours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from doxa.models.local_batching import Batches, Job
from doxa.models.local_cache import SPARE
from doxa.models.local_network import Network
from doxa.models.local_parts import Part, Parts
from doxa.models.local_prefixes import LEAST_TOKENS, Prefix, Prefixes, agreed, common
from doxa.models.local_reading import LogitsPath, Reader
from doxa.models.local_stream import Stream
from doxa.models.local_text import Tokenization
from doxa.records import DoxaError, Finish, Prompt, Reply, Sampling, Token

if TYPE_CHECKING:
    import torch

# Random numbers are drawn for so many steps at a time.
BLOCK = 64
# Finished rows stay in the batch until they are this share of it: leaving means copying the cache of the others.
LEAVE_AT = 0.2
# Tokens that all prompts begin with and that are worth reading before everything else.
SHARED_TOKENS = 64


@dataclass(frozen=True)
class GenerateRequest:
    prompt: Prompt
    sampling: Sampling


@dataclass(frozen=True, eq=False)
class Draw:
    """One reply to be made: sample `samples[0]` of its request (all of them, when they are greedy and so equal)."""

    job: Job
    ids: tuple[int, ...]
    sampling: Sampling
    samples: tuple[int, ...]
    room: int

    @property
    def size(self) -> int:
        return len(self.ids) + self.room

    @property
    def extra(self) -> int:
        return 0

    @property
    def wanted(self) -> bool:
        return self.job.wanted

    def put(self, result: Reply) -> None:
        for sample in self.samples:
            self.job.put(sample, result)

    def fail(self, error: BaseException) -> None:
        self.job.fail(error)


def generate(
    jobs: Sequence[Job], reader: Reader, text: Tokenization, ends: frozenset[int], batches: Batches[Draw]
) -> None:
    """Answer the jobs (of GenerateRequest) with `sampling.n` replies each, or fail those that cannot be asked.

    ends  tokens that end a reply
    """
    network = reader.network
    draws: list[Draw] = []
    for job, ids in zip(jobs, text.prompts([job.request.prompt for job in jobs]), strict=True):
        try:
            draws += _draws(job, ids, network)
        except Exception as error:  # this request's own fault; the others go on
            job.fail(error)
    if sum(draw.size for draw in draws) > batches.budget:
        _read_shared(draws, reader)
    lengths = [None] if network.padded else sorted({len(draw.ids) for draw in draws})
    for length in lengths:
        alike = [draw for draw in draws if length is None or len(draw.ids) == length]
        batches.run(alike, lambda batch: _replies(batch, reader, text, ends))


def _read_shared(draws: Sequence[Draw], reader: Reader) -> None:
    """Read what all prompts begin with, and keep it: several streams side by side would each read it."""
    prompts = list(dict.fromkeys(draw.ids for draw in draws))
    if reader.sharing(max(map(len, prompts))) == "none":
        return
    first, shared = np.asarray(prompts[0]), len(prompts[0])
    for ids in prompts[1:]:
        shared = min(shared, agreed(first, np.asarray(ids)))
    if shared >= SHARED_TOKENS:
        reader.read([LogitsPath(first[:shared], [shared - 1], keep=shared, whole=True)])


def _draws(job: Job, ids: tuple[int, ...] | Exception, network: Network) -> list[Draw]:
    request: GenerateRequest = job.request
    sampling = request.sampling
    if sampling.reasoning_effort is not None or sampling.reasoning_tokens is not None:
        raise DoxaError(
            f"reasoning_effort is {sampling.reasoning_effort!r} and reasoning_tokens {sampling.reasoning_tokens!r}; "
            "a local model has neither setting. Leave them out, or ask for reasoning in the prompt."
        )
    if isinstance(ids, Exception):
        raise ids
    network.check(ids, "the prompt", room=1)
    # A reply that reaches the model's limit is cut there, and says so ("length").
    room = sampling.max_tokens if network.limit is None else min(sampling.max_tokens, network.limit - len(ids))
    job.expect(sampling.n)
    every = tuple(range(sampling.n))
    shares = [every] if sampling.temperature == 0 else [(sample,) for sample in every]
    return [Draw(job, ids, sampling, share, room) for share in shares]


@dataclass
class Running:
    """A reply on its way."""

    draw: Draw
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    tops: list[list[tuple[int, float]]] = field(default_factory=list)

    def reply(self, text: Tokenization, finish: Finish, *, ended: bool, stop_at: int | None = None) -> Reply:
        """The reply so far. ended: its last token is the end itself; stop_at: where in its text a stop string began."""
        ids = self.ids[:-1] if ended else self.ids
        said = text.decode(ids)[:stop_at]
        tokens = None
        if self.draw.sampling.top_logprobs is not None:
            lengths = (len(text.decode(ids[:k])) for k in range(len(ids) + 1))
            count = len(ids) if stop_at is None else next(k for k, n in enumerate(lengths) if n >= stop_at)
            tokens = self._tokens(ids[:count], text)
        return Reply(said, finish, tokens, input_tokens=len(self.draw.ids), output_tokens=len(self.ids))

    def _tokens(self, ids: Sequence[int], text: Tokenization) -> tuple[Token, ...]:
        tops = [tuple((text.piece(t), lp) for t, lp in top) for top in self.tops] or [()] * len(ids)
        kept = slice(len(ids))
        return tuple(
            Token(text.piece(t), lp, top) for t, lp, top in zip(ids, self.logprobs[kept], tops[kept], strict=True)
        )


def _started(draws: Sequence[Draw], reader: Reader) -> Stream:
    """A stream with a row for each draw. Each prompt is read once, and what prompts have in common too."""
    import torch

    network, prefixes = reader.network, reader.prefixes
    prompts = {ids: i for i, ids in enumerate(dict.fromkeys(draw.ids for draw in draws))}
    rows = [prompts[draw.ids] for draw in draws]
    fits = sum(map(len, prompts)) * prefixes.token_bytes <= prefixes.budget

    def read_whole() -> Stream:
        stream = Stream.read(network, list(prompts))
        if len(prompts) < len(draws):
            stream.keep(torch.tensor(rows, device=network.device))
        return stream

    if not (fits and network.cached) or reader.sharing(max(map(len, prompts))) == "none":
        return read_whole()
    paths = [LogitsPath(ids, [len(ids) - 1], keep=len(ids), whole=True) for ids in prompts]
    reader.read(paths)
    logits = torch.cat([path.logits() for path in paths])
    beyond = network.window is not None and max(draw.size for draw in draws) > network.window
    parted = network.parted and not beyond and reader.sharing(max(map(len, prompts))) == "tree"
    with prefixes.lock:
        kept = [prefixes.find(path.ids, len(path.ids), least=1) for path in paths]
        lost = any(prefix.length < len(path.ids) for prefix, path in zip(kept, paths, strict=True))
        if not lost and parted:
            parts = _parts(kept, rows, prefixes)
        elif not lost:
            past = prefixes.past([kept[row] for row in rows], SPARE)
    if lost:
        return read_whole()  # some were let go again, because memory ran short on others
    lengths = [kept[row].length for row in rows]
    if parted:
        return Stream.behind_parts(network, parts, lengths, logits[rows])
    return Stream.behind(network, past, lengths, logits[rows])


def _parts(kept: Sequence[Prefix], rows: Sequence[int], prefixes: Prefixes) -> Parts:
    """What the rows have read: what all begin with, if it is worth while, and then each prompt once.

    rows  which of the kept prompts each row goes on from
    """
    longest, trunk = max(prefix.length for prefix in kept), common(kept)
    shared = trunk.length if trunk.length >= LEAST_TOKENS else 0
    parts = [Part([0] * len(rows), prefixes.past([trunk]))] if shared else []
    if shared < longest:
        rest = [prefix.length - shared for prefix in kept]
        hidden = np.arange(max(rest)) < max(rest) - np.array(rest)[:, None]
        parts.append(Part(rows, prefixes.past(kept, since=shared), hidden))
    return Parts(parts, longest)


def _replies(draws: Sequence[Draw], reader: Reader, text: Tokenization, ends: frozenset[int]) -> list[Reply]:
    """Replies to the draws: their prompts are read, then all go on together and leave as they finish."""
    import torch

    network = reader.network
    stream = _started(draws, reader)
    choice = Choice(draws, network.device)
    stops = {draw.sampling.stop: Stops(draw.sampling.stop, text) for draw in draws}
    running = [Running(draw) for draw in draws]
    replies: dict[int, Reply] = {}
    rows = list(range(len(draws)))  # which draw each row of the stream is
    while True:
        tokens = choice.tokens(stream.logits)
        _note(running, rows, stream.logits, tokens)
        for row, token in zip(rows, tokens.tolist(), strict=True):
            if row not in replies:
                reply = _taken(running[row], token, text, ends, stops)
                if reply is not None:
                    replies[row] = reply
        if len(replies) == len(draws):
            return [replies[i] for i in range(len(draws))]
        live = [at for at, row in enumerate(rows) if row not in replies]
        if len(live) <= (1 - LEAVE_AT) * len(rows):
            index = torch.tensor(live, device=network.device)
            rows, tokens = [rows[at] for at in live], tokens[index]
            stream.keep(index)
            choice.keep(live)
        stream.step(tokens)


def _taken(
    run: Running, token: int, text: Tokenization, ends: frozenset[int], stops: dict[tuple[str, ...], Stops]
) -> Reply | None:
    """Append the token; the reply, if that was its last one."""
    run.ids.append(token)
    if token in ends:
        return run.reply(text, "stop", ended=True)
    stop_at = stops[run.draw.sampling.stop].find(run.ids)
    if stop_at is not None:
        return run.reply(text, "stop", ended=False, stop_at=stop_at)
    if len(run.ids) == run.draw.room:
        return run.reply(text, "length", ended=False)
    return None


def _note(running: Sequence[Running], rows: Sequence[int], logits: torch.Tensor, tokens: torch.Tensor) -> None:
    """Keep log-probabilities where they were asked for: those of the untempered distribution, in nats."""
    wanted = [(at, running[row]) for at, row in enumerate(rows) if running[row].draw.sampling.top_logprobs is not None]
    if not wanted:
        return
    normal = logits.logsumexp(-1, keepdim=True)
    chosen = (logits.gather(-1, tokens[:, None]) - normal)[:, 0].tolist()
    most = min(max(run.draw.sampling.top_logprobs or 0 for _, run in wanted), logits.shape[-1])
    best = logits.topk(most, dim=-1)
    best_logprobs, best_tokens = (best.values - normal).tolist(), best.indices.tolist()
    for at, run in wanted:
        run.logprobs.append(chosen[at])
        if k := run.draw.sampling.top_logprobs:
            run.tops.append(list(zip(best_tokens[at][:k], best_logprobs[at][:k], strict=True)))


class Stops:
    """Finds where the first of some stop strings begins in a reply that grows by a token at a time."""

    def __init__(self, stops: Sequence[str], text: Tokenization) -> None:
        self._stops = [stop for stop in stops if stop]
        self._last = {stop[-1] for stop in self._stops}
        self._text = text
        self._may_end: dict[int, bool] = {}

    def find(self, ids: Sequence[int]) -> int | None:
        """Index in the decoded text; None: no stop string is complete."""
        if not self._stops or not self._could_end(ids[-1]):
            return None
        said = self._text.decode(ids)
        return min((at for stop in self._stops if (at := said.find(stop)) >= 0), default=None)

    def _could_end(self, token: int) -> bool:
        # A stop string ends within the newest token, so that token has its last character, or a part of it (U+FFFD).
        if token not in self._may_end:
            piece = self._text.piece(token)
            self._may_end[token] = "\ufffd" in piece or any(c in piece for c in self._last)
        return self._may_end[token]


class Choice:
    """Chooses the next token of each row: the likeliest at temperature 0, else the one its random number falls on.

    Each draw has its own counter-based generator, keyed by prompt tokens, seed and sample; step t takes its t-th
    number, whatever else is in the batch. Nothing but `Sampling` decides: a repository's generation defaults
    (top-k, repetition penalty) are not applied.
    """

    def __init__(self, draws: Sequence[Draw], device: torch.device) -> None:
        import torch

        # MPS knows no double precision.
        self._fine = torch.float32 if device.type == "mps" else torch.float64
        self._device = device
        self._random = [
            generator(d.ids, d.sampling.seed, d.samples[0]) if d.sampling.temperature > 0 else None for d in draws
        ]
        self._temperature = torch.tensor([d.sampling.temperature for d in draws], device=device)
        self._top_p = torch.tensor([d.sampling.top_p for d in draws], device=device)
        self._block = torch.empty(len(draws), 0)
        self._used = BLOCK

    def keep(self, index: Sequence[int]) -> None:
        """Go on with these rows only."""
        self._random = [self._random[i] for i in index]
        self._temperature, self._top_p = self._temperature[index], self._top_p[index]
        self._block = self._block[index]

    def tokens(self, logits: torch.Tensor) -> torch.Tensor:
        """Next token (b,) from logits (b, v)."""
        import torch

        hot = self._temperature > 0
        if not hot.any():
            return logits.argmax(-1)
        best = logits.argmax(-1) if not hot.all() else torch.zeros_like(hot, dtype=torch.long)
        uniform = self._uniform()
        probabilities = torch.softmax(logits[hot] / self._temperature[hot, None], dim=-1)
        if (self._top_p < 1).any():
            probabilities = nucleus(probabilities, self._top_p[hot])
        cumulative = probabilities.cumsum(-1, dtype=self._fine)
        drawn = torch.searchsorted(cumulative, uniform[hot, None] * cumulative[:, -1:], right=True)[:, 0]
        best[hot] = drawn.clamp(max=logits.shape[-1] - 1)
        return best

    def _uniform(self) -> torch.Tensor:
        import torch

        if self._used == BLOCK:
            block = np.stack([np.zeros(BLOCK) if g is None else g.random(BLOCK) for g in self._random])
            self._block, self._used = torch.as_tensor(block, dtype=self._fine).to(self._device), 0
        self._used += 1
        return self._block[:, self._used - 1]


def generator(ids: Sequence[int], seed: int, sample: int) -> np.random.Generator:
    """Random numbers of one reply: Philox, keyed by a hash of prompt tokens, seed and sample index."""
    named = np.asarray(ids, dtype=np.int64).tobytes() + f"/{seed}/{sample}".encode()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(hashlib.sha256(named).digest()[:16], "big")))


def nucleus(probabilities: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """Probabilities (b, v) with 0 outside the smallest set of likeliest tokens that holds at least top_p (b,).

    Not normalised; tokens as likely as the last one of the set belong to it.
    Source: Holtzman et al. 2020, arXiv 1904.09751, sec. 3.1.
    """
    ranked = descending(probabilities)
    before = ranked.cumsum(-1) - ranked
    last = ((before < top_p[:, None]).sum(-1, keepdim=True) - 1).clamp(min=0)
    # Where all is kept, rounding of the sum must not cut the tail.
    least = ranked.gather(-1, last).masked_fill(top_p[:, None] == 1, 0.0)
    return probabilities * (probabilities >= least)


def descending(values: torch.Tensor) -> torch.Tensor:
    """Each row sorted, largest first."""
    import torch

    if values.device.type == "cpu":  # NumPy sorts values alone, some thirty times faster than torch does here
        return torch.from_numpy(-np.sort(-values.numpy(), axis=-1))
    return values.sort(dim=-1, descending=True).values
