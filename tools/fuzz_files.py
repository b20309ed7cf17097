"""Fuzz the files that people exchange: python tools/fuzz_files.py {recipe,checkpoint,card}

A case mutates one file, by bytes or by structure, and runs what reads it: a recipe is built, a run
is resumed from a checkpoint, a card is checked, updated and shown. The case passes if this works or
raises a GanzooError of one line. Anything else is a finding: another exception, or more than
`TIMEOUT` seconds of processor time. A finding is stored in a folder with its file and a
description. A case depends only on the seed and its number: repeat one with --first K --cases 1.
"""

import contextlib
import io
import json
import logging
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tomli_w
import torch
import tyro
import yaml
from fuzz_bundle import NUMBERS, TEXTS, join, mutate_bytes, mutate_json, split

import ganzoo
from ganzoo import cards, exporters
from ganzoo.bundle import CARD, CHECKSUMS, CONFIG, open_bundle
from ganzoo.bundle.files import sha256
from ganzoo.bundle.folder import format_checksums, read_checksums
from ganzoo.bundle.summary import read_summary
from ganzoo.cli.info import info
from ganzoo.demo.cards import card as demo_card
from ganzoo.demo.gallery import write_gallery
from ganzoo.errors import GanzooError
from ganzoo.hub.card import check_card
from ganzoo.spec import Component, DataSpec, ImageSpec, ModelSpec, Recipe
from ganzoo.testing.noise import noise
from ganzoo.training.run import prepare

TIMEOUT = 20  # seconds of processor time per case
LONGEST = 4_000  # characters of an error message
ADDRESSES = 2**32  # bytes of additional virtual memory: a larger network is refused by the system
DATA = DataSpec(ImageSpec(8, 8, 1))

Random = random.Random


EVALUATION: dict[str, Any] = {
    "metrics": {"frechet_distance": 1.5},
    "protocol": {
        **{"dataset": {"name": "digits"}, "sha256": "0" * 64, "samples": 10, "real_images": 10},
        **{"extractor": "pixels", "extractor_sha256": "0" * 64, "resizing": "none", "seed": 0},
        **{"versions": {"torch": "2"}, "runtime": "torch", "hardware": "CPU", "settings": {}},
    },
}


class Hang(BaseException):
    """A case took more than `TIMEOUT` seconds."""


@dataclass(frozen=True)
class Target:
    """A kind of file.

    Attributes:
        prepare: writes a valid file to a folder, and returns its path.
        mutate: changes a file's content.
        run: runs what reads the file at a path; raises what it raises.
    """

    prepare: Callable[[Path], Path]
    mutate: Callable[[Random, bytes], bytes]
    run: Callable[[Path], None]


def tiny() -> Recipe:
    return Recipe(
        name="fuzzed",
        architecture=Component("mlp", {"latent_dim": 2, "width": 4}),
        loss=Component("nonsaturating"),
        dataset=Component("noise-for-checks"),
        images=16,
        batch_size=4,
        log_every=8,
        sample_every=0,
        checkpoint_every=8,
        keep_checkpoints=1,
    )


# Recipes.


def prepare_recipe(folder: Path) -> Path:
    (folder / "recipe.toml").write_text(prepare(tiny(), device="cpu").recipe.to_toml())
    return folder / "recipe.toml"


def mutate_recipe(r: Random, content: bytes) -> bytes:
    match r.randrange(4):
        case 0:
            return mutate_bytes(r, content)
        case 1:
            depth = r.choice([2, 100, 5_000, 200_000])
            opening, closing = r.choice([("[", "]"), ("{a = ", "}")])
            return content + f"\nx = {opening * depth}{closing * depth}\n".encode()
        case _:
            table = mutate_json(r, tomllib.loads(content.decode()))
            with contextlib.suppress(TypeError, ValueError, RecursionError):  # TOML has no null
                return tomli_w.dumps(table).encode(errors="surrogatepass")  # type: ignore[arg-type]
            return mutate_bytes(r, content)


def run_recipe(file: Path) -> None:
    recipe = Recipe.from_toml(file)
    assert Recipe.from_text(recipe.to_toml()).to_toml() == recipe.to_toml()  # NaN is not NaN
    prepared = prepare(recipe, device="cpu")
    next(prepared.batches)


