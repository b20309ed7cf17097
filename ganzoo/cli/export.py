"""Export a run as a bundle, or write a model for another program."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganzoo.cli.arguments import Text, parse_value
from ganzoo.cli.formatting import suggest_use
from ganzoo.cli.outputs import MaybeOutput
from ganzoo.errors import DeploymentError
from ganzoo.spec import is_parity
from ganzoo.system.terminal import print_out

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
    figures: bool = True,
    directions: Path | None = None,
) -> None:
    """Export a run as a bundle: one folder with safetensors, ONNX, config and card.

    With --for TARGET, write a model for another program, such as triton (a model repository of the
    Triton Inference Server), web (a static page that runs the model in the browser) or web-cdn (the
    same page with onnxruntime-web from a content delivery network). Plugins can register more.

    Args:
        run: folder of a run or of a bundle; with --for also the name of a model.
        output: folder to write; by default the bundle inside the run, or NAME-TARGET with --for.
        precision: storage of the weights: fp16 halves the size of fp32, int8 divides it by about
            four. Inference is in float32. By default the precision does not change.
        arguments: arguments of the architecture that keep the weights, each as a name and a value,
            such as --arguments truncation 0.7.
        target: name of an export target ('ganzoo list --kind export-targets').
        figures: whether to draw figures of samples, interpolations and the training; with
            --no-figures, existing figures stay if they still show this model.
        directions: file of 'ganzoo directions', for sliders on the page of --for web.
    """
    values = {name: parse_value(text) for name, text in (arguments or {}).items()}
    if target:
        options = {} if directions is None else {"directions": directions}
        _write_target(target, run, output, precision, values, options)
        return
    if directions is not None:
        raise DeploymentError(
            "--directions has no effect without --for. Add --for web, or compute the directions of "
            "a bundle with `ganzoo directions`."
        )
    from ganzoo import exporters, zoo

    path = exporters.export(run, output, precision=precision, arguments=values, figures=figures)
    spec = zoo.info(path)
    print_out(path)
    for key in filter(is_parity, spec.provenance):
        role, parity = key.removesuffix("parity").strip("_") or "generator", spec.provenance[key]
        print_out(
            f"  {role}: torch and onnxruntime differ by at most {parity['max_abs_error']:.1e} "
            f"(allowed {parity['tolerance']:.1e})"
        )
    print_out(f"next: {suggest_use(spec, path)}")


def _write_target(
    target: str,
    name: str,
    output: Path | None,
    precision: Precision | None,
    arguments: dict[str, Any],
    options: dict[str, Any],
) -> None:
    from ganzoo.bundle import open_bundle
    from ganzoo.bundle.files import temporary_folder
    from ganzoo.registry import export_targets
    from ganzoo.registry.signatures import arguments_of

    entry = export_targets.entry(target)
    for option in options.keys() - arguments_of(export_targets.load(entry)).keys():
        raise DeploymentError(f"export target {target!r} has no option --{option}. Omit it.")
    bundle = _find(name)
    if bundle.spec.onnx_failure:
        bundle.require_onnx("generator")
    out = output or Path(f"{bundle.spec.name}-{entry.name}")
    with contextlib.ExitStack() as stack:
        if precision or arguments or not bundle.onnx_of("generator").is_file():
            folder = stack.enter_context(temporary_folder())
            bundle = open_bundle(_exported(bundle, folder / "bundle", precision, arguments))
        files = export_targets.make(entry, bundle, out, **options)
    print_out(*files.folders, sep="\n")
    if files.next_step:
        print_out(f"next: {files.next_step}")


def _find(name: str) -> Bundle:
    """Find a model by its folder, or else by its name."""
    from ganzoo import zoo

    return zoo.find(Path(name) if Path(name).is_dir() else name)


def _exported(
    bundle: Bundle, out: Path, precision: Precision | None, arguments: dict[str, Any]
) -> Path:
    from ganzoo import exporters
    from ganzoo.bundle import weights_name

    if not (bundle.path / weights_name("generator")).is_file():
        raise DeploymentError(
            f"--precision and --arguments need the weights of {bundle.spec.name!r}, but a model "
            "from the Hub is downloaded without them. Pass the folder of a run or a bundle."
        )
    return exporters.export(
        bundle.path, out, precision=precision, arguments=arguments, figures=False
    )
