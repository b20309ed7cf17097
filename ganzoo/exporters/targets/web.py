"""Export a bundle as a static page that runs its generator in the browser with onnxruntime-web.

The page's own files are in `page/`. They read the model's description from model.json.
"""

from __future__ import annotations

import json
import shlex
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

from ganzoo.bundle import Bundle
from ganzoo.bundle.files import new_folder
from ganzoo.errors import BundleError, DeploymentError, OutputError, printable
from ganzoo.exporters.targets.onnxruntime_web import CDN, SCRIPT, WASM, fetch_files
from ganzoo.exporters.targets.target import TargetFiles
from ganzoo.runtimes.onnx import load_onnx
from ganzoo.spec import IMPORTED, ModelSpec

PAGE = ("index.html", "style.css", "page.js", "generator.js", "latents.js")
SPEC = "model.json"
MODEL = "model.onnx"
RUNTIME = "onnxruntime-web"  # folder of the runtime's files

SAMPLES = 64  # images of the page's grid
FEWER_SAMPLES = 16  # images of the grid for large images
LARGE = 64  # pixels: larger images get the smaller grid


def web(bundle: Bundle, out: Path) -> TargetFiles:
    """Write a static page that runs a generator in the browser, with all files that it needs."""
    return _serve(write_web(bundle, out))


def web_cdn(bundle: Bundle, out: Path) -> TargetFiles:
    """Write a static page that loads onnxruntime-web from a content delivery network."""
    return _serve(write_web(bundle, out, cdn=True))


def _serve(folder: Path) -> TargetFiles:
    return TargetFiles([folder], f"python -m http.server -d {shlex.quote(str(folder))}")


def write_web(bundle: Bundle, out: Path, *, cdn: bool = False) -> Path:
    """Write a page that generates a model's images in the browser, the same images as in Python.

    Any web server can serve the folder, such as ``python -m http.server -d FOLDER``.

    Args:
        bundle: the bundle of a generator, with its ONNX file.
        out: a new folder, or the folder of a page to replace.
        cdn: load onnxruntime-web from a content delivery network. Without, the folder includes its
            files, which npm downloads at the first export.

    Returns:
        The folder.

    Raises:
        DeploymentError: the model is a translator, or npm cannot download onnxruntime-web.
        BundleError: the bundle has no ONNX file, or it fails the checks of `ganzoo.load`.
        OutputError: the folder holds other files or cannot be written.
    """
    spec, network = bundle.spec, bundle.onnx_of("generator")
    if spec.latent is None or "condition" in spec.inputs:
        raise DeploymentError(
            f"cannot export {spec.name!r} for the web: it translates images, and the page runs "
            "generators, which read latents. Use `ganzoo demo`."
        )
    if not network.is_file():
        raise BundleError(
            f"{bundle.path} has no {network.name}. Write it with `ganzoo export {bundle.path}`."
        )
    load_onnx(bundle)  # checks the graph, which the browser runs without a check
    if not _replaceable(out):
        raise OutputError(
            f"{out} exists and is not a page that ganzoo wrote. Choose another folder with -o."
        )
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
    """Return whether the folder does not exist or holds only files of a page."""
    if not out.exists():
        return True
    if not out.is_dir():
        return False
    files = {file.relative_to(out) for file in out.rglob("*") if not file.is_dir()}
    page_files = {Path(name) for name in (*PAGE, SPEC, MODEL)}
    return all(file in page_files or file.parent == Path(RUNTIME) for file in files)


def _describe(spec: ModelSpec, runtime_url: str) -> dict[str, Any]:
    """Return the page's description of the model, the content of model.json."""
    image, conditional = spec.data.image, "y" in spec.inputs
    assert spec.latent is not None
    return {
        "name": spec.name,
        "description": _description(spec),
        "license": printable(spec.data.license) if spec.data.license else None,
        "image": {"width": image.width, "height": image.height, "channels": image.channels},
        "latent_dim": spec.latent.dim,
        "classes": spec.data.classes if conditional else 0,
        "labels": list(spec.data.labels) if conditional else [],
        "samples": FEWER_SAMPLES if max(image.width, image.height) > LARGE else SAMPLES,
        "onnxruntime": runtime_url,
        "script": SCRIPT,
        "wasm": WASM,
    }


def _description(spec: ModelSpec) -> str:
    description = (spec.recorded("recipe") or spec.recorded(IMPORTED)).get("description")
    return printable(str(description or f"{spec.architecture}, {spec.data.image}"))