# Checkpoints.


def prepare_checkpoint(folder: Path) -> Path:
    run = ganzoo.train(tiny(), out=folder / "run", device="cpu", progress=False, tensorboard="off")
    return next((run.path / "checkpoints").iterdir())


def mutate_checkpoint(r: Random, content: bytes) -> bytes:
    if r.random() < 0.2:
        return mutate_bytes(r, content)
    header, data = split(content)
    state = json.loads(header["__metadata__"]["ganzoo.state"])  # type: ignore[arg-type]
    match r.randrange(4):
        case 0:
            return join(mutate_json(r, header), data)
        case 1:
            fields = dict(state["pairs"])
            name = r.choice(list(fields))
            fields[name] = mutate_json(r, {"value": fields[name]})
            if isinstance(fields[name], dict):
                fields[name] = fields[name].get("value")
            state["pairs"] = [[key, value] for key, value in fields.items()]
            header["__metadata__"]["ganzoo.state"] = json.dumps(state)
        case 2:
            names = [name for name in header if name != "__metadata__"]
            one, other = r.choice(names), r.choice(names)
            header[one], header[other] = header[other], header[one]
        case 3:
            header["__metadata__"]["ganzoo.state"] = json.dumps(mutate_json(r, state))
    return join(header, data)


def run_checkpoint(file: Path) -> None:
    run = file.parent.parent
    try:
        ganzoo.resume(run, device="cpu", progress=False, tensorboard="off", monitors="off")
    finally:
        shutil.rmtree(run / "checkpoints")
        (run / "checkpoints").mkdir()


# Cards: the README, and the provenance that its blocks show.


def prepare_card(folder: Path) -> Path:
    run = ganzoo.train(tiny(), out=folder / "run", device="cpu", progress=False, tensorboard="off")
    return ganzoo.export(run.path, figures=False) / CARD


def mutate_card(r: Random, content: bytes) -> bytes:
    """Return a card, a NUL character, and JSON that replaces a part of the provenance."""
    if r.random() < 0.4:
        return content + b"\0" + str(r.randrange(10**9)).encode()
    match r.randrange(4):
        case 0:
            return mutate_bytes(r, content)
        case 1:
            return content.replace(b"\n", r.choice([b"\r\n", b"\0", b"\xff\n", b"\n> " * 3000]))
        case 2:
            header, body = cards.split_header(content.decode())
            depth = r.choice([1, 100, 2_000])
            nested = "license: " + "[" * depth + "]" * depth
            texts = ["license: {a: b}", "? [a]\n: b", "&a [*a]", "<<: 1", "- 1", nested]
            texts += ["license: !!python/object:os.system x", "a: &a [x]\nb: [*a, *a]"]
            text = r.choice(texts)
            return f"---\n{text}\n---\n{body}".encode()
        case _:
            header, body = cards.split_header(content.decode())
            fields = mutate_json(r, yaml.safe_load(header.strip("-\n")))
            return f"---\n{yaml.safe_dump(fields)}---\n{body}".encode(errors="surrogatepass")


def run_card(file: Path) -> None:
    folder = file.parent
    text, _, seed = file.read_bytes().partition(b"\0")
    if seed.isdigit():  # a mutation of the provenance instead of the card
        file.write_bytes(text)
        change_provenance(folder, random.Random(int(seed)))
    sums = {name: sha256(folder / name) for name in read_checksums(folder)}
    (folder / CHECKSUMS).write_text(format_checksums(sums))
    bundle = open_bundle(folder)
    steps: list[Callable[[], object]] = [
        lambda: cards.check(folder),
        lambda: write_gallery([folder], folder.parent / "page.html"),
        lambda: demo_card(str(folder), bundle),
        lambda: check_card(cards.read(folder) or ""),
        lambda: [getattr(read_summary(bundle), name) for name in ("description", "distance")],
        lambda: info(str(folder)),
        lambda: exporters.record(bundle, EVALUATION),
        lambda: cards.write(folder),
    ]
    errors = []
    for step in steps:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                step()
        except GanzooError as error:
            errors.append(error)
    if errors:
        raise max(errors, key=lambda error: (len(str(error).splitlines()), len(str(error))))


