"""Export a bundle as a static page that runs its network in the browser with onnxruntime-web.

The page's own files are in `page/`. They read the model's description from model.json. A generator
has one page, and a translator of images of any size another. The network is one file, or two for a
generator with a mapping network, so that the page can change w.
"""

from __future__ import annotations

import json
import math
import shlex
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

from ganzoo.bundle import Bundle
from ganzoo.bundle.files import new_folder
from ganzoo.errors import DeploymentError, OutputError, printable
from ganzoo.exporters.targets.onnxruntime_web import CDN, FILE_INTEGRITY, SCRIPT, WASM, fetch_files
from ganzoo.exporters.targets.target import TargetFiles
from ganzoo.runtimes.onnx import OnnxGenerator, load_onnx
from ganzoo.runtimes.onnx_file import read_onnx
from ganzoo.runtimes.onnx_parts import cut
from ganzoo.runtimes.signature import MAPPING, SYNTHESIS, signature
from ganzoo.sampling.directions import Directions
from ganzoo.sampling.sizes import (
    compute_batch,
    is_large,
    legible_scale,
)
from ganzoo.sampling.styles import layer_groups
from ganzoo.sampling.tiles import Tiles, choose_shown_side
from ganzoo.spec import IMPORTED, ImageSpec, ModelSpec

INDEX = "index.html"
SHARED = ("style.css", "runtime.js", "saving.js")
PAGE = (  # of a generator
    INDEX,
    *SHARED,
    *("page.js", "controls.js", "download.js"),
    *("generator.js", "latents.js", "codes.js"),
    *("samples.js", "interpolation.js", "mixing.js", "directions.js"),
)
UPSCALER = "upscaler.html"  # the index of the page of a translator
UPSCALER_PAGE = (UPSCALER, *SHARED, "upscaler.js", "tiles.js", "comparison.js")
SPEC = "model.json"
MODEL = "model.onnx"
PARTS = {MAPPING: "mapping.onnx", SYNTHESIS: "synthesis.onnx"}
RUNTIME = "onnxruntime-web"  # folder of the runtime's files

SAMPLES = 64  # images of the page's grid
FEWER_SAMPLES = 16  # images of the grid for images of more than 64 pixels
FEWEST_SAMPLES = 4  # for large images, which take seconds each in a browser
TINY = 64  # pixels
SLIDERS = 8  # directions on the page, at most


def web(bundle: Bundle, out: Path, *, directions: Path | None = None) -> TargetFiles:
    """Write a static page that runs a generator in the browser, with all files that it needs."""
    return _serve(write_web(bundle, out, directions=directions))


def web_cdn(bundle: Bundle, out: Path, *, directions: Path | None = None) -> TargetFiles:
    """Write a static page that loads onnxruntime-web from a content delivery network."""
    return _serve(write_web(bundle, out, cdn=True, directions=directions))


def _serve(folder: Path) -> TargetFiles:
    return TargetFiles([folder], f"python -m http.server -d {shlex.quote(str(folder))}")


def write_web(
    bundle: Bundle, out: Path, *, cdn: bool = False, directions: str | Path | None = None
) -> Path:
    """Write a page that runs a model in the browser, with the same images as in Python.

    The page of a generator draws samples. That of a translator of any size reads a picture, and
    shows it before and after.

    Any web server can serve the folder, such as ``python -m http.server -d FOLDER``.

    Args:
        bundle: the bundle of a generator, or of a translator that reads images of any size in
            colour or grey and no latents; with its ONNX file.
        out: a new folder, or the folder of a page to replace.
        cdn: load onnxruntime-web from a content delivery network. Without, the folder includes its
            files, which npm downloads at the first export.
        directions: a file of `ganzoo directions`; the page has sliders for the first eight.

    Returns:
        The folder.

    Raises:
        DeploymentError: the model is another translator, or npm cannot download onnxruntime-web.
        BundleError: the bundle has no ONNX file, or it fails the checks of `ganzoo.load`.
        SampleError: the file of directions cannot be read, or does not fit the model.
        OutputError: the folder holds other files or cannot be written.
    """
    spec = bundle.spec
    if "condition" in spec.inputs and not _reads_pictures(spec):
        raise DeploymentError(
            f"cannot export {spec.name!r} for the web: it translates images of one size, or reads "
            "latents or other channels than colours or grey, and the page reads pictures of any "
            "size. Use `ganzoo demo`."
        )
    network = bundle.require_onnx("generator")
    model = load_onnx(bundle)  # checks the graph, which the browser runs without a check
    moves = None if directions is None else Directions.read(directions)
    if moves is not None:
        moves.check(spec)
    if not _replaceable(out):
        raise OutputError(
            f"{out} exists and is not a page that ganzoo wrote. Choose another folder with -o."
        )
    runtime = None if cdn else fetch_files()
    page = resources.files("ganzoo.exporters.targets") / "page"
    with new_folder(out) as folder:
        for name in PAGE if isinstance(model, OnnxGenerator) else UPSCALER_PAGE:
            target = INDEX if name == UPSCALER else name
            (folder / target).write_bytes((page / name).read_bytes())
        for name, content in _networks(spec, network).items():
            (folder / name).write_bytes(content)
        if runtime:
            shutil.copytree(runtime, folder / RUNTIME)
        description = _describe(spec, CDN if cdn else f"{RUNTIME}/")
        if isinstance(model, OnnxGenerator):
            description |= _describe_generator(model, moves)
        else:
            description |= _describe_upscaler(spec)
        (folder / SPEC).write_text(json.dumps(description) + "\n", encoding="utf-8")
    return out


