"""run(): studies carried out on one model, kept on disk as they go, resumed where they stopped, then scored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import doxa
from doxa.models.base import Model, check_needs
from doxa.records import DoxaError, Item
from doxa.runs import folder as folders
from doxa.runs import manifest as manifests
from doxa.runs.beside import Beside
from doxa.runs.collecting import End, Job, Questions, collect
from doxa.runs.errors import CannotWrite, Interrupted, NotOpened, Refused, Stopped, cannot_write
from doxa.runs.files import LOCK, locked
from doxa.runs.folder import Part, Run
from doxa.runs.log import Log
from doxa.runs.loop import carry_out
from doxa.runs.progress import Progress
from doxa.runs.results import score
from doxa.runs.store import Store, Stored
from doxa.runs.tables import columns
from doxa.study import Study

TOKENS = ("input_tokens", "output_tokens")
STORE = "store.sqlite"


def run(
    studies: Study | Sequence[Study],
    model: Model | str,
    *,
    options: Mapping[str, Any] | Any | None = None,
    items: Sequence[Item] | None = None,
    limit: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    store: str | Path | None = None,
    concurrency: int | None = None,
    progress: bool | None = None,
    null_seed: int | None = 0,
    null_headline: bool = False,
    fresh: bool = False,
) -> Run:
    """Ask a model what the studies ask, keep every answer, and score them.

    With `out`, each item's record is on the disk before it counts. After a crash, a kill or Ctrl-C the same command
    goes on: finished items are not asked again, failed ones are, nothing is there twice.

    model        a Model, which stays open, or an address
    options      the study's Options, or a mapping from a study's name to its Options; what is missing is default
    items        asked instead of the study's own; limit: only the first so many
    seed         added to every sampling seed
    out          the run's folder; None: everything in memory
    store        file of the response store; None: store.sqlite beside `out`, in memory without `out`
    concurrency  items in flight; None: what the model asks for
    progress     shown on stderr: True always, False never, None when that is a terminal
    null_seed    how the truth is shuffled for the value beside each estimate; None: not at all
    null_headline  the findings are those of the shuffled truth
    fresh        begin again in `out`, whatever it holds; answers still come from the store
    raises       MissingCapability, DoxaError: nothing was asked; Refused: `out` holds something else or is in use;
                 Interrupted: by the user; Stopped: an error that concerns the whole run
    """
    chosen = [studies] if isinstance(studies, Study) else list(studies)
    if null_headline and null_seed is None:
        raise DoxaError("null_headline shows the findings of shuffled truth, but null_seed is None: give a seed for it")
    if concurrency is not None and concurrency < 1:
        raise DoxaError(f"concurrency is {concurrency}; it is the number of items in flight, 1 or more")
    asked = _load(model) if isinstance(model, str) else model
    settings = _settings(chosen, options)
    for study in chosen:
        check_needs(study.needed(settings[study.name]), asked, f"study {study.name!r}")
    questions = [_questions(study, settings[study.name], items, limit) for study in chosen]
    manifest = _manifest(questions, asked, seed=seed, limit=limit, null_seed=null_seed)
    folder = Path(out) if out is not None else None
    with _claimed(folder, fresh) if folder is not None else nullcontext():
        made, jobs = _begin(manifest, questions, folder)
        if any(job.left for job in jobs):
            _mark(made, "running")
            place = Path(store) if store is not None else folder.parent / STORE if folder is not None else None
            how = _How(place, seed, concurrency or asked.concurrency, progress, close=isinstance(model, str))
            end = _carry_out(jobs, asked, how, made)
            for part, job in zip(made.parts, jobs, strict=True):
                part.note_retries(job.retries)
            _mark(made, "interrupted" if end.interrupted else "stopped" if end.error else "done", asked)
            _raise(end, made)
        elif folder is not None:
            _mark(made, "done", asked)  # a kill may have come after the last item, and null_seed may be another one
        score(made, null_seed, headline=null_headline)
    return made


def _load(address: str) -> Model:
    from doxa.models import load

    return load(address)


def _settings(studies: Sequence[Study], options: Mapping[str, Any] | Any | None) -> dict[str, Any]:
    """Options of each study by name."""
    names = [study.name for study in studies]
    if not names or len(set(names)) < len(names):
        raise DoxaError(f"a run needs one or more studies, each once; got: {', '.join(names) or 'none'}")
    if options is None or isinstance(options, Mapping):
        given = {name.replace("_", "-"): value for name, value in (options or {}).items()}
    else:
        given = {study.name: options for study in studies if isinstance(options, study.options)}
        if not given:
            raise DoxaError(f"options are {type(options).__qualname__}; none of {', '.join(names)} takes these")
    for name, value in given.items():
        if name not in names:
            raise DoxaError(f"options for {name!r}, which is not among the studies of this run: {', '.join(names)}")
        kind = next(study.options for study in studies if study.name == name)
        if not isinstance(value, kind):
            raise DoxaError(f"options of {name!r} are {value!r}; they must be a {kind.__module__}.{kind.__qualname__}")
    return {study.name: given.get(study.name) or study.options() for study in studies}


def _questions(study: Study, options: Any, items: Sequence[Item] | None, limit: int | None) -> Questions:
    if limit is not None and limit < 1:
        raise DoxaError(f"limit is {limit}; it is the number of items to ask about, 1 or more")
    chosen = study.items(options) if items is None else items
    return Questions(study, options, chosen, len(chosen) if limit is None else min(limit, len(chosen)))


def _manifest(
    questions: Sequence[Questions], model: Model, *, seed: int, limit: int | None, null_seed: int | None
) -> dict[str, Any]:
    return {
        "format": manifests.FORMAT,
        "doxa": doxa.__version__,
        "status": "running",
        "started": manifests.now(),
        "finished": None,
        "model": manifests.model_entry(model),
        "beside": {},
        "seed": seed,
        "limit": limit,
        "null_seed": null_seed,
        "studies": [_entry(q) for q in questions],
    }


def _entry(questions: Questions) -> dict[str, Any]:
    study = questions.study
    return {
        "study": study.name,
        "module": study.collect.__module__,
        "question": study.question,
        "source": {**dataclasses.asdict(study.source), "url": study.source.url},
        "options": manifests.options_entry(questions.options),
        "items": questions.n,
        "items_sha256": manifests.items_digest(questions.items, questions.n),
        "row": columns(study.row),
    }


@contextmanager
def _claimed(folder: Path, fresh: bool) -> Iterator[None]:
    """Hold the lock of a folder that is, or becomes, a run's; a folder of other things is refused."""
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is a file; a run needs a folder. Name a new one.")
    if folder.exists() and not (folder / manifests.NAME).exists():
        strangers = sorted(p.name for p in folder.iterdir() if p.name not in (LOCK, f".{manifests.NAME}.part"))
        if strangers:
            raise Refused(f"{folder} is no run and not empty ({strangers[0]!r} is in it). Name a new folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(error, folder) from error
    with locked(folder):
        if fresh:
            folders.remove(folder)
        yield


def _begin(manifest: dict[str, Any], questions: Sequence[Questions], folder: Path | None) -> tuple[Run, list[Job]]:
    """The run as it stands in its folder, new or begun earlier, and what has to be asked."""
    if folder is not None and (folder / manifests.NAME).exists():
        earlier = manifests.read(folder)
        manifests.check_same(folder, earlier, manifest)
        manifest = {"beside": {}, **earlier, "null_seed": manifest["null_seed"], "doxa": manifest["doxa"]}
    jobs, parts = [], []
    for entry, asked in zip(manifest["studies"], questions, strict=True):
        log = Log(folder / "readings" / entry["study"] if folder is not None else None, asked.n)
        jobs.append(Job(asked, log))
        parts.append(Part(entry, manifest["model"]["address"], log=log, folder=folder, study=asked.study))
    return Run(manifest, parts, folder), jobs


def _mark(made: Run, status: str, model: Model | None = None) -> None:
    """Note in the manifest how far the run is; results of earlier readings go before new readings come."""
    manifest = made.manifest
    running = status == "running"
    if running or manifest["finished"] is None:
        manifest["finished"] = None if running else manifests.now()
    manifest["status"] = status
    for entry, part in zip(manifest["studies"], made.parts, strict=True):
        entry |= {"counts": None, "usage": None} if running else {"counts": part.counted(), "usage": part.used()}
        entry["beside"] = None if running else part.log.index.beside
    manifest |= {"counts": None, "usage": None, "cost": None} if running else _totals(manifest["studies"], model)
    for address, entry in manifest["beside"].items():
        entry["usage"] = None if running else _sums([s["beside"].get(address, {}) for s in manifest["studies"]])
    if made.folder is None:
        return
    if running:
        folders.forget_results(made.folder)
    # A full disk is told by the error that ended the run; the manifest then goes on saying "running".
    with suppress(CannotWrite) if status == "stopped" else nullcontext():
        manifests.write(made.folder, manifest)


def _totals(entries: Sequence[Mapping[str, Any]], model: Model | None) -> dict[str, Any]:
    """Sums over the studies; the cost is null without a price, or when some replies came without token counts."""
    counts = {name: sum(entry["counts"][name] for entry in entries) for name in entries[0]["counts"]}
    usage = {
        name: sum(entry["usage"][name] for entry in entries) for name in ("calls", "from_store", *TOKENS, "retries")
    }
    price = model.price if model is not None else None
    cost = None if price is None or counts["uncounted"] else price.cost(*(usage[name] for name in TOKENS))
    return {"counts": counts, "usage": usage, "cost": cost}


def _sums(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {name: sum(one.get(name, 0) for one in counts) for name in ("calls", "from_store", *TOKENS, "uncounted")}


def _note(made: Run, address: str, model: Model) -> None:
    """Put a model beside the one that is asked into the manifest, before it is asked.

    raises  NotOpened: the run holds replies of another model of that address
    """
    there, here = made.manifest["beside"].get(address), manifests.model_entry(model)
    if there is not None and there["fingerprint"] != here["fingerprint"]:
        raise NotOpened(
            f"{made.folder} holds replies of {address!r} with fingerprint {there['fingerprint'][:16]}; now it has "
            f"{here['fingerprint'][:16]}, so it is another model or is reached otherwise. Choose another folder, or "
            "begin again in this one with fresh=True (--fresh), which removes its readings."
        )
    made.manifest["beside"][address] = {**here, "usage": None}
    if made.folder is not None:
        manifests.write(made.folder, made.manifest)


@dataclass(frozen=True)
class _How:
    """How the questions are asked; none of it changes a reading but the seed."""

    store: Path | None
    seed: int
    concurrency: int
    progress: bool | None
    close: bool


def _carry_out(jobs: Sequence[Job], model: Model, how: _How, made: Run) -> End:
    try:
        return carry_out(lambda: _ask(jobs, model, how, made))
    except KeyboardInterrupt:  # the second one: what was in flight is given up, what was acknowledged is on the disk
        return End(interrupted=True)


async def _ask(jobs: Sequence[Job], model: Model, how: _How, made: Run) -> End:
    """Carry out the jobs, one after another, until the last or until something ends the run."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(model.close if how.close else model.leave)
        stores = stack.enter_context(ExitStack())  # of one store, opened when a model first wants it

        @cache
        def store() -> Store:
            return stores.enter_context(closing(Store(how.store)))

        stored = Stored(model, store() if model.stored else None)
        beside = Beside(store, partial(_note, made))
        stack.push_async_callback(stored.close)
        stack.push_async_callback(beside.close)
        for job in jobs:
            done = int(job.log.index.done.sum())
            with Progress(job.questions.study.name, job.questions.n, done, how.progress) as shown:
                end = await collect(job, stored, beside, seed=how.seed, concurrency=how.concurrency, progress=shown)
            if end:
                return end
    return End()


def _raise(end: End, made: Run) -> None:
    """Raise what ended the run early, with how far it came and how to go on."""
    if not end:
        return
    done, items = made.manifest["counts"]["done"], made.manifest["counts"]["items"]
    kept = f"{done:,} of {items:,} items are done"
    if made.folder is not None:
        kept += f" and kept in {made.folder}; the same command goes on with the others"
    if end.error is None:
        raise Interrupted(f"Interrupted: {kept}.")
    if not isinstance(end.error, DoxaError):
        end.error.add_note(kept)
        raise end.error
    raise Stopped(f"{end.error}\n{kept[0].upper()}{kept[1:]}.") from end.error