def change_provenance(folder: Path, r: Random) -> None:
    config = json.loads((folder / CONFIG).read_text())
    value = r.choice([1.5, 10**400, *NUMBERS])
    config["provenance"]["metrics"] = [EVALUATION | {"metrics": {"frechet_distance": value}}]
    config["provenance"] = mutate_json(r, config["provenance"])
    if r.random() < 0.2:
        config["data"]["license"] = r.choice(TEXTS)
    text = json.dumps(config)
    ModelSpec.from_json(text)  # other configs are fuzz_bundle's
    (folder / CONFIG).write_text(text)


TARGETS = {
    "recipe": Target(prepare_recipe, mutate_recipe, run_recipe),
    "checkpoint": Target(prepare_checkpoint, mutate_checkpoint, run_checkpoint),
    "card": Target(prepare_card, mutate_card, run_card),
}


def check(target: Target, file: Path) -> str:
    """Run what reads a file; return a finding or nothing."""
    signal.setitimer(signal.ITIMER_PROF, TIMEOUT)
    try:
        target.run(file)
    except GanzooError as error:
        text = str(error)
        if "\n" in text or not 1 <= len(text) <= LONGEST:
            return f"the error message is not one line: {text[:LONGEST]!r}"
    except Hang:
        return f"took more than {TIMEOUT} seconds of processor time\n{traceback.format_exc()}"
    except Exception:  # noqa: BLE001 - any other exception is a finding
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ""


def mutation(target: Target, content: bytes, seed: int, case: int) -> bytes:
    """Return the mutated file of a case."""
    r = random.Random(f"{seed} {case}")
    with contextlib.suppress(RecursionError):  # from the mutations of JSON
        return target.mutate(r, content)
    return content


def hunt(
    kind: str, out: Path, *, seconds: float, seed: int = 0, first: int = 0, cases: int = sys.maxsize
) -> tuple[int, int]:
    """Run cases for some time; return the number of cases and of findings."""

    def expire(*_: object) -> None:
        raise Hang

    target, findings, case = TARGETS[kind], 0, first
    signal.signal(signal.SIGPROF, expire)
    with tempfile.TemporaryDirectory() as scratch, noise(DATA), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        valid = Path(scratch, "valid")
        valid.mkdir()
        file = target.prepare(valid)
        content, name = file.read_bytes(), file.relative_to(scratch)
        end = time.monotonic() + seconds
        while case < first + cases and time.monotonic() < end:
            changed = mutation(target, content, seed, case)
            copy = Path(shutil.copytree(valid, Path(scratch, "case", "valid")))
            (copy.parent / name).write_bytes(changed)
            if finding := check(target, copy.parent / name):
                findings += 1
                folder = out / kind / str(case)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name.name).write_bytes(changed)
                (folder / "what.txt").write_text(finding, errors="replace")
                print(f"case {case}: {finding.strip().splitlines()[-1][:200]}", flush=True)
            shutil.rmtree(copy.parent)
            case += 1
    return case - first, findings


def main(
    kind: Literal["recipe", "checkpoint", "card"],
    /,
    seconds: float = 60,
    seed: int = 0,
    first: int = 0,
    cases: int = sys.maxsize,
    out: Path = Path("findings"),
) -> None:
    """Run cases of one kind of file, and exit with status 1 if there are findings.

    Args:
        kind: kind of file.
        seconds: time to run.
        seed: seed of all cases.
        first: number of the first case.
        cases: largest number of cases.
        out: folder for the findings, one sub-folder each.
    """
    torch.set_num_threads(1)
    logging.disable()
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ADDRESSES, size + ADDRESSES))
    os.environ["GANZOO_CACHE"] = tempfile.mkdtemp()
    count, findings = hunt(kind, out, seconds=seconds, seed=seed, first=first, cases=cases)
    print(f"{count:,} cases of {kind}, seed {seed}: {findings or 'no'} findings")
    sys.exit(bool(findings))


if __name__ == "__main__":
    tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
