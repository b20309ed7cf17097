"""Compare digits after equal training time: ganzoo's default recipe and common example loops.

python tools/bench_quality.py --data DIR [--minutes 1 2 5 10] [--loop script] [--output FOLDER]

For each duration both train from scratch at the same time, in separate processes with the same
number of threads, so that other load slows both. Only training time counts, not imports and
evaluation. The loop follows public example scripts: items transformed one by one with PIL and
batched by a DataLoader, Adam, `.item()` in every step, fp32. ganzoo trains the recipe with
--precision bf16.

script  the networks of PyTorch-GAN's DCGAN script: upsampling before 3x3 convolutions at 32x32, in
        batches of 64; the images are resized to 28x28 for the evaluation
paper   the networks, hyper-parameters and batches of the recipe dcgan-paper-mnist

ganzoo's learning rate decays at the end, so its number of images is fixed in advance, from the
speed of the first seconds. The evaluation is the same for all: the Fréchet distance of 10,000
samples to the training set, with lenet-mnist@1.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
import tyro
from bench_training import (
    StridedDiscriminator,
    UpsampleGenerator,
    adversarial_reference,
    cycle,
    plain_enlargement,
)
from matplotlib import pyplot
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import MNIST

from ganzoo.nn import DiscriminatorOutput
from ganzoo.registry import find_recipe
from ganzoo.spec import Recipe
from ganzoo.system.machine import describe_hardware
from ganzoo.training import Prepared, prepare
from ganzoo.training.loop import run_ticks
from ganzoo.training.snapshot import InTraining

Loop = Literal["script", "paper"]
Side = Literal["loop", "ours"]
PACE = 10.0  # seconds to measure the speed of ganzoo


def script() -> tuple[nn.Module, nn.Module, int, int]:
    """Return generator, discriminator, side in pixels and batch size of the script."""
    networks = UpsampleGenerator(plain_enlargement), StridedDiscriminator()
    for module in (m for network in networks for m in network.modules()):
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return *networks, 32, 64


def paper(prepared: Prepared) -> tuple[nn.Module, nn.Module, int, int]:
    """Return generator, discriminator, side in pixels and batch size of the recipe."""
    nets, side = prepared.state.nets, prepared.data.image.height
    scoring = nn.Sequential(nets["discriminator"], Score())
    return nets["generator"], scoring, side, prepared.recipe.batch_size


def train_loop(which: Loop, data: Path, seconds: float, seed: int) -> tuple[float, int]:
    """Train an example loop; return the distance and the images seen."""
    prepared = prepare(measured(find_recipe("dcgan-paper-mnist"), seed), data=data)
    generator, discriminator, side, batch_size = script() if which == "script" else paper(prepared)
    to_tensor = transforms.Compose(
        [transforms.Resize(side), transforms.ToTensor(), transforms.Normalize([0.5], [0.5])]
    )
    images = MNIST(data, transform=to_tensor)
    loader = DataLoader(images, batch_size, shuffle=True, drop_last=True)
    steps = adversarial_reference(generator, discriminator, cycle(loader))
    count, ends = 0, time.perf_counter() + seconds
    while time.perf_counter() < ends:
        count += next(steps)[0]
    return distance(prepared, nn.Sequential(generator, transforms.Resize(28)).eval()), count


class Score(nn.Module):
    """Return the logits of a discriminator's output."""

    def forward(self, output):
        return output.logits if isinstance(output, DiscriminatorOutput) else output


def train_ours(recipe: str, data: Path, seconds: float, seed: int) -> tuple[float, int]:
    """Train the recipe on the number of images that fits the time."""
    whole = measured(replace(find_recipe(recipe), precision="bf16"), seed)
    count, took = play(prepare(whole, data=data), PACE)
    images = int(count / took * seconds)
    prepared = prepare(replace(whole, images=images), data=data)
    count, _ = play(prepared, seconds)
    return distance(prepared, prepared.state.ema.networks["generator"]), count


