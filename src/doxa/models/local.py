"""Models on this machine: any Transformers causal language model; what many coroutines ask is done in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from doxa.models import local_loading as loading
from doxa.models.base import Capability, Context, Model
from doxa.models.local_batching import Batches, Gatherer, Job
from doxa.models.local_generation import GenerateRequest, generate
from doxa.models.local_lanes import lanes
from doxa.models.local_linear import forget
from doxa.models.local_network import Network, Side
from doxa.models.local_prefixes import Prefixes
from doxa.models.local_reading import Reader
from doxa.models.local_scoring import Precision, ScoreRequest, StatesRequest, paths
from doxa.models.local_text import ChatTemplate, Tokenization
from doxa.models.local_tree import Sharing
from doxa.models.local_trial import Trial
from doxa.records import Prompt, Reply, Sampling, Score


class LocalModel(Model):
    """A causal language model in the Hugging Face format, loaded when it is made.

    path_or_id         a folder (the network is never asked about it) or a hub id
    address            as the user wrote it; default "hf:" and path_or_id
    device             "cpu", "cuda", "mps"; None: the best there is
    dtype              "auto" (as stored), "float32", "bfloat16", "float16", "float64"
    revision           branch, tag or commit of a hub id
    trust_remote_code  let the repository's own Python run
    chat_template      "auto": the model's own; "none": messages joined as plain text (see `Tokenization`)
    max_batch_tokens   tokens of a batch, padding counted; None: by memory
    adapter            folder or hub id of a PEFT adapter, merged into the weights
    allow_pickle       load pickled weights where there are no safetensors: a pickle can run code

    Log-probabilities are natural, and of the untempered distribution whatever the sampling. Reply.tokens are those
    of the text; the token that ended a reply is counted in output_tokens but not among them. A reply with a stop
    string is cut before it. Generation that reaches the model's limit ends there with finish "length".

    In float32 a value does not depend on what else is in its batch by more than 1e-4.

    Raises DoxaError: torch missing, no such folder, not a causal model's folder, weights that are pickled, missing or
    unreadable, no tokenizer, an unknown dtype or device. Asking raises DoxaError for a prompt that is too long, with
    its tokens and the limit, and ValueError for a continuation, layer or position that is none.
    """

    def __init__(
        self,
        path_or_id: str | Path,
        *,
        address: str | None = None,
        device: str | None = None,
        dtype: str = "auto",
        revision: str | None = None,
        trust_remote_code: bool = False,
        chat_template: ChatTemplate = "auto",
        max_batch_tokens: int | None = None,
        adapter: str | Path | None = None,
        allow_pickle: bool = False,
    ) -> None:
        loading.require(["torch", "transformers"], "local")
        self.address = address or f"hf:{path_or_id}"
        if max_batch_tokens is not None and max_batch_tokens < 1:
            raise ValueError(f"max_batch_tokens is {max_batch_tokens}; it is at least 1, or None for the default")
        folder = loading.find(
            path_or_id, revision=revision, trust_remote_code=trust_remote_code, allow_pickle=allow_pickle
        )
        config = loading.load_config(folder, trust_remote_code=trust_remote_code)
        place = loading.chosen_device(device)
        tokenizer = loading.load_tokenizer(folder, trust_remote_code=trust_remote_code)
        model = loading.load_weights(
            folder, config, dtype=dtype, trust_remote_code=trust_remote_code, allow_pickle=allow_pickle
        )
        adapted = loading.find(adapter) if adapter is not None else None
        if adapted is not None:
            model = loading.with_adapter(model, adapted)
        self._network = Network(model.to(place))
        self.parameters = sum(p.numel() for p in model.parameters())
        self._text = Tokenization(tokenizer, chat_template)
        self._ends = _end_tokens(model, tokenizer)
        self._identity = {
            "kind": "local",
            **folder.identity(allow_pickle=allow_pickle),
            **self._text.identity,
            "adapter": adapted.identity() if adapted is not None else None,
            "dtype": str(model.dtype).removeprefix("torch."),
            "device": place.type,
            **_versions(),
        }
        read, stream = (max_batch_tokens, max_batch_tokens) if max_batch_tokens else self._network.batch_tokens()
        self.concurrency = min(max(stream // 128, 64), 1024)
        self.capabilities = _capabilities(self._network)
        self._trial = Trial(self._network)
        self._prefixes = Prefixes(self._network.kept_bytes(), self._network.token_bytes)
        self._gatherer = Gatherer(self._carry_out)
        free, send = self._prefixes.clear, self._gatherer.deliver
        self._lanes = lanes(self._network)
        reads: Batches[Any] = Batches(read, relief=free, done=send, lanes=self._lanes, divide=True)
        self._reader = Reader(self._network, self._prefixes, reads, self._trial.sharing)
        self._streams: Batches[Any] = Batches(stream, relief=free, done=send, lanes=self._lanes)

    @property
    def identity(self) -> Mapping[str, Any]:
        return self._identity

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        """`sampling.n` replies. Sample k of a prompt and seed is the same whatever n is and whatever else is asked."""
        return await self._gatherer.ask(GenerateRequest(prompt, sampling))

    async def score(self, prompt: Prompt, continuations: Sequence[str], context: Context | None = None) -> list[Score]:
        """Log-probability of each whole continuation; `Tokenization.continuations` says which tokens those are."""
        if not continuations or isinstance(continuations, str):
            raise ValueError(f"continuations is {continuations!r}; give a list of at least one text")
        return await self._gatherer.ask(ScoreRequest(prompt, tuple(continuations)))

    async def hidden_states(
        self,
        prompt: Prompt,
        *,
        layers: Sequence[int] | None = None,
        positions: Sequence[int] | Literal["mean"] = (-1,),
        precision: Precision = "float32",
    ) -> np.ndarray:
        """Residual stream after the named blocks (all: None), (layers, positions, width).

        positions  of tokens, or "mean": one state for each layer, the mean over all tokens of the prompt
        precision  of the array: "float16" takes half the memory, and is refused where a state does not fit it

        Blocks above the deepest one asked for are not run. The last block's is taken before the final norm. Positions
        count the prompt's tokens as they are read, special tokens and chat template included; -1 is the last one,
        after which the reply begins.
        """
        if "hidden_states" not in self.capabilities:
            raise self._cannot("hidden_states")
        if precision not in ("float16", "float32", "float64"):
            raise ValueError(f"precision is {precision!r}; it is float16, float32 or float64")
        if isinstance(positions, str) and positions != "mean":
            raise ValueError(f"positions is {positions!r}; it is a list of positions, or 'mean'")
        at: tuple[int, ...] | Literal["mean"] = "mean" if isinstance(positions, str) else tuple(positions)
        request = StatesRequest(prompt, None if layers is None else tuple(layers), at, precision)
        if request.layers == () or not request.positions:
            raise ValueError(f"layers is {layers!r} and positions {positions!r}; name at least one of each")
        return (await self._gatherer.ask(request))[0]

    def sharing(self, tokens: int) -> Sharing:
        """How the beginnings that texts of so many tokens have in common are shared; found out when first asked.

        "tree": branches side by side under a mask; "chain": each behind kept keys and values; "none": not at all.
        """

        def found() -> Sharing:
            return self._trial.sharing(tokens)

        return self._gatherer.between(found)

    @property
    def pads(self) -> bool:
        """Whether padding may stand before a text; where not, texts of different lengths are not read together."""
        return self._network.padded

    def pad(self, passes: Side = "right", streams: Side = "left") -> None:
        """Where padding goes in passes that read and in streams that generate. Values are the same either way: see
        `local_invariance`, which is what this is for. The left of passes needs `pads`, the right of streams a cache."""
        self._network.sides = (passes, streams)

    def forget(self) -> None:
        """Drop the keys and values that are kept of earlier prompts, and copies of weights; needed by whoever changes
        the weights."""

        def dropped() -> None:
            self._prefixes.clear()
            forget(self._network.model)

        self._gatherer.between(dropped)

    async def close(self) -> None:
        await asyncio.to_thread(self._gatherer.close)  # a round that runs is finished first
        self._lanes.close()
        self._prefixes.clear()
        self._network.release()

    def _carry_out(self, jobs: Sequence[Job]) -> None:
        """One round, in the worker thread."""
        import torch

        kinds: dict[type, list[Job]] = {ScoreRequest: [], StatesRequest: [], GenerateRequest: []}
        for job in jobs:
            kinds[type(job.request)].append(job)
        with torch.inference_mode():
            self._reader.read(paths([*kinds[ScoreRequest], *kinds[StatesRequest]], self._network, self._text))
            generate(kinds[GenerateRequest], self._reader, self._text, self._ends, self._streams)


def _capabilities(network: Network) -> frozenset[Capability]:
    able: set[Capability] = {"generate", "logprobs", "score"}
    return frozenset(able | {"hidden_states"} if network.blocks else able)


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end a reply: the generation configuration's (turn ends of chat models), and the tokenizer's."""
    configured = getattr(model.generation_config, "eos_token_id", None)
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in (*listed, tokenizer.eos_token_id) if token is not None)


def _versions() -> dict[str, str]:
    import torch
    import transformers

    return {"torch": torch.__version__, "transformers": transformers.__version__}
