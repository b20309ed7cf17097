"""Export a checkpoint of another project as a bundle."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganzoo.errors import ImportFileError, OutputError
from ganzoo.exporters.checkpoint_networks import build, load
from ganzoo.exporters.reference import REFERENCE, compare
from ganzoo.exporters.writing import write_export
from ganzoo.importers import (
    License,
    Match,
    convert,
    describe,
    locate,
    open_checkpoint,
    recognise,
)
from ganzoo.nn import inputs_of, latent_of, sizes_of, style_spec_of, torch_defaults
from ganzoo.runtimes.torch import wrap
from ganzoo.sampling.sizes import choose_compute_batch
from ganzoo.spec import IMPORTED, ModelSpec
from ganzoo.system.machine import describe_versions

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


def import_checkpoint(
    file: str | Path,
    out: str | Path,
    *,
    format: str | None = None,
    name: str = "",
    description: str = "",
    labels: Iterable[str] = (),
    license: str = "",
    license_name: str = "",
    license_link: str = "",
    url: str = "",
    reference: str | Path | None = None,
    figures: bool = True,
    **options: Any,
) -> Path:
    """Convert a checkpoint of another project to a bundle: weights, ONNX, config and card.

    Nothing of the file is executed. Every tensor is used or ignored for a reason, all weights of
    the architecture must be there, and the outputs of torch and onnxruntime are compared. If the
    export to ONNX fails or the outputs differ, the bundle has no ONNX file, and torch alone runs
    it. If something else fails, nothing is written.

    Args:
        file: the checkpoint: a file, a folder with its config.json, or hf://org/repo/FILE or
            hf://org/repo/FILE@revision, which is downloaded.
        out: the folder to write; it must not exist.
        format: registered name of the importer; by default the one that recognises the file.
        name: the model's name; by default the folder's.
        description: a description of the model in one line.
        labels: names of the classes; by default their numbers.
        license: the licence of the weights as a Hub identifier, such as ``mit`` or ``other``; by
            default that of the format. A model without a licence cannot be pushed.
        license_name: name of the licence, if its identifier is ``other``.
        license_link: URL of its text, if its identifier is ``other``.
        url: the file's address, for the card.
        reference: a .npz file with inputs of the original program (``z``, ``y``, ``condition``) and
            its ``images``, (n, channels, height, width) in [-1, 1]. They are compared with the
            bundle's.
        figures: draw samples and interpolations for the card.
        options: options of the format.

    Returns:
        The bundle's folder.

    Raises:
        ImportFileError: the file is damaged, of an unknown format, incomplete, or has an option
            that the architecture lacks; the name or the labels are not valid; or the images differ
            from the reference.
        ExportError: the network returns numbers that are not finite, or random images.
        OutputError: the folder exists or cannot be written.
        UnknownNameError, MissingPluginError, BrokenPluginError: the importer or the architecture is
            not installed or does not work.
        HubError: the file cannot be downloaded.

    Warns:
        UserWarning: the bundle has no ONNX file, with the reason.

    Example:
        >>> ganzoo.import_checkpoint("stylegan2.pkl", "faces", license="cc0-1.0")  # doctest: +SKIP
    """
    path, address = locate(file)
    match = recognise(open_checkpoint(path), format)
    out = Path(out)
    import_match(
        match,
        out,
        options,
        name=name,
        description=description,
        labels=labels,
        license=license,
        license_name=license_name,
        license_link=license_link,
        url=url or address,
        reference=reference,
        figures=figures,
    )
    return out


@torch_defaults()
def import_match(
    match: Match,
    out: Path,
    options: Mapping[str, Any],
    *,
    name: str = "",
    description: str = "",
    labels: Iterable[str] = (),
    license: str = "",
    license_name: str = "",
    license_link: str = "",
    url: str = "",
    reference: str | Path | None = None,
    figures: bool = True,
) -> ModelSpec:
    """Convert a recognised checkpoint; arguments and errors are those of `import_checkpoint`."""
    _check_output(out)
    conversion = convert(match, options)
    entry, arguments, networks = build(conversion)
    load(match, conversion, networks)

    generator = networks["generator"]
    try:
        data = replace(conversion.data, labels=tuple(labels) or conversion.data.labels)
        spec = ModelSpec(
            name=name or _name_of(out),
            architecture=entry.name,
            arguments=arguments,
            requires=entry.requirement,
            data=data,
            latent=latent_of(generator, arguments),
            styles=style_spec_of(generator),
            inputs=inputs_of(generator),
            sizes=sizes_of(generator),
            compute_batch=choose_compute_batch(data.image),
            training_roles=tuple(role for role in networks if role != "generator"),
        )
    except ValueError as error:  # of the name or the labels
        raise ImportFileError(f"{match.checkpoint.file} cannot be imported: {error}.") from error
    models = {
        role: wrap(spec, net.eval().requires_grad_(False), role) for role, net in networks.items()
    }
    own = License(license or "other", license_name, license_link)
    imported = describe(match, conversion, own if license or license_name else None)
    imported |= {"description": description, "url": url}
    if reference is not None:
        imported[REFERENCE] = compare(models["generator"], Path(reference))
    distributions = sorted({e.distribution for e in (entry, match.entry) if e.distribution})
    provenance = {
        IMPORTED: imported,
        "plugins": {"architecture": entry.provider, "importer": match.entry.provider},
        "versions": describe_versions(*distributions),
    }
    spec = replace(spec, provenance=provenance)
    return write_export(out, spec, models, {}, figures=figures)


def _check_output(out: Path) -> None:
    """Raise an OutputError, before the work, if a folder exists or cannot be created."""
    if out.exists():
        raise OutputError(f"{out} exists already. Choose another folder with -o.")
    parent = next(path for path in out.absolute().parents if path.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise OutputError(
            f"cannot write {out}: {parent} is not a folder that you can write to. Choose another "
            "one with -o."
        )


def _name_of(out: Path) -> str:
    return _NOT_IN_NAMES.sub("-", out.resolve().name.lower()).strip("-") or "imported"
