"""The card: what a model is, how it was made, what it was measured to do, and what it cannot."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Any

from ganzoo.errors import BundleError
from ganzoo.exporters.precision import precision_of
from ganzoo.files import write_file
from ganzoo.generator import PREVIEW_CLASSES
from ganzoo.spec import ROUNDING, ModelSpec

_STORED = {"fp16": "float16", "int8": "int8 with a scale for each output channel"}

SHARE = "share_of_"  # begins the figures that say how many samples are of a class

_TEMPLATE = Template("""\
---
${license_line}library_name: ganzoo
pipeline_tag: ${task}
tags:
- ${kind}
- ${architecture}
- onnx
- safetensors
---

# ${name}

${description}

![samples](samples.png)

${shown}

## Use

```python
import ganzoo

${use}
```

Without ganzoo or torch:

```python
import numpy as np, onnxruntime

session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
inputs = {
${inputs}
}
(images,) = session.run(["images"], inputs)  # (64, ${shape}), float32 in [-1, 1]
```

## Model

Architecture `${architecture}` with ${arguments}. ${makes}${rounding}

## Training

| | |
|---|---|
| data | ${source}: ${data_images} images, ${data_hash} |
| loss | ${loss} |
| optimizer | ${optimizer} |
| length | ${images_seen} images in batches of ${batch_size}, ${minutes} minutes |
| hardware | ${hardware}, precision ${precision} |
| seed | ${seed}, one run |
| weights | ${averaged}; ${which} |
| versions | ${versions} |

The whole recipe is `training/recipe.toml`, the log of the losses `training/log.jsonl`.

## Evaluation

${evaluation}

torch and onnxruntime differ by at most ${parity} on images in [-1, 1]
(batches ${parity_batches}, seeds ${parity_seeds})${other_parities}.

## Limits

It makes images like those it was trained on and no others.${copies}
Not every sample is a clean one. It is meant for learning and research.

## Licence

${license_text}
""")


def write_card(spec: ModelSpec, path: Path) -> None:
    """Write the card of an exported model.

    Raises:
        OutputError: it cannot be written.
    """
    write_file(path, render_card(spec))


def render_card(spec: ModelSpec) -> str:
    """Return a model's card, Markdown with the Hub's header; no figure in it but the config's."""
    try:
        return _TEMPLATE.substitute(_fields(spec, spec.provenance))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            f"the provenance of {spec.name!r} does not say all that a card states "
            f"({type(error).__name__}: {error}). Export a run that ganzoo trained."
        ) from error


def _fields(spec: ModelSpec, made: dict[str, Any]) -> dict[str, Any]:
    recipe, data, parity = made["recipe"], made["data"], made["parity"]
    licence, loss, halflife = data["license"], dict(recipe["loss"]), recipe["ema_halflife"]
    made_with = f"the loss {loss['name']} on {recipe['dataset']['name']}"
    return dict(
        name=spec.name,
        description=recipe["description"] or f"{spec.architecture} trained with {made_with}.",
        # Only an adversarial game has a critic's steps.
        kind="gan" if "encoder" not in spec.roles or "critic_steps" in loss else "autoencoder",
        architecture=spec.architecture,
        arguments=_switched_on(spec.arguments) or "no arguments",
        **_use(spec),
        shape=", ".join(map(str, spec.data.image.shape)),
        source=data["source"] or data["dataset"],
        data_images=f"{data['images']:,}",
        data_hash=_fingerprint(data["sha256"]),
        loss=f"`{loss.pop('name')}` {_switched_on(loss)}".strip(),
        optimizer=_optimizer(recipe),
        images_seen=f"{made['images_seen']:,}",
        batch_size=recipe["batch_size"],
        minutes=f"{made['seconds'] / 60:.1f}",
        hardware=made["hardware"],
        precision=recipe["precision"],
        seed=made["seed"],
        averaged=f"averaged over training, half-life {halflife:,} images"
        if halflife
        else "as trained, not averaged",
        which=_which(made),
        versions=", ".join(f"{k} {v}" for k, v in made["versions"].items()),
        copies="" if made.get("metrics") else " It has not been checked for copies of them.",
        evaluation=_evaluation(spec.name, made),
        parity=f"{parity['max_abs_error']:.1e}",
        other_parities=_other_parities(made),
        rounding=_rounding(made),
        parity_batches=" and ".join(map(str, parity["batches"])),
        parity_seeds=" and ".join(map(str, parity["seeds"])),
        license_line=f"license: {licence}\n" if licence else "",
        license_text=(
            f"The weights carry the licence of the data they were trained on: {licence}."
            if licence
            else "The training data states no licence; ask its owner before publishing."
        ),
    )


