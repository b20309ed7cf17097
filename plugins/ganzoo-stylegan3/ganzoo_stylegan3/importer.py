"""The importer of checkpoints of the stylegan3 repository."""

from __future__ import annotations

import re
from typing import Any, Literal

from ganzoo import DataSpec, ImageSpec
from ganzoo.importers import Checkpoint, Computed, Conversion, Importer, License, Weights
from ganzoo_stylegan2.importers.ada.discriminator import convert_discriminator
from ganzoo_stylegan2.importers.ada.mapping import convert_mapping, count_classes
from ganzoo_stylegan2.importers.source import (
    GROUPS,
    HALF_PRECISION,
    WITHOUT_DISCRIMINATOR,
    Source,
    check_truncation,
    options_below,
)
from ganzoo_stylegan3.frequencies import plan

LICENSE = License(
    "other",
    "NVIDIA Source Code License for StyleGAN3",
    "https://github.com/NVlabs/stylegan3/blob/main/LICENSE.txt",
)

CLASSES = {
    "G_ema": "Generator",
    "G_ema.synthesis": "SynthesisNetwork",
    "G_ema.synthesis.input": "SynthesisInput",
}

SIZES = "sides of the maps, which the architecture computes"
LAYER = re.compile(r"synthesis\.L(\d+)_(\d+)_(\d+)\.weight")  # number, size and channels

