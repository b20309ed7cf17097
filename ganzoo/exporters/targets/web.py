"""A static page that runs a generator in the browser, under onnxruntime-web.

The page's own files lie in `page/`. What they know of the model is its model.json.
"""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

from ganzoo.bundle import Bundle
from ganzoo.bundle.files import new_folder
from ganzoo.errors import BundleError, DeploymentError, OutputError
from ganzoo.exporters.targets.onnxruntime_web import CDN, SCRIPT, WASM, fetch_files
from ganzoo.exporters.targets.target import TargetFiles
from ganzoo.spec import ModelSpec

PAGE = ("index.html", "style.css", "page.js", "generator.js", "latents.js")
SPEC = "model.json"
MODEL = "model.onnx"
RUNTIME = "onnxruntime-web"  # the folder of its files

SAMPLES = 64  # images of the page's grid
FEWER_SAMPLES = 16
LARGE = 64  # pixels of a side, from which on the grid is of fewer


def web(bundle: Bundle, out: Path) -> TargetFiles:
    """A static page that runs a generator in the browser, with all files that it needs."""
    return _serve(write_web(bundle, out))


def web_cdn(bundle: Bundle, out: Path) -> TargetFiles:
    """A static page that runs a generator, with onnxruntime-web from a content delivery network."""
    return _serve(write_web(bundle, out, cdn=True))


def _serve(folder: Path) -> TargetFiles:
    return TargetFiles([folder], f"python -m http.server -d {folder}")


def write_web(bundle: Bundle, out: Path, *, cdn: bool = False) -> Path:
    """Write a page that makes a model's images in the browser, the same as Python's.

    Any web server can serve the folder, such as ``python -m http.server -d FOLDER``.

    Args:
        bundle: a generator's, with its ONNX file.
        out: the folder: a new one, or a page's that is replaced.
        cdn: let browsers load onnxruntime-web from a content delivery network, instead of from
            files beside the page, which npm takes at the first export.

    Returns:
        The folder.

    Raises:
        DeploymentError: a model that makes images of images, or npm cannot get onnxruntime-web.
        BundleError: the bundle has no ONNX file.
        OutputError: the folder holds something else, or cannot be written.
    """
    spec, network = bundle.spec, bundle.onnx_of("generator")
    if spec.latent is None or "condition" in spec.inputs:
        raise DeploymentError(
            f"{spec.name!r} makes images out of images; the page is for generators, which make "
            "them out of latents."
        )
    if not network.is_file():
        raise BundleError(f"{bundle.path} holds no {network.name}: ganzoo export {bundle.path}")
    if not _replaceable(out):
        raise OutputError(f"{out} exists and is no page of ours. Choose another folder with -o.")
    runtime = None if cdn else fetch_files()
    page = resources.files("ganzoo.exporters.targets") / "page"
    with new_folder(out) as folder:
        for name in PAGE:
            (folder / name).write_bytes((page / name).read_bytes())
        shutil.copyfile(network, folder / MODEL)
        if runtime:
            shutil.copytree(runtime, folder / RUNTIME)
        text = json.dumps(_describe(spec, CDN if cdn else f"{RUNTIME}/"), indent=1)
        (folder / SPEC).write_text(text + "\n", encoding="utf-8")
    return out


def _replaceable(out: Path) -> bool:
    """Whether nothing is there, or nothing but what a page is made of."""
    if not out.exists():
        return True
    if not out.is_dir():
        return False
    files = {file.relative_to(out) for file in out.rglob("*") if not file.is_dir()}
    own = {Path(name) for name in (*PAGE, SPEC, MODEL)}
    return all(file in own or file.parent == Path(RUNTIME) for file in files)


def _describe(spec: ModelSpec, place: str) -> dict[str, Any]:
    """What the page is told of the model."""
    image, conditional = spec.data.image, "y" in spec.inputs
    assert spec.latent is not None
    return {
        "name": spec.name,
        "description": _description(spec),
        "license": spec.data.license,
        "image": {"width": image.width, "height": image.height, "channels": image.channels},
        "latent_dim": spec.latent.dim,
        "classes": spec.data.classes if conditional else 0,
        "labels": list(spec.data.labels) if conditional else [],
        "samples": FEWER_SAMPLES if max(image.width, image.height) > LARGE else SAMPLES,
        "onnxruntime": place,
        "script": SCRIPT,
        "wasm": WASM,
    }


def _description(spec: ModelSpec) -> str:
    recipe = spec.provenance.get("recipe")
    said = recipe.get("description") if isinstance(recipe, dict) else ""
    return str(said or f"{spec.architecture}, {spec.data.image}")