def _switched_on(arguments: dict[str, Any]) -> str:
    """Arguments, but for those that switch something off."""
    return ", ".join(f"{k} {v}" for k, v in arguments.items() if v not in (0, "none", [], ()))


def _optimizer(recipe: dict[str, Any]) -> str:
    """The optimizer, and what else decides how weights move."""
    o = recipe["optimizer"]
    parts = [o["name"]]
    if o["name"].startswith("adam"):
        parts.append(f"betas {o['betas']}")
    parts.append(f"lr {o['lr']:g}")
    if recipe["learning_rates"]:
        rates = recipe["learning_rates"].items()
        parts[-1] += f" but for {' and '.join(f'{player} {lr:g}' for player, lr in rates)}"
    if o["warmup"]:
        parts.append(f"rising over the first {o['warmup']:,} images")
    if o["decay_start"] < 1:
        parts.append(f"falling to {o['decay_to']:g} of it from {o['decay_start']:.0%} on")
    if o["clip_norm"]:
        parts.append(f"gradients clipped to norm {o['clip_norm']:g}")
    if recipe["initialisation"] != "own":
        parts.append(f"{recipe['initialisation']} initialisation")
    if recipe["spectral_norm"]:
        parts.append("spectral norm")
    return ", ".join(parts)


def _other_parities(made: dict[str, Any]) -> str:
    """Differences on the networks beside the generator."""
    return "".join(
        f"; on the outputs of the {key.removesuffix('_parity').replace('_', ' ')} at most "
        f"{figures['max_abs_error']:.1e}"
        for key, figures in made.items()
        if key.endswith("_parity")
    )


def _which(made: dict[str, Any]) -> str:
    if "best" not in made:
        return "the final ones, not the best"
    best = made["best"]
    which = "highest" if "highest" in best else "lowest"
    moments = "checkpoints" if "/" in best[which] else "evaluations"
    return (
        f"those at which, of all {moments}, `{best[which]}` was {which} in training, "
        f"{best['value']:.4g}"
    )


def _evaluation(name: str, made: dict[str, Any]) -> str:
    """Every evaluation as a table, with the protocol that its figures hold under."""
    if not made.get("metrics"):
        return "No quality metric has been computed for this model; judge it by the samples above."
    parts = []
    for each in made["metrics"]:
        figures, protocol = each["metrics"], each["protocol"]
        rows = [
            f"| {key.replace('_', ' ')} | {_figure(value)}{_error(figures, key)} |"
            for key, value in figures.items()
            if not key.endswith("_error") and not key.startswith(SHARE)
        ]
        shares = {
            k.removeprefix(SHARE): f"{x:.1%}" for k, x in figures.items() if k.startswith(SHARE)
        }
        if shares:
            rows.append(f"| shares of {', '.join(shares)} | {', '.join(shares.values())} |")
        dataset = dict(protocol["dataset"])
        what = " ".join([dataset.pop("name"), *(f"{k} {v}" for k, v in dataset.items())])
        versions = ", ".join(f"{k} {v}" for k, v in protocol["versions"].items())
        parts.append(
            "| | |\n|---|---|\n" + "\n".join(rows) + "\n\n"
            f"{protocol['samples']:,} samples of seed {protocol['seed']} against "
            f"{protocol['real_images']:,} images of {what} ({_fingerprint(protocol['sha256'])}), "
            f"by the features of `{protocol['extractor']}` "
            f"({_fingerprint(protocol['extractor_sha256'])}), resizing "
            f"{protocol.get('data_resized') or protocol['resizing']}; {_settings(protocol)}"
            f"runtime {protocol['runtime']} on {protocol['hardware']}; {versions}. One seed; "
            f"weights: {_which(made)}. Figures of another protocol are not comparable with "
            "these.\n\n"
            f"    {_command(made, name, protocol)}"
        )
    return "\n\n".join(parts)


