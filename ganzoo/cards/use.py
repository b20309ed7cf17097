"""Example code of a card: with ganzoo, and with onnxruntime alone."""

from __future__ import annotations

import re
import shlex

from ganzoo.bundle import onnx_name
from ganzoo.cards.context import HERE, CardContext
from ganzoo.cards.tables import plain
from ganzoo.sampling.sizes import preview_count

IMAGE_FILE = "image.png"  # the reader's image file, which a translator reads
DISTRIBUTION = "torch-ganzoo"


def render(context: CardContext) -> str:
    """Return three lines of Python and one shell command that use the model."""
    spec, address = context.spec, context.place.address
    if "condition" in spec.inputs:
        command = f"translate {address} {IMAGE_FILE} -o translated.png"
        call = (
            f'model.translate(ganzoo.ImageBatch.open(["{IMAGE_FILE}"], model.condition))'
            '.save("translated.png")'
        )
    else:
        label = option = ""
        if "y" in spec.inputs:
            name = spec.data.class_names[min(1, spec.data.classes - 1)]
            label, option = f", label={_literal(name)}", f" --label {shlex.quote(name)}"
        n = preview_count(spec.data.image)
        command = f"sample {address} -n {n} --seed 0{option} -o grid.png"
        call = f'model.sample({n}, seed=0{label}).save("grid.png")'
    text = (
        f"{_installation(context)}\n\n"
        f'```python\nimport ganzoo\n\nmodel = ganzoo.load("{address}")\n{call}\n```\n\n'
        f"Or in a shell:\n\n```bash\nganzoo {command}\n```\n"
    )
    if "encoder" in spec.roles and spec.latent:
        text += (
            "\nThe encoder returns the latents of images:\n\n"
            "```python\nimport ganzoo\n\n"
            f'images = ganzoo.load("{address}").sample(4)\n'
            f'ganzoo.load("{address}", role="encoder").encode(images)  '
            f"# float32 (4, {spec.latent.dim})\n```\n"
        )
    return text


def render_onnxruntime(context: CardContext) -> str:
    """Return a few lines of Python that use onnxruntime without ganzoo and torch."""
    spec = context.spec
    if reason := spec.onnx_failure:
        return f"The model has no ONNX file, because the export failed: {plain(reason)}.\n"
    n = preview_count(spec.data.image)
    arrays = []
    for name in spec.inputs:
        if name == "z" and spec.latent:
            size = f"({n}, {spec.latent.dim})"
            noise = f'numpy.random.default_rng(0).standard_normal({size}, "float32")'
            arrays.append(f'"z": {noise}')
        elif name == "y":
            arrays.append(f'"y": numpy.arange({n}) % {spec.data.classes}')
        elif spec.data.condition:
            shape = ", ".join(map(str, spec.data.condition.shape))
            arrays.append(f'"condition": numpy.zeros(({n}, {shape}), "float32")')
    file = onnx_name("generator")
    quiet = ""
    if spec.styles:  # the session would warn of a tensor that no node reads
        quiet = "onnxruntime.set_default_logger_severity(3)  # w_average is for ganzoo alone\n"
    shape = ", ".join(map(str, spec.data.image.shape))
    return (
        f"{_introduction(context, file)}\n\n```python\n"
        f"import numpy, onnxruntime\n\n{quiet}"
        f'session = onnxruntime.InferenceSession("{file}", providers=["CPUExecutionProvider"])\n'
        f"inputs = {{{', '.join(arrays)}}}\n"
        f'(images,) = session.run(["images"], inputs)  # float32 ({n}, {shape}) in [-1, 1]\n'
        'pixels = ((images + 1) * 127.5).round().astype("uint8")\n```\n'
    )


def _literal(name: str) -> str:
    """Return a class as Python code: a number if its name is one."""
    return name if re.fullmatch(r"0|[1-9][0-9]{0,9}", name) else repr(name)


def _installation(context: CardContext) -> str:
    """Return how to install ganzoo and the plugins that the model requires."""
    plugins = [
        f"`{requirement}`"
        for requirement in context.spec.requires
        if not re.match(rf"{DISTRIBUTION}(?![A-Za-z0-9._-])", requirement)
    ]
    more = f", and the plugin {', '.join(plugins)}" if plugins else ""
    text = f"Install ganzoo from a clone of its repository: `pip install '.[train]'`{more}."
    return f"{text} Run the code in this card's folder." if context.place.address == HERE else text


def _introduction(context: CardContext, file: str) -> str:
    """Return how to get the file and where to run the code."""
    if command := context.place.download(file, "."):
        return f"Download the file with `{command}`. The code needs neither ganzoo nor torch:"
    return f"Run this in the folder of `{file}`. The code needs neither ganzoo nor torch:"