# The shapes tell the values of these options, or the conversion reads them from the layers, or they
# do not change the results.
OPTIONS = frozenset(
    {
        *("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "mapping_kwargs"),
        *("num_layers", "lr_multiplier", "w_avg_beta", "channel_base", "channel_max"),
        *("num_critical", "margin_size", "conv_kernel", "use_radial_filters", "conv_clamp"),
        *("magnitude_ema_beta", "num_fp16_res", "cmap_dim", "freeze_layers", "activation"),
        *("architecture", "resample_filter", "mbstd_group_size", "mbstd_num_channels"),
        *("embed_features", "layer_features"),
    }
)
# Options that have one value in the architecture.
FIXED = {
    "first_cutoff": 2.0,
    "first_stopband": 2.0**2.1,
    "last_stopband_rel": 2.0**0.3,
    "filter_size": 6,
    "lrelu_upsampling": 2,
    "output_scale": 0.25,
}
CONFIGURATIONS = {(3, 0): "T", (1, 1): "R"}  # by side of the kernels and kind of filters


class StyleGAN3(Importer):
    """Files ``*.pkl`` of StyleGAN3, configurations T and R: of trainings, and published ones."""

    project = "stylegan3, https://github.com/NVlabs/stylegan3"
    marks = frozenset(
        {
            "G_ema.mapping.fc0.weight",
            "G_ema.mapping.w_avg",
            "G_ema.synthesis.input.affine.weight",
            "G_ema.synthesis.input.freqs",
            "G_ema.synthesis.input.phases",
            "G_ema.synthesis.input.transform",
            "G_ema.synthesis.input.weight",
        }
    )

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Return whether a file is of a StyleGAN3 in NVIDIA's layout."""
        return super().recognises(checkpoint) and all(
            path in checkpoint.classes and checkpoint.classes[path].last == name
            for path, name in CLASSES.items()
        )

    def convert(
        self,
        checkpoint: Checkpoint,
        *,
        network: Literal["G_ema", "G"] = "G_ema",
        without_discriminator: bool = False,
        truncation: float = 1.0,
    ) -> Conversion:
        """Convert a file.

        Args:
            checkpoint: the file.
            network: the generator: the averaged one (``G_ema``) or the trained one (``G``).
            without_discriminator: whether to leave the discriminator out.
            truncation: factor of the distance of w from its average; 1 for no truncation.
        """
        generator = Source(
            checkpoint, network, "The generator cannot be imported.", architecture="stylegan3"
        )
        arguments, weights, image = _convert_generator(generator)
        options, deviations = _options(generator), []
        roles: dict[str, Weights] = {"generator": weights}
        other = "G" if network == "G_ema" else "G_ema"
        ignored = {
            f"{other}.*": f"{network} is imported",
            f"{network}.synthesis.*.in_size": SIZES,
            f"{network}.synthesis.*.out_size": SIZES,
            f"{network}.synthesis.input.size": SIZES,
            "augment_pipe.*": "augmentation of the training",
            "D.*.resample_filter": "constant filter, a part of the architecture",
        }
        if generator.value("num_fp16_res", ["synthesis"]):
            deviations.append(HALF_PRECISION)
        if without_discriminator:
            ignored["D.*"] = "left out by --without-discriminator"
        elif "D" in checkpoint.classes:
            source = Source(checkpoint, "D", WITHOUT_DISCRIMINATOR, architecture="stylegan3")
            own, roles["discriminator"] = _convert_discriminator(source, arguments, image)
            arguments |= own
            options |= {f"D.{name}": value for name, value in _options(source).items()}
            deviations.append(GROUPS)
        return Conversion(
            architecture="stylegan3",
            arguments=arguments | {"truncation": check_truncation(truncation)},
            data=DataSpec(image, classes=count_classes(generator)),
            weights=roles,
            ignored=ignored,
            options=options,
            network=network,
            deviations=tuple(deviations),
            license=LICENSE,
        )


def _convert_generator(source: Source) -> tuple[dict[str, Any], Weights, ImageSpec]:
    """Return the architecture's arguments for a generator, its weights, and its images.

    Raises:
        ImportFileError: an option or a shape has no counterpart in the architecture.
    """
    *layers, (side, channels, last) = _layers(source)
    names = [name for _, _, name in layers]
    arguments, weights = convert_mapping(source)
    arguments |= {
        "configuration": _configuration(source, names),
        "widths": tuple(width for _, width, _ in layers),
        "layers": len(layers),
        "critical_layers": source.value("num_critical", ["synthesis"]),
        "margin": source.value("margin_size", ["synthesis"]),
        "clamp": source.number("conv_clamp", [*names, last]) or 0.0,
        "magnitude_memory": source.number("magnitude_ema_beta", [*names, last]),
    }
    _check_plan(source, arguments, [size for size, _, _ in layers], side)

    name = "synthesis.input"
    weights |= {
        f"{name}.frequencies": source.path(f"{name}.freqs"),
        f"{name}.phases": source.path(f"{name}.phases"),
        f"{name}.transform": source.path(f"{name}.transform"),
        f"{name}.mix.weight": Computed(
            lambda weight: weight[:, :, None, None], source.paths(f"{name}.weight")
        ),
        f"{name}.style.weight": source.path(f"{name}.affine.weight"),
        f"{name}.style.bias": source.path(f"{name}.affine.bias"),
    }
    targets = {f"synthesis.layers.{k}.convolution": name for k, name in enumerate(names)}
    for target, name in (targets | {"synthesis.to_image": last}).items():
        weights |= {
            f"{target}.convolution.weight": source.path(f"{name}.weight"),
            f"{target}.convolution.style.weight": source.path(f"{name}.affine.weight"),
            f"{target}.convolution.style.bias": source.path(f"{name}.affine.bias"),
            f"{target}.bias": source.path(f"{name}.bias"),
            f"{target}.magnitude": source.path(f"{name}.magnitude_ema"),
        }
    for k, name in enumerate(names):
        for filter_ in ("up_filter", "down_filter"):
            weights[f"synthesis.layers.{k}.activation.{filter_}"] = source.path(f"{name}.{filter_}")
    return arguments, weights, ImageSpec(side, side, channels)


def _layers(source: Source) -> list[tuple[int, int, str]]:
    """Return size, channels and name of the layers, in their order."""
    layers = {}
    for path in source.checkpoint.tensors:
        if match := LAYER.fullmatch(path.removeprefix(f"{source.name}.")):
            number, size, channels = map(int, match.groups())
            layers[number] = size, channels, match[0].removesuffix(".weight")
    if len(layers) < 2 or sorted(layers) != list(range(len(layers))):
        raise source.refuse("layers", sorted(layers), "two or more, with consecutive numbers")
    return [layers[number] for number in range(len(layers))]


def _configuration(source: Source, names: list[str]) -> str:
    kernel = source.value("conv_kernel", names)
    critical = source.value("num_critical", ["synthesis"])
    ranks = [
        len(source.checkpoint.tensors[source.path(f"{name}.down_filter")].shape) for name in names
    ]
    radial = [rank == 2 for rank in ranks]
    for kind in (0, 1):
        expected = [bool(kind) and k < len(names) - critical for k in range(len(names))]
        if radial == expected and (kernel, kind) in CONFIGURATIONS:
            return CONFIGURATIONS[kernel, kind]
    raise source.refuse(
        "conv_kernel, use_radial_filters",
        (kernel, any(radial)),
        "3 and False (configuration T), or 1 and True (R)",
    )


def _check_plan(source: Source, arguments: dict[str, Any], sizes: list[int], side: int) -> None:
    """Check what the architecture derives from its arguments, or holds fixed."""
    layers, critical, margin = (arguments[k] for k in ("layers", "critical_layers", "margin"))
    if not isinstance(critical, int) or not isinstance(margin, int) or not 0 <= critical < layers:
        raise source.refuse("num_critical, margin_size", (critical, margin), "other numbers")
    expected = [signal.size for signal in plan(side, layers, critical, margin)]
    if sizes != expected:
        raise source.refuse("sizes", tuple(sizes), f"{tuple(expected)} for images of this side")
    source.expect("output_scale", ["synthesis"], FIXED["output_scale"])
    source.expect("bandwidth", ["synthesis.input"], FIXED["first_cutoff"])


def _convert_discriminator(
    source: Source, generator: dict[str, Any], image: ImageSpec
) -> tuple[dict[str, Any], Weights]:
    """Return the architecture's arguments for StyleGAN2's discriminator, and its weights."""
    sides = [image.height]
    while sides[-1] > 8:
        sides.append(sides[-1] // 2)
    names = [*(f"b{side}.conv0" for side in sides), "b4.conv"]
    widths = tuple(source.shape(f"{name}.weight", 4)[0] for name in names)
    arguments, weights = convert_discriminator(source, generator | {"widths": widths})
    if (kind := arguments.pop("discriminator")) != "residual":
        raise source.refuse("architecture", kind, "a residual discriminator")
    return arguments | {"discriminator_widths": widths}, weights


def _options(source: Source) -> dict[str, Any]:
    """Return the options with which a network was created.

    Raises:
        ImportFileError: one is unknown, or has another value than the architecture's.
    """
    options = options_below(source.checkpoint, source.path("_init_kwargs"))
    for name, value in options.items():
        option = name.rpartition(".")[2]
        if option in FIXED and value != FIXED[option]:
            raise source.refuse(name, value, str(FIXED[option]))
        if option not in OPTIONS and option not in FIXED:
            raise source.refuse(name, value, "no such option")
    return options
