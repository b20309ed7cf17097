"""Import a checkpoint of another project, or list what it holds."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ganzoo.cli.arguments import PARSING, Text, helps_of
from ganzoo.cli.formatting import suggest_use
from ganzoo.errors import ImportFileError, quantity
from ganzoo.spec import IMPORTED
from ganzoo.system.terminal import escaped_output, print_error, print_out

if TYPE_CHECKING:
    from ganzoo.importers import Checkpoint, Match

MAX_WIDTH = 80  # characters of the column of names
SHOWN = 20  # classes and functions that are listed

_USAGE = """\
usage: ganzoo import FILE -o OUT [OPTIONS]    convert a checkpoint to a bundle
       ganzoo import FILE --inspect           list what it holds, and write nothing
       ganzoo import FILE --help              show the options of its format

FILE is a checkpoint of another project: a pickle, a file of torch.save, a safetensors file, a
folder with one of them and its config.json, or hf://org/repo/FILE@revision. Nothing of it is
executed. docs/importing.md has the formats.

options of every format: -o OUT, --as FORMAT, --name, --description, --labels, --license ID,
  --license-name, --license-link, --url, --reference FILE.npz, --no-figures

formats: """


def import_(file: Text = "FILE", /) -> None:
    """Convert a checkpoint of another project to a bundle. 'ganzoo import FILE --help' shows more.

    Args:
        file: the checkpoint, or a folder with it and its config.json.
    """
    raise AssertionError("`main` calls `run_import`, since the options depend on the file")


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """The options of every format.

    Attributes:
        output: folder to write; it must not exist.
        format: name of the format; by default the one that recognises the file.
        inspect: list what the file holds and how it would be imported, without torch.
        name: the model's name; by default the folder's.
        description: description of the model in one line.
        labels: names of the classes; by default their numbers.
        license: licence of the weights as a Hub identifier, such as mit or other; by default the
            format's. A model without a licence cannot be pushed.
        license_name: name of the licence, if its identifier is other.
        license_link: URL of its text, if its identifier is other.
        url: address of the file, for the card.
        reference: .npz file to compare with: inputs of the original program (z; y, class numbers;
            condition) and its images, (n, channels, height, width), black -1 and white 1, in eval
            mode and with the noise that is stored in the file.
        figures: draw samples and interpolations for the card; --no-figures saves time.
    """

    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    format: Annotated[str | None, tyro.conf.arg(name="as")] = None
    inspect: bool = False
    name: str = ""
    description: str = ""
    labels: tuple[str, ...] = ()
    license: str = ""
    license_name: str = ""
    license_link: str = ""
    url: str = ""
    reference: Path | None = None
    figures: bool = True


def run_import(args: list[str]) -> int:
    """Run `ganzoo import` and return its exit status.

    Args:
        args: the arguments after ``import``.
    """
    from ganzoo.registry import importers

    if not args or args[0] in ("-h", "--help"):
        print_out(_USAGE + ", ".join(importers.names()))
        return 0
    if args[0].startswith("-"):
        print_error(
            "error: the file is missing; it comes before all options. "
            f"Use: ganzoo import FILE {args[0]} ..."
        )
        return 2
    from ganzoo.importers import locate, open_checkpoint, recognise

    file, *rest = args
    path, address = locate(file)
    checkpoint = open_checkpoint(path)
    try:
        match = recognise(checkpoint, _option(rest, "--as"))
    except ImportFileError as error:
        if "--inspect" not in rest:
            raise
        print_out("\n".join([*_list(checkpoint), f"  format      {error}", *_tensors(checkpoint)]))
        return 0
    options, own = _parse(file, rest, match)
    if options.inspect:
        try:
            description = list(_describe(match, own))
        except ImportFileError as error:  # a discriminator alone, for example
            description = [f"  format      {match.entry.name}, not imported: {error}"]
        print_out("\n".join([*_list(checkpoint), *description, *_tensors(checkpoint)]))
        return 0
    if options.output is None:
        raise ImportFileError("no folder was named for the bundle. Add -o OUT, or --inspect.")
    _import(match, options, own, address)
    return 0


def _option(args: list[str], name: str) -> str | None:
    """Return the value of an option that defines further options."""
    for k, arg in enumerate(args):
        if arg == name and k + 1 < len(args):
            return args[k + 1]
        if arg.startswith(f"{name}="):
            return arg.removeprefix(f"{name}=")
    return None


def _parse(file: str, args: list[str], match: Match) -> tuple[ImportOptions, dict[str, Any]]:
    """Return the options of every format, and those of the file's format.

    Raises:
        SystemExit: help was requested, or an option does not exist.
    """
    from ganzoo.importers.conversion import options_of

    helps = helps_of(ImportOptions)
    fields: list[Any] = [
        (f.name, Annotated[hint, tyro.conf.arg(help=helps[f.name])], f.default)
        for f, hint in zip(dataclasses.fields(ImportOptions), _hints(), strict=True)
    ]
    helps = helps_of(match.importer.convert)
    for argument in options_of(match.entry, match.importer).values():
        conf = tyro.conf.arg(help=helps.get(argument.name, ""))
        field = (argument.name, Annotated[argument.annotation, conf])
        empty = argument.default is inspect.Parameter.empty
        fields.append(field if empty else (*field, argument.default))
    schema = dataclasses.make_dataclass("Options", fields, kw_only=True)
    with escaped_output():  # the help shows texts of plugins
        chosen: Any = tyro.cli(
            schema,
            args=args,
            prog=f"ganzoo import {file}",
            description=f"Options of the format {match.entry.name}: {match.importer.project}.",
            **PARSING,
        )
    values = vars(chosen)
    common = {f.name: values.pop(f.name) for f in dataclasses.fields(ImportOptions)}
    return ImportOptions(**common), values


def _hints() -> list[Any]:
    from typing import get_type_hints

    return list(get_type_hints(ImportOptions, include_extras=True).values())


def _import(match: Match, options: ImportOptions, own: dict[str, Any], address: str) -> None:
    from ganzoo.exporters import import_match

    print_error(f"{match.checkpoint.file}: {match.entry.name}, {match.importer.project}")
    values = {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}
    out = values.pop("output")
    for name in ("format", "inspect"):
        del values[name]
    values["url"] = values["url"] or address
    spec = import_match(match, out, own, **values)
    comparison = ""
    if not spec.onnx_failure:
        parity = spec.provenance["parity"]
        comparison = (
            f"\n  torch and onnxruntime differ by at most {parity['max_abs_error']:.1e} (allowed "
            f"{parity['tolerance']:.1e})"
        )
    if reference := spec.recorded(IMPORTED, "reference"):
        comparison += (
            f"\n  images differ from the original program's by at most "
            f"{reference['max_abs_error']:.1e} (allowed {reference['tolerance']:.1e})"
        )
    print_out(f"{out}{comparison}\nnext: {suggest_use(spec, out)}")


def _list(checkpoint: Checkpoint) -> Iterator[str]:
    """Yield lines that list what a file holds."""
    numbers = sum(tensor.size for tensor in checkpoint.tensors.values())
    names = sorted(checkpoint.names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    yield checkpoint.file
    yield f"  container   {checkpoint.container}, {checkpoint.size:,} bytes"
    yield f"  sha256      {checkpoint.sha256}"
    if checkpoint.config:
        yield f"  config      {len(checkpoint.config)} values of config.json"
    if names:
        yield f"  names       {', '.join(names[:SHOWN])}{more}; none was imported"
    if checkpoint.sources:
        yield f"  sources     {len(checkpoint.sources)} texts of source code, not read"
    if checkpoint.values:
        yield f"  values      {len(checkpoint.values):,}"
    yield f"  tensors     {len(checkpoint.tensors):,}, {numbers:,} numbers"


def _tensors(checkpoint: Checkpoint) -> Iterator[str]:
    """Yield a line for each tensor, in the order of the file."""
    yield ""
    # A few long names of a hostile file would widen each of 300,000 lines.
    width = min(MAX_WIDTH, max(map(len, checkpoint.tensors)))
    for path, tensor in checkpoint.tensors.items():
        size = "x".join(map(str, tensor.shape)) or "1"
        yield f"    {path:<{width}}  {tensor.dtype.name:<8}  {size}"


def _describe(match: Match, own: dict[str, Any]) -> Iterator[str]:
    """Yield lines that describe how a file would be imported."""
    from ganzoo.importers import convert, describe

    conversion = convert(match, own)
    imported = describe(match, conversion)
    data = conversion.data
    yield f"  format      {match.entry.name} of {match.entry.provider}: {match.importer.project}"
    if imported["network"]:
        yield f"  network     {imported['network']}"
    arguments = ", ".join(f"{k}={v}" for k, v in conversion.arguments.items())
    yield f"  becomes     {conversion.architecture}({arguments}), {', '.join(conversion.weights)}"
    classes = f", {quantity(data.classes, 'class')}" if data.classes else ""
    source = f" from {data.condition}" if data.condition else ""
    yield f"  images      {data.image}{source}{classes}"
    if imported["options"]:
        options = ", ".join(f"{k} {v}" for k, v in imported["options"].items())
        yield f"  options     {options}"
    for reason, count in imported["ignored"].items():
        yield f"  ignored     {quantity(count, 'tensor')}: {reason}"
    for deviation in imported["deviations"]:
        yield f"  differs     {deviation}"
    licence = imported["license"]
    known = f"{licence['id']} {licence['name']} {licence['link']}".strip() if licence else ""
    yield f"  licence     {known or 'not known: state it with --license'}"
