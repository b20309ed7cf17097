"""The card: what a model is, how it was made, what it was measured to do, and what it cannot."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Any

from ganzoo.errors import BundleError
from ganzoo.files import write_file
from ganzoo.spec import ModelSpec

_TEMPLATE = Template("""\
---
${license_line}library_name: ganzoo
pipeline_tag: unconditional-image-generation
tags:
- gan
- ${architecture}
- onnx
- safetensors
---

# ${name}

${description}

![samples](samples.png)

Images 0 to 63 of seed 0, uncurated.

## Use

```python
import ganzoo

ganzoo.load("./${name}").sample(64, seed=0).save("grid.png")
```

Without ganzoo or torch:

```python
import numpy as np, onnxruntime

session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
z = np.random.default_rng(0).standard_normal((64, ${latent_dim}), dtype=np.float32)
(images,) = session.run(["images"], {"z": z})  # (64, ${shape}), float32 in [-1, 1]
```

## Model

Architecture `${architecture}` with ${arguments}. From ${latent_dim} numbers drawn from N(0, 1) it
makes one image of ${size} (height x width x channels).

## Training

| | |
|---|---|
| data | ${source}: ${data_images} images, SHA-256 `${data_hash}` |
| loss | ${loss} |
| optimizer | ${optimizer} |
| length | ${images_seen} images in batches of ${batch_size}, ${minutes} minutes |
| hardware | ${hardware}, precision ${precision} |
| seed | ${seed}, one run |
| weights | averaged over training, half-life ${halflife} images; the final ones, not the best |
| versions | ${versions} |

The whole recipe is `training/recipe.toml`, the log of the losses `training/log.jsonl`.

## Evaluation

No quality metric has been computed for this model; judge it by the samples above.
torch and onnxruntime differ by at most ${parity} on images in [-1, 1]
(batches ${parity_batches}, seeds ${parity_seeds}).

## Limits

It makes images like those it was trained on and no others, and has not been checked for copies of
training images. Not every sample is a clean one. It is meant for learning and research.

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
    licence, optimizer = data["license"], recipe["optimizer"]
    loss = dict(recipe["loss"])
    made_with = f"the loss {loss['name']} on {recipe['dataset']['name']}"
    decay = (
        f", falling to {optimizer['decay_to']:g} of it from {optimizer['decay_start']:.0%} on"
        if optimizer["decay_start"] < 1
        else ""
    )
    return dict(
        name=spec.name,
        description=recipe["description"] or f"{spec.architecture} trained with {made_with}.",
        architecture=spec.architecture,
        arguments=", ".join(f"{k} {v}" for k, v in spec.arguments.items()) or "no arguments",
        latent_dim=spec.latent.dim,
        size=spec.data.image,
        shape=", ".join(map(str, spec.data.image.shape)),
        source=data["source"] or data["dataset"],
        data_images=f"{data['images']:,}",
        data_hash=data["sha256"],
        loss=f"`{loss.pop('name')}` " + ", ".join(f"{k} {v}" for k, v in loss.items()),
        optimizer=f"{optimizer['name']}, betas {optimizer['betas']}, lr {optimizer['lr']:g}{decay}",
        images_seen=f"{made['images_seen']:,}",
        batch_size=recipe["batch_size"],
        minutes=f"{made['seconds'] / 60:.1f}",
        hardware=made["hardware"],
        precision=recipe["precision"],
        seed=made["seed"],
        halflife=f"{recipe['ema_halflife']:,}",
        versions=", ".join(f"{k} {v}" for k, v in made["versions"].items()),
        parity=f"{parity['max_abs_error']:.1e}",
        parity_batches=" and ".join(map(str, parity["batches"])),
        parity_seeds=" and ".join(map(str, parity["seeds"])),
        license_line=f"license: {licence}\n" if licence else "",
        license_text=(
            f"The weights carry the licence of the data they were trained on: {licence}."
            if licence
            else "The training data states no licence; ask its owner before publishing."
        ),
    )
