"""The architecture ``spandrel``: the networks of the library spandrel, as translators."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ganzoo import DataSpec, SizesSpec
from ganzoo.errors import ArchitectureError
from ganzoo_restore.translators import (
    DiscriminatorOption,
    condition_of,
    scale_of,
    with_discriminator,
)

# Names of the channels of the condition, of the image, and of the scale.
SIZE_OPTIONS = {
    "ESRGAN": ("in_nc", "out_nc", "scale"),
    "Compact": ("num_in_ch", "num_out_ch", "upscale"),
}
MAX_CONSTANT = 2**24  # numbers in a tensor that a network computes while it is built


def spandrel(
    data: DataSpec,
    *,
    network: str = "ESRGAN",
    options: tuple[str, ...] = (),
    multiple: int = 1,
    smallest: int = 1,
    discriminator: DiscriminatorOption = "none",
    width: int = 64,
) -> dict[str, nn.Module]:
    """A network of spandrel, such as RRDBNet of ESRGAN (Wang et al., 2018).

    https://arxiv.org/abs/1809.00219; https://github.com/chaiNNer-org/spandrel.

    Args:
        data: images whose sides are 1 to 16 times those of their conditions, any channels.
        network: name of the network in ``spandrel.architectures``, such as ``ESRGAN`` for RRDBNet
            or ``Compact`` for SRVGGNetCompact; with a dot and the class if it has several.
        options: parameters of the network, such as ``num_filters=8``, with values in JSON. Those of
            ``ESRGAN`` and ``Compact`` have the channels and the scale of the data by default.
        multiple: the network reads sides that are multiples of it.
        smallest: the smallest side that it reads.
        discriminator: ``vgg`` for SRGAN's, or ``none`` for losses of the generator alone.
        width: channels of the discriminator's first map.

    Returns:
        ``generator``: condition -> images, both (n, channels, height, width) in [-1, 1], the images
        in eval mode alone.
        ``discriminator``: images of the data's size -> `ganzoo.nn.DiscriminatorOutput`.

    Raises:
        ArchitectureError: the data has no conditions or another scale, the network is unknown, or
            it cannot be built with the options.
    """
    condition, scale = condition_of("spandrel", data), scale_of("spandrel", data)
    kind = _find(network)
    sizes = condition.channels, data.image.channels, scale
    try:
        names = SIZE_OPTIONS.get(network)
        values: dict[str, Any] = dict(zip(names, sizes, strict=True)) if names else {}
        values |= dict(map(_parse, options))
        with _Constants():
            net = kind(**values)
        read = SizesSpec(multiple, smallest, scale)
        return with_discriminator(net, read, data, discriminator, width)
    except ArchitectureError:
        raise
    except Exception as error:
        raise ArchitectureError(
            f"architecture 'spandrel' cannot build {network} with the options "
            f"{', '.join(options) or '(none)'}: {' '.join(str(error).split())[:300]}. Change them "
            "with --architecture.options NAME=VALUE."
        ) from error


def describe(network: nn.Module) -> tuple[str, tuple[str, ...]]:
    """Return the arguments `network` and `options` that build a network of spandrel.

    Raises:
        ValueError: a parameter of it is no JSON.
    """
    kind = type(network)
    module = kind.__module__.split(".")[2]
    several = len(_classes(module)) > 1
    values: Mapping[str, Any] = network.hyperparameters  # type: ignore[assignment]
    defaults = inspect.signature(kind).parameters
    options = []
    for name, value in values.items():
        try:
            options.append(f"{name}={json.dumps(value)}")
        except TypeError as error:
            if value is not defaults[name].default:  # such as a class of layers
                raise ValueError(f"{module} has {name}={value!r}, which is no JSON") from error
    return f"{module}.{kind.__name__}" if several else module, tuple(options)


def _parse(option: str) -> tuple[str, Any]:
    name, equals, value = option.partition("=")
    if not equals:
        raise ValueError(f"{option!r} is not NAME=VALUE")
    return name, json.loads(value)


def _classes(module: str) -> dict[str, type[nn.Module]]:
    """Return the networks of a module of spandrel by the name of their class."""
    members = vars(importlib.import_module(f"spandrel.architectures.{module}")).values()
    kinds = [kind for kind in members if isinstance(kind, type) and issubclass(kind, nn.Module)]
    return {kind.__name__: kind for kind in kinds if hasattr(kind, "hyperparameters")}


def _find(network: str) -> type[nn.Module]:
    """Return the class of a network of spandrel.

    Raises:
        ArchitectureError: there is none of this name.
    """
    from spandrel import MAIN_REGISTRY

    known = sorted(support.architecture.id for support in MAIN_REGISTRY)
    module, _, name = network.partition(".")
    classes = _classes(module) if module in known else {}
    if not name and len(classes) == 1:
        return next(iter(classes.values()))
    if name in classes:
        return classes[name]
    names = [f"{module}.{each}" for each in classes] or known
    raise ArchitectureError(
        f"architecture 'spandrel' has no network {network[:80]!r}. Use --architecture.network with "
        f"one of {', '.join(names)}."
    )


class _Constants(TorchFunctionMode):
    """Computes constants on the CPU, which a network on the meta device reads as it is built."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run a function; tensors that it creates with values are on the CPU."""
        kwargs = dict(kwargs or {})
        if func == _SET_DATA and args[0].is_meta:
            args = args[0], args[1].to("meta")  # the weights of the file replace the values
        if func in _CREATORS:
            kwargs.setdefault("device", "cpu")
        result = func(*args, **kwargs)
        if func in _CREATORS and result.numel() > MAX_CONSTANT:
            raise ArchitectureError(
                f"a network of spandrel has a constant of {result.numel():,} numbers. The limit is "
                f"{MAX_CONSTANT:,}."
            )
        return result


_SET_DATA = torch.Tensor.data.__set__  # type: ignore[attr-defined]
_CREATORS = frozenset(
    {torch.arange, torch.eye, torch.full, torch.linspace, torch.ones, torch.tensor, torch.zeros}
)
