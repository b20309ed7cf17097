"""Inspect a checkpoint of another project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ganzoo.cli.arguments import Text
from ganzoo.errors import ImportFileError
from ganzoo.system.terminal import print_out

if TYPE_CHECKING:
    from ganzoo.importers import Checkpoint

NAMES = 20  # classes and functions that are listed


def import_(file: Text, /, inspect: bool = False) -> None:
    """Read a checkpoint of another project without executing anything of it.

    With --inspect, list what the file holds: its container, digest, the classes and functions that
    it names, and its tensors. Pickles of any program, files of torch.save and safetensors are read.
    No torch is needed. Conversion to a bundle is not available yet.

    Args:
        file: the checkpoint, or a folder with the file of the weights and its config.json.
        inspect: list the content.
    """
    if not inspect:
        raise ImportFileError(
            "checkpoints cannot be converted to bundles yet. Add --inspect to list the content."
        )
    from ganzoo.importers import open_checkpoint

    print_out("\n".join(_describe(open_checkpoint(Path(file)))))


def _describe(checkpoint: Checkpoint) -> list[str]:
    numbers = sum(tensor.size for tensor in checkpoint.tensors.values())
    names = sorted(checkpoint.names)
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    lines = [
        checkpoint.file,
        f"  container   {checkpoint.container}, {checkpoint.size:,} bytes",
        f"  sha256      {checkpoint.sha256}",
        f"  config      {len(checkpoint.config)} values of config.json" * bool(checkpoint.config),
        f"  names       {', '.join(names[:NAMES])}{more}; none was imported" * bool(names),
        f"  sources     {len(checkpoint.sources)} texts of source code, not read"
        * bool(checkpoint.sources),
        f"  values      {len(checkpoint.values):,}" * bool(checkpoint.values),
        f"  tensors     {len(checkpoint.tensors):,}, {numbers:,} numbers",
    ]
    width = max(map(len, checkpoint.tensors))
    lines += [
        f"    {path:<{width}}  {tensor.dtype.name:<8}  {'x'.join(map(str, tensor.shape)) or '1'}"
        for path, tensor in checkpoint.tensors.items()
    ]
    return [line for line in lines if line]
