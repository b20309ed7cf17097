"""How good digits are after equal minutes: our default recipe beside the loop that people copy.

python tools/bench_quality.py --data DIR [--minutes 1 2 5 10] [--output FOLDER]

For every length both train from scratch at the same time, each in a process of its own with as many
threads, so that whatever else the machine does slows both. The clock runs while they train; imports
and measuring are not counted. The loop is a plain one as public example scripts have it, with the
networks and hyper-parameters of the recipe dcgan-paper-mnist: items transformed one by one by PIL
and gathered by a DataLoader, plain Adam, `.item()` every step, fp32. Ours is told beforehand how
many images it will see, by the pace of its first seconds, since its learning rate falls at the end.
Both are measured alike: 10,000 samples, the Fréchet distance to the training set by lenet-mnist@1.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
import tyro
from bench_training import adversarial_reference, cycle
from matplotlib import pyplot
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import MNIST

from ganzoo.machine import describe_hardware
from ganzoo.nn import Judgement
from ganzoo.registry import find_recipe
from ganzoo.spec import Recipe
from ganzoo.training import Prepared, prepare
from ganzoo.training.loop import run_ticks
from ganzoo.training.snapshot import InTraining

Side = Literal["loop", "ours"]
PACE = 10.0  # seconds by which ours learns how fast it is


def loop(data: Path, seconds: float) -> tuple[float, int]:
    """Train the plain loop; return its distance and the images it saw."""
    prepared = prepare(measured(find_recipe("dcgan-paper-mnist")), data=data)  # for its networks
    nets = prepared.state.nets
    to_tensor = transforms.Compose(
        [transforms.Resize(28), transforms.ToTensor(), transforms.Normalize([0.5], [0.5])]
    )
    loader = DataLoader(MNIST(data, transform=to_tensor), 50, shuffle=True, drop_last=True)
    judge = torch.nn.Sequential(nets["discriminator"], Score())
    steps = adversarial_reference(nets["generator"], judge, cycle(loader))
    seen, ends = 0, time.perf_counter() + seconds
    while time.perf_counter() < ends:
        seen += next(steps)[0]
    return distance(prepared, nets["generator"].eval()), seen


class Score(torch.nn.Module):
    """The number that a discriminator's judgement holds."""

    def forward(self, judgement):
        return judgement.logits if isinstance(judgement, Judgement) else judgement


def ours(recipe: str, data: Path, seconds: float) -> tuple[float, int]:
    """Train the recipe, as long as it takes to see the images that fit."""
    whole = measured(replace(find_recipe(recipe), precision="bf16"))
    seen, took = play(prepare(whole, data=data), PACE)
    images = int(seen / took * seconds)
    prepared = prepare(replace(whole, images=images), data=data)
    seen, _ = play(prepared, seconds)
    return distance(prepared, prepared.state.ema.networks["generator"]), seen


def measured(recipe: Recipe) -> Recipe:
    """The recipe with an evaluator, which is not called while it trains."""
    return replace(recipe, evaluate_every=recipe.images)


def distance(prepared: Prepared, network: torch.nn.Module) -> float:
    """The Fréchet distance of a generator's samples to the training set."""
    made = InTraining(prepared.spec(), network, prepared.state.device)
    return prepared.evaluator(made).metrics["frechet_distance"]


def play(prepared, seconds: float) -> tuple[int, float]:
    """Train at most so long; return images seen and seconds."""
    began = time.perf_counter()
    run_ticks(
        prepared.state,
        prepared.batches,
        record=lambda *a: None,
        watch=lambda *a: None,
        report=lambda: time.perf_counter() - began < seconds,
    )
    return prepared.state.images_seen, time.perf_counter() - began


def worker(side: Side, recipe: str, data: Path, minutes: float, seed: int) -> None:
    """Train one side and print its figure."""
    torch.manual_seed(seed)
    seconds = 60 * minutes
    value, seen = loop(data, seconds) if side == "loop" else ours(recipe, data, seconds)
    print(json.dumps({"images": seen, "distance": value}))


def main(
    data: Path,
    minutes: tuple[float, ...] = (1, 2, 5, 10),
    recipe: str = "dcgan-mnist",
    threads: int = 1,
    seed: int = 0,
    output: Path = Path("quality"),
    side: Side | None = None,
) -> None:
    """Compare them.

    Args:
        data: the folder with MNIST.
        minutes: for how long each trains.
        recipe: ours.
        threads: of each process.
        seed: of both.
        output: folder for quality.json and quality.png.
        side: train this one alone, and print its figure.
    """
    if side:
        worker(side, recipe, data, minutes[0], seed)
        return
    lines = []
    for length in minutes:
        command = [sys.executable, __file__, "--data", str(data), "--recipe", recipe]
        command += ["--seed", str(seed), "--minutes", str(length), "--side"]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        sides: dict[str, subprocess.Popen[str]] = {
            side: subprocess.Popen([*command, side], env=environment, stdout=-1, text=True)
            for side in ("loop", "ours")
        }
        found = {side: json.loads(p.communicate()[0]) for side, p in sides.items()}
        lines.append({"minutes": length, **found})
        a, b = found["loop"], found["ours"]
        print(
            f"{length:g} min: loop {a['distance']:.4g} after {a['images']:,} images, "
            f"ours {b['distance']:.4g} after {b['images']:,}: {b['distance'] / a['distance']:.1%}",
            flush=True,
        )
    output.mkdir(parents=True, exist_ok=True)
    about = {"hardware": describe_hardware(torch.device("cpu")), "threads": threads, "seed": seed}
    (output / "quality.json").write_text(json.dumps(about | {"lines": lines}, indent=1))
    for side in ("loop", "ours"):
        pyplot.loglog(minutes, [line[side]["distance"] for line in lines], "o-", label=side)
    pyplot.xlabel(f"minutes, {threads} thread each, {about['hardware']}")
    pyplot.ylabel("Fréchet distance, lenet-mnist@1, 10,000 samples")
    pyplot.legend()
    pyplot.savefig(output / "quality.png", dpi=120)


if __name__ == "__main__":
    tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
