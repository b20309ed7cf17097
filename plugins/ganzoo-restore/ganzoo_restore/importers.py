"""Checkpoints of the networks that the library spandrel detects.

Its detection reads the names and shapes of tensors, which ganzoo's reader takes from the file. The
library never opens the file.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ImportFileError, quantity
from ganzoo.importers import Checkpoint, Computed, Conversion, Importer, Weights

if TYPE_CHECKING:  # --inspect imports this module without torch
    from torch import Tensor

SIDE = 64  # pixels of the example images
TOLERANCE = 1e-4  # of an image in [-1, 1], for the call of the network by spandrel and by ganzoo
MAX_DIGITS = 9  # of a number in a name
SPARE_PARTS = 16
MAX_PARTS_PER_TENSOR = 4  # numbered parts of a network, many of which have no weights
COMPUTED = ("attn_mask", "relative_position_index", "relative_coords_table", "num_batches_tracked")
Key = tuple[tuple[int, ...], bytes]  # shape and bytes of an array


class Spandrel(Importer):
    """Converts the networks of ESRGAN, Real-ESRGAN, and others that spandrel detects."""

    project = "spandrel (https://github.com/chaiNNer-org/spandrel)"
    marks = frozenset({"conv_first.weight", "conv_last.weight"})
    is_general = True

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Return whether spandrel detects a network in the tensors, and builds it.

        Its detection looks at some names alone, which files of other programs may have.
        """
        return _has_kernels(checkpoint) and not _explain(checkpoint)

    def explain(self, checkpoint: Checkpoint) -> str:
        """Return what spandrel detects in a file that no importer recognises."""
        return _explain(checkpoint) if _has_kernels(checkpoint) else ""

    def convert(
        self, checkpoint: Checkpoint, *, height: int = SIDE, width: int = SIDE
    ) -> Conversion:
        """Convert a file.

        Args:
            checkpoint: the file.
            height: height of the example images that both runtimes are compared on. The network
                reads any size.
            width: width of the example images.

        Raises:
            ImportFileError: spandrel cannot build the network, the network needs more than its
                weights, or a side is out of its range.
        """
        from ganzoo_restore.architecture import describe

        arrays = _read(checkpoint)
        descriptor = _load(arrays)
        name, requirements = descriptor.architecture.name, descriptor.size_requirements
        if requirements.square:
            raise ImportFileError(
                f"spandrel detects {name}, which reads squares alone, and ganzoo exports networks "
                "of any height and width. Import another network."
            )
        try:
            network, options = describe(descriptor.model)
            smallest = max(requirements.minimum, 1)
            multiple, scale = _multiple(descriptor), descriptor.scale
            height, width = (-(-max(n, smallest) // multiple) * multiple for n in (height, width))
            image = ImageSpec(scale * height, scale * width, descriptor.output_channels)
            condition = ImageSpec(height, width, descriptor.input_channels)
        except ValueError as error:
            raise ImportFileError(
                f"spandrel detects {name}, which has no config: {error}."
            ) from error
        weights = _match(descriptor.model.state_dict(), arrays)
        _check_call(descriptor, scale)
        tags = ", ".join(descriptor.tags)
        return Conversion(
            architecture="spandrel",
            arguments={
                "network": network,
                "options": options,
                "multiple": multiple,
                "smallest": smallest,
            },
            data=DataSpec(image, condition=condition),
            weights={"generator": weights},
            ignored={
                f"*{ending}": "a value that the network computes itself"
                for ending in COMPUTED
                if any(path.endswith(ending) for path in arrays)
            },
            options={"architecture": name, "purpose": descriptor.purpose, "tags": tags},
        )


def _has_kernels(checkpoint: Checkpoint) -> bool:
    """Return whether a file has kernels of convolutions; others are no networks of spandrel.

    So that spandrel and torch are imported for files that may be one.
    """
    return any(len(tensor.shape) == 4 for tensor in checkpoint.tensors.values())


def _read(checkpoint: Checkpoint) -> dict[str, NDArray[Any]]:
    return {path: tensor.read() for path, tensor in checkpoint.tensors.items()}


def _explain(checkpoint: Checkpoint) -> str:
    """Return why spandrel has no network for a file; empty if it has one."""
    from spandrel import MAIN_REGISTRY

    if not _detect(checkpoint.tensors):
        names = ", ".join(support.architecture.name for support in MAIN_REGISTRY)
        nearest = _find_nearest(checkpoint.tensors)
        return f"spandrel detects none of its networks in it: {names}. {nearest}"
    try:
        _load(_read(checkpoint))
    except ImportFileError as error:
        return str(error).removesuffix(".")
    return ""


def _detect(keys: Mapping[str, Any]) -> Any:
    """Return spandrel's architecture for the names of tensors; None if there is none."""
    from spandrel import MAIN_REGISTRY

    supports = MAIN_REGISTRY.architectures("detection")
    return next((s.architecture for s in supports if s.detect(dict(keys))), None)


class _Names(dict[str, Any]):
    """A dict that seems to have every name, and records those that are looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}

    def __contains__(self, name: object) -> bool:
        self.names[str(name)] = None
        return True


def _find_nearest(tensors: Mapping[str, Any]) -> str:
    """Return the network of spandrel most of whose names of tensors a file has."""
    from spandrel import MAIN_REGISTRY

    nearest, missing, share = "", [""], 0.0
    for support in MAIN_REGISTRY:
        lookup = _Names()
        support.detect(lookup)
        lacks = [name for name in lookup.names if name not in tensors]
        if (has := 1 - len(lacks) / max(len(lookup.names), 1)) > share:
            nearest, missing, share = support.architecture.name, lacks, has
    if not nearest:
        return "The file has no tensor whose name they know"
    return f"Nearest: {nearest}, but for the tensor {missing[0]!r}" if missing else nearest


def _load(arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Return spandrel's description of a network with its weights.

    Raises:
        ImportFileError: it cannot build the network.
    """
    import torch

    _check_numbers(arrays)
    # The network has float32 weights: what the file has in half precision is widened exactly.
    tensors = {
        path: torch.from_numpy(array.astype(np.float32) if array.dtype == np.float16 else array)
        for path, array in arrays.items()
    }
    architecture = _detect(tensors)
    try:
        descriptor = architecture.load(dict(tensors))
    except Exception as error:
        raise ImportFileError(
            f"spandrel detects {architecture.name}, but cannot load it: "
            f"{' '.join(str(error).split())[:300]}."
        ) from error
    descriptor.model.eval().requires_grad_(False)
    return descriptor


def _check_numbers(names: Iterable[str]) -> None:
    """Check the numbers in the names of tensors: spandrel builds as many blocks as the largest.

    Raises:
        ImportFileError: they are those of a much larger network than the tensors.
    """
    largest: dict[str, int] = {}
    count = 0
    for name in names:
        count += 1
        parts = name.split(".")
        for k, part in enumerate(parts):
            if part.isdecimal():
                place = ".".join(parts[:k])
                largest[place] = max(largest.get(place, 0), int(part[:MAX_DIGITS]) + 1)
    if (blocks := sum(largest.values())) > MAX_PARTS_PER_TENSOR * (count + SPARE_PARTS):
        raise ImportFileError(
            f"spandrel would build {blocks:,} numbered parts for {quantity(count, 'tensor')}, by "
            "the numbers in their names. Import another file."
        )


def _multiple(descriptor: Any) -> int:
    """Return the multiple of sides that a network reads, so that it pads no image itself.

    Tiles then have the same windows of attention as the whole image.
    """
    values = descriptor.model.hyperparameters
    windows = [values.get(name) for name in ("window_size", "win_size")]
    return math.lcm(
        descriptor.size_requirements.multiple_of, *(n for n in windows if type(n) is int)
    )


def _check_call(descriptor: Any, scale: int) -> None:
    """Raise an error if spandrel calls a network in another way than `Restorer` does.

    Raises:
        ImportFileError: the images differ, or the network fails.
    """
    import torch

    from ganzoo import SizesSpec
    from ganzoo_restore.translators import Restorer

    name = descriptor.architecture.name
    multiple = _multiple(descriptor)
    side = -(-max(16, descriptor.size_requirements.minimum) // multiple) * multiple
    image = torch.rand(
        1, descriptor.input_channels, side, side, generator=torch.Generator().manual_seed(0)
    )
    try:
        with torch.no_grad():
            theirs = descriptor(image.clone()) * 2 - 1  # RCAN changes its input
            ours = Restorer(descriptor.model, SizesSpec()).eval()(image * 2 - 1)
    except Exception as error:
        raise ImportFileError(
            f"spandrel detects {name}, but the network fails on an image of {side}x{side} pixels: "
            f"{' '.join(str(error).split())[:300]}. Import another network."
        ) from error
    expected = (1, descriptor.output_channels, scale * side, scale * side)
    if ours.shape != expected or float((ours - theirs).abs().max()) > TOLERANCE:
        raise ImportFileError(
            f"spandrel detects {name}, which it calls in a way that ganzoo lacks. Import another "
            "network."
        )


def _match(state: Mapping[str, Tensor], arrays: Mapping[str, NDArray[Any]]) -> Weights:
    """Return the weights of a network by name: the tensors of the file with the same numbers.

    spandrel renames the tensors of some layouts. A value that is not in the file is one that the
    network computes, and stays as it is.

    Raises:
        ImportFileError: spandrel changes the numbers of a weight.
    """
    paths: dict[Key, list[str]] = {}
    for path, array in arrays.items():
        paths.setdefault(_key(array), []).append(path)
    weights: Weights = {}
    for name, tensor in state.items():
        value = tensor.numpy()
        same = paths.get(_key(value), [])
        if not same and not name.endswith(COMPUTED):
            raise ImportFileError(
                f"spandrel computes the weight {name} from others, which ganzoo does not. Import "
                "another network."
            )
        # Tensors with equal numbers are used in turn; the last one also for shared weights.
        path = same.pop(0) if len(same) > 1 else next(iter(same), "")
        weights[f"network.{name}"] = path or Computed(functools.partial(np.copy, value))
    return weights


def _key(array: NDArray[Any]) -> Key:
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    return array.shape, np.ascontiguousarray(array).tobytes()
