"""How the model is used: with ganzoo, and with onnxruntime alone."""

from __future__ import annotations

from ganzoo.bundle import onnx_name
from ganzoo.cards.context import CardContext
from ganzoo.sampling.generator import PREVIEW

PICTURE = "picture.png"  # a reader's own, that a translator reads


def render(context: CardContext) -> str:
    """Return the model's use in three lines of Python, and in one of a shell."""
    spec, address = context.spec, context.place.address
    if "condition" in spec.inputs:
        command = f"translate {address} {PICTURE} -o translated.png"
        call = (
            f'model.translate(ganzoo.ImageBatch.open(["{PICTURE}"], model.condition))'
            '.save("translated.png")'
        )
    else:
        label, option = (", label=1", " --label 1") if "y" in spec.inputs else ("", "")
        command = f"sample {address} -n {PREVIEW} --seed 0{option} -o grid.png"
        call = f'model.sample({PREVIEW}, seed=0{label}).save("grid.png")'
    text = (
        f'```python\nimport ganzoo\n\nmodel = ganzoo.load("{address}")\n{call}\n```\n\n'
        f"Or in a shell:\n\n```bash\nganzoo {command}\n```\n"
    )
    if "encoder" in spec.roles and spec.latent:
        text += (
            "\nIts encoder finds the latents of images:\n\n"
            "```python\nimport ganzoo\n\n"
            f'images = ganzoo.load("{address}").sample(4)\n'
            f'ganzoo.load("{address}", role="encoder").encode(images)  '
            f"# float32 (4, {spec.latent.dim})\n```\n"
        )
    return text


def render_onnxruntime(context: CardContext) -> str:
    """Return five lines that need neither ganzoo nor torch."""
    spec, n = context.spec, PREVIEW
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
    shape = ", ".join(map(str, spec.data.image.shape))
    return (
        f"{_where(context, file)}\n\n```python\n"
        "import numpy, onnxruntime\n\n"
        f'session = onnxruntime.InferenceSession("{file}", providers=["CPUExecutionProvider"])\n'
        f"inputs = {{{', '.join(arrays)}}}\n"
        f'(images,) = session.run(["images"], inputs)  # float32 ({n}, {shape}) in [-1, 1]\n'
        'pixels = ((images + 1) * 127.5).round().astype("uint8")\n```\n'
    )


def _where(context: CardContext, file: str) -> str:
    """Say how a reader comes by the file."""
    if fetch := context.place.download(file, "."):
        return f"`{fetch}` fetches the file; it needs neither ganzoo nor torch:"
    return f"Beside `{file}`, with neither ganzoo nor torch:"