def _reads_pictures(spec: ModelSpec) -> bool:
    """Return whether a model translates images of any size, in colour or grey."""
    condition = spec.data.condition
    if spec.sizes is None or condition is None or spec.inputs != ("condition",):
        return False
    return {condition.channels, spec.data.image.channels} <= {1, 3}


def _replaceable(out: Path) -> bool:
    """Return whether the folder does not exist or holds only files of a page."""
    if not out.exists():
        return True
    if not out.is_dir():
        return False
    files = {file.relative_to(out) for file in out.rglob("*") if not file.is_dir()}
    names = (*PAGE, *UPSCALER_PAGE, SPEC, MODEL, *PARTS.values())
    page_files = {Path(name) for name in names}
    return all(file in page_files or file.parent == Path(RUNTIME) for file in files)


def count_samples(image: ImageSpec) -> int:
    """Return the number of images in the page's grid: 64, 16, or 4 large ones."""
    if is_large(image):
        return FEWEST_SAMPLES
    return SAMPLES if max(image.width, image.height) <= TINY else FEWER_SAMPLES


def _networks(spec: ModelSpec, network: Path) -> dict[str, bytes]:
    """Return the page's ONNX files by name: the network, or its two parts, which have no others."""
    if spec.styles is None:
        return {MODEL: network.read_bytes()}
    graph = read_onnx(network)
    return {name: cut(graph, *signature(spec, part)).content for part, name in PARTS.items()}


def _describe(spec: ModelSpec, runtime_url: str) -> dict[str, Any]:
    """Return what model.json has of every model."""
    return {
        "name": spec.name,
        "description": _description(spec),
        "license": printable(spec.license) if spec.license else None,
        "onnxruntime": runtime_url,
        "script": SCRIPT,
        "wasm": WASM,
        "integrity": FILE_INTEGRITY,
    }


def _describe_upscaler(spec: ModelSpec) -> dict[str, Any]:
    """Return what model.json has of a translator; sides are in pixels of the picture."""
    sizes, condition = spec.sizes, spec.data.condition
    assert sizes is not None
    assert condition is not None
    tiles = Tiles.of(choose_shown_side(sizes), None, sizes)
    return {
        "scale": sizes.scale,
        "multiple": sizes.multiple,
        "smallest": sizes.smallest,
        "reads": condition.channels,
        "tiles": {"side": tiles.side, "step": tiles.step, "blend": tiles.blend},
    }


def _describe_generator(model: OnnxGenerator, directions: Directions | None) -> dict[str, Any]:
    """Return what model.json has of a generator."""
    spec = model.spec
    image, conditional = spec.data.image, "y" in spec.inputs
    samples = count_samples(image)
    return {
        "image": {"width": image.width, "height": image.height, "channels": image.channels},
        "latent_dim": model.latent_dim,
        "styles": _describe_styles(model),
        "directions": None if directions is None else _describe_directions(directions),
        "classes": spec.data.classes if conditional else 0,
        "labels": list(spec.data.labels) if conditional else [],
        "samples": samples,
        "batch": compute_batch(spec),
        "file": {
            "scale": legible_scale(
                image.width, math.isqrt(samples) * max(image.width, image.height)
            ),
            "type": "image/webp" if is_large(image) else "image/png",
        },
    }


def _describe_styles(model: OnnxGenerator) -> dict[str, Any] | None:
    styles, average = model.spec.styles, model.w_average
    if styles is None or average is None:
        return None
    return {
        "layers": styles.layers,
        "dim": styles.dim,
        "truncation": styles.truncation,
        "average": average.tolist(),
        "groups": layer_groups(styles.layers),
    }


def _describe_directions(directions: Directions) -> dict[str, Any]:
    steps = directions.scales[:, None] * directions.vectors  # of strength 1
    return {
        "names": [printable(name) for name in directions.names[:SLIDERS]],
        "steps": steps[:SLIDERS].tolist(),
        "layers": list(directions.layers),
    }


def _description(spec: ModelSpec) -> str:
    description = (spec.recorded("recipe") or spec.recorded(IMPORTED)).get("description")
    size = "pictures of any size" if spec.sizes else spec.data.image
    return printable(str(description or f"{spec.architecture}, {size}"))
