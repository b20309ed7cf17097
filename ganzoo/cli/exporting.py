"""Complete a run's bundle."""

from __future__ import annotations

from typing import Literal

from ganzoo.cli.arguments import Folder, MaybeOutput
from ganzoo.cli.wording import as_folder, is_parity


def export(
    run: Folder,
    /,
    output: MaybeOutput = None,
    precision: Literal["fp32", "fp16", "int8"] | None = None,
    arguments: dict[str, str] | None = None,
) -> None:
    """Write a run's generator as safetensors, ONNX, config and card in one folder.

    Args:
        run: a run's folder, or a bundle's.
        output: the folder to write; by default the bundle inside the run.
        precision: how weights are stored: fp16 is half the size of fp32, int8 about a quarter; all
            are computed with in float32. By default as they are: a run's in fp32.
        arguments: of the architecture, such as leave the weights as they are: a name and a value
            each, as in --arguments truncation 0.7.
    """
    from ganzoo import exporters, zoo

    path = exporters.export(run, output, precision=precision, arguments=arguments)
    spec = zoo.info(path)
    command = "translate" if "source" in spec.inputs else "sample"
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
