"""Complete a run's bundle, or write it as what another program serves."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ganzoo.cli.arguments import MaybeOutput, Text
from ganzoo.cli.formatting import as_folder, is_parity
from ganzoo.errors import DeploymentError

if TYPE_CHECKING:
    from ganzoo.bundle import Bundle

Precision = Literal["fp32", "fp16", "int8"]


def export(
    run: Text,
    /,
    output: MaybeOutput = None,
    precision: Precision | None = None,
    arguments: dict[str, str] | None = None,
    target: Annotated[str | None, tyro.conf.arg(name="for")] = None,
    pictures: bool = True,
) -> None:
    """Write a run's generator as safetensors, ONNX, config and card in one folder.

    With --for TARGET, write a model as another program serves it: triton is a model repository of
    the Triton Inference Server, web a static page that runs it in the browser, web-cdn the same
    with onnxruntime-web from a content delivery network. Plugins register others.

    Args:
        run: a run's folder, or a bundle's; with --for also a model's name.
        output: the folder to write; by default the bundle inside the run, or NAME-TARGET.
        precision: how weights are stored: fp16 is half the size of fp32, int8 about a quarter; all
            are computed with in float32. By default as they are: a run's in fp32.
        arguments: of the architecture, such as leave the weights as they are: a name and a value
            each, as in --arguments truncation 0.7.
        target: name of an export target; `ganzoo list --kind export-targets` lists them.
        pictures: whether samples, ways between them and the course of the training are drawn; with
            --no-pictures those that the source has stay, if they still show what the model makes.
    """
    if target:
        _write_target(target, run, output, precision, arguments)
        return
    from ganzoo import exporters, zoo

    path = exporters.export(
        run, output, precision=precision, arguments=arguments, pictures=pictures
    )
    spec = zoo.info(path)
    command = "translate" if "condition" in spec.inputs else "sample"
    print(path)
    for key in filter(is_parity, spec.provenance):
        role, parity = key.removesuffix("parity").strip("_") or "generator", spec.provenance[key]
        print(
            f"  {role}: torch and onnxruntime differ by at most {parity['max_abs_error']:.1e} "
            f"(allowed {parity['tolerance']:.1e})"
        )
    print(
        f"next: ganzoo {command} {as_folder(path)}{' PICTURE ...' * (command == 'translate')} "
        "--runtime onnx"
    )


def _write_target(
    target: str,
    name: str,
    output: Path | None,
    precision: Precision | None,
    arguments: dict[str, str] | None,
) -> None:
    from ganzoo.bundle import open_bundle
    from ganzoo.registry import export_targets

    entry = export_targets.entry(target)
    bundle = _find(name)
    out = output or Path(f"{bundle.spec.name}-{entry.name}")
    with tempfile.TemporaryDirectory() as folder:
        if precision or arguments or not bundle.onnx_of("generator").is_file():
            bundle = open_bundle(_exported(bundle, Path(folder) / "bundle", precision, arguments))
        files = export_targets.make(entry, bundle, out)
    print(*files.folders, sep="\n")
    if files.next_step:
        print(f"next: {files.next_step}")


def _find(name: str) -> Bundle:
    """A model by its name or its folder; a run means its bundle."""
    from ganzoo import zoo

    inside = Path(name) / "bundle"
    if inside.is_dir():
        return zoo.find(inside)
    if Path(name).is_dir():
        return zoo.find(Path(name))
    return zoo.find(name)


def _exported(
    bundle: Bundle, out: Path, precision: Precision | None, arguments: dict[str, str] | None
) -> Path:
    from ganzoo import exporters
    from ganzoo.bundle import weights_name

    if not (bundle.path / weights_name("generator")).is_file():
        raise DeploymentError(
            f"{bundle.spec.name!r} is on the Hub, of which only what runs is fetched: --precision "
            "and --arguments are for a run's or a bundle's folder."
        )
    return exporters.export(
        bundle.path, out, precision=precision, arguments=arguments, pictures=False
    )