def measured(recipe: Recipe, seed: int) -> Recipe:
    """Return the recipe with a seed and an evaluator that is not called during the training."""
    return replace(recipe, seed=seed, evaluate_every=recipe.images)


def distance(prepared: Prepared, network: nn.Module) -> float:
    """Return the Fréchet distance of a generator's samples to the training set."""
    generator = InTraining(prepared.spec(), network, prepared.state.device)
    return prepared.evaluator(generator).metrics["frechet_distance"]


def play(prepared, seconds: float) -> tuple[int, float]:
    """Train for a number of seconds; return images seen and elapsed seconds."""
    began = time.perf_counter()
    run_ticks(
        prepared.state,
        prepared.batches,
        log_term=lambda *a: None,
        log_metric=lambda *a: None,
        report=lambda: time.perf_counter() - began < seconds,
    )
    return prepared.state.images_seen, time.perf_counter() - began


def main(
    data: Path,
    minutes: tuple[float, ...] = (1, 2, 5, 10),
    loop: Loop = "script",
    recipe: str = "dcgan-mnist",
    threads: int = 1,
    seed: int = 0,
    output: Path = Path("quality"),
    side: Side | None = None,
) -> None:
    """Compare an example loop and a recipe of ganzoo after equal training time.

    Args:
        data: folder of MNIST.
        minutes: training times.
        loop: example loop.
        recipe: recipe of ganzoo.
        threads: threads of each process.
        seed: seed of both trainings.
        output: folder for quality.json and quality.png.
        side: train only this side, and print its result.
    """
    if side:
        train = partial(train_loop, loop) if side == "loop" else partial(train_ours, recipe)
        value, count = train(data, 60 * minutes[0], seed)
        print(json.dumps({"images": count, "distance": value}))
        return
    about: dict[str, Any] = {
        "hardware": describe_hardware(torch.device("cpu")).partition(", ")[0],
        "threads": threads,
        "loop": loop,
        "recipe": recipe,
        "seed": seed,
    }
    output.mkdir(parents=True, exist_ok=True)
    lines = []
    for length in minutes:
        command = [sys.executable, __file__, "--data", str(data), "--loop", loop]
        command += ["--recipe", recipe, "--seed", str(seed), "--minutes", str(length), "--side"]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        sides: dict[str, subprocess.Popen[str]] = {
            side: subprocess.Popen([*command, side], env=environment, stdout=-1, text=True)
            for side in ("loop", "ours")
        }
        results = {side: json.loads(p.communicate()[0]) for side, p in sides.items()}
        lines.append({"minutes": length, **results})
        a, b = results["loop"], results["ours"]
        print(
            f"{length:g} min: {loop} {a['distance']:.4g} after {a['images']:,} images, "
            f"ganzoo {b['distance']:.4g} after {b['images']:,} images: "
            f"{b['distance'] / a['distance']:.1%}",
            flush=True,
        )
        (output / "quality.json").write_text(json.dumps(about | {"lines": lines}, indent=1))
    draw(about, lines, output / "quality.png")


def draw(about: dict[str, Any], lines: list[dict[str, Any]], file: Path) -> None:
    """Plot both distances over minutes."""
    minutes = [line["minutes"] for line in lines]
    labels = {"loop": f"plain loop ({about['loop']})", "ours": f"ganzoo ({about['recipe']})"}
    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for side, label in labels.items():
        axes.loglog(minutes, [line[side]["distance"] for line in lines], "o-", label=label)
    axes.set_xticks(minutes, [f"{length:g}" for length in minutes], minor=False)
    axes.set_xticks([], minor=True)
    axes.set_xlabel(f"minutes, on {about['hardware']}; threads of each: {about['threads']}")
    axes.set_ylabel("Fréchet distance, lenet-mnist@1")
    axes.legend()
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    tyro.cli(main, config=(tyro.conf.FlagCreatePairsOff,))