def _settings(protocol: dict[str, Any]) -> str:
    """What single metrics were computed with, where that is not all samples and real images."""
    return "".join(f"{name}: {how}; " for name, how in protocol.get("settings", {}).items())


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.4g}"


def _error(figures: dict[str, float], key: str) -> str:
    """The standard error of a figure, where it has one."""
    error = figures.get(f"{key}_error")
    return "" if error is None else f" ± {error:.2g}"


def _command(made: dict[str, Any], name: str, protocol: dict[str, Any]) -> str:
    """What computes the figures again."""
    options = []
    if protocol["dataset"] != made["recipe"]["dataset"]:
        options.append(f"--dataset {protocol['dataset']['name']}")
        if "split" in protocol["dataset"]:
            options.append(f"--split {protocol['dataset']['split']}")
    if "data_resized" in protocol or "resized" in protocol["resizing"]:
        options.append("--resize")
    options += [f"--extractor {protocol['extractor']}", f"--samples {protocol['samples']}"]
    options += [f"--seed {protocol['seed']}", f"--runtime {protocol['runtime']}", "--data DIR"]
    return f"ganzoo evaluate ./{name} {' '.join(options)}"


def _rounding(made: dict[str, Any]) -> str:
    """What storing weights in fewer bits changed."""
    if ROUNDING not in made:
        return ""
    moved = ", of the ".join(
        f"{role.replace('_', ' ')} by at most {most:.1e}" for role, most in made[ROUNDING].items()
    )
    return (
        f"\nWeights are stored as {_STORED[precision_of(made)]} and computed with in float32; "
        "rounding them moved the "
        f"outputs of the {moved}."
    )


def _use(spec: ModelSpec) -> dict[str, str]:
    """What depends on what the generator reads."""
    load, size = f'model = ganzoo.load("./{spec.name}")', spec.data.image
    arrays, reads = [], []
    for name in spec.inputs:
        if name == "z" and spec.latent:
            noise = f"np.random.default_rng(0).standard_normal((64, {spec.latent.dim}))"
            arrays.append(f'"z": {noise}.astype(np.float32)')
            reads.append(f"{spec.latent.dim} numbers drawn from N(0, 1)")
        elif name == "y":
            arrays.append(f'"y": np.arange(64) % {spec.data.classes}')
            reads.append(f"the number of one of {spec.data.classes} classes")
        elif spec.data.condition:
            shape = ", ".join(map(str, spec.data.condition.shape))
            arrays.append(f'"source": np.zeros((64, {shape}), np.float32)')
            reads.append(f"an image of {spec.data.condition}")
    lines, shown, task = [load], "Images 0 to 63 of seed 0, uncurated.", "unconditional"
    if "source" in spec.inputs:
        task = "image-to-image"
        shown = "In turn: a row of sources, what the model makes of them, what they belong to."
        lines.append("model.translate(pictures)  # uint8 (n, height, width, channels)")
    elif "y" in spec.inputs:
        if spec.data.classes <= PREVIEW_CLASSES:
            shown = "A row of each class, a column of one latent, seed 0, uncurated."
        lines.append('model.sample(64, seed=0, label=1).save("grid.png")')
    else:
        lines.append('model.sample(64, seed=0).save("grid.png")')
    if spec.latent and spec.latent.dim == 2:
        shown += (
            "\n\n![plane of latents](manifold.png)\n\n"
            "The plane of latents, in steps that N(0, 1) makes equally likely."
        )
    if "encoder" in spec.roles:
        shown += (
            "\n\n![reconstructions](reconstructions.png)\n\n"
            "In turn: a row of the training data's first images, and of their reconstructions."
        )
        lines += [
            f'encoder = ganzoo.load("./{spec.name}", role="encoder")',
            f"encoder.encode(model.sample(64))  # float32 (64, {spec.latent and spec.latent.dim})",
        ]
    return {
        "task": task if task == "image-to-image" else f"{task}-image-generation",
        "shown": shown,
        "use": "\n".join(lines),
        "inputs": "\n".join(f"    {array}," for array in arrays),
        "makes": (
            f"From {' and '.join(reads)} it makes one image of {size} (height x width x channels)."
        ),
    }


def _fingerprint(data: str) -> str:
    """What is known of the data: a digest of all pixels, or of less where it was streamed."""
    what, _, digest = data.rpartition(":")
    return f"{'fingerprint of the stream' if what else 'SHA-256'} `{digest}`"
