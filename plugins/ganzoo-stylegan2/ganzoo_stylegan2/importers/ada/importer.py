"""The importer of NVIDIA's checkpoints."""

from __future__ import annotations

from typing import Any, Literal

from ganzoo import DataSpec, ImageSpec
from ganzoo.importers import Checkpoint, Conversion, Importer, License, Weights
from ganzoo_stylegan2.importers.ada.discriminator import convert_discriminator
from ganzoo_stylegan2.importers.ada.generator import convert_generator
from ganzoo_stylegan2.importers.ada.mapping import count_classes
from ganzoo_stylegan2.importers.source import (
    GROUPS,
    HALF_PRECISION,
    WITHOUT_DISCRIMINATOR,
    Source,
    check_truncation,
    options_below,
)

LICENSE = "NVIDIA Source Code License (non-commercial)"
ADA_LICENSE = "https://nvlabs.github.io/stylegan2-ada-pytorch/license.html"
STYLEGAN3_LICENSE = "https://github.com/NVlabs/stylegan3/blob/main/LICENSE.txt"

# The shapes tell the values of these options, or the conversion checks them, or they do not change
# the results.
OPTIONS = frozenset(
    {
        *("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels"),
        *("num_layers", "embed_features", "layer_features", "lr_multiplier", "w_avg_beta"),
        *("channel_base", "channel_max", "num_fp16_res", "conv_clamp", "fp16_channels_last"),
        *("fused_modconv_default", "architecture", "resample_filter", "use_noise", "activation"),
        *("cmap_dim", "freeze_layers", "mbstd_group_size", "mbstd_num_channels"),
    }
)


class StyleGAN2ADA(Importer):
    """Files ``*.pkl`` of NVIDIA's programs: of trainings, published ones, and of ``legacy.py``."""

    project = "stylegan2-ada-pytorch, https://github.com/NVlabs/stylegan2-ada-pytorch"
    marks = frozenset(
        {
            "G_ema.mapping.fc0.weight",
            "G_ema.mapping.w_avg",
            "G_ema.synthesis.b4.const",
            "G_ema.synthesis.b4.conv1.affine.weight",
            "G_ema.synthesis.b4.torgb.weight",
            "G_ema.synthesis.b8.conv0.weight",
        }
    )

    def recognises(self, checkpoint: Checkpoint) -> bool:
        """Return whether a file is of a StyleGAN2 in NVIDIA's layout for PyTorch."""
        classes = {"G_ema": "Generator", "G_ema.synthesis": "SynthesisNetwork"}
        return super().recognises(checkpoint) and all(
            path in checkpoint.classes and checkpoint.classes[path].last == name
            for path, name in classes.items()
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
        generator = Source(checkpoint, network, "The generator cannot be imported.")
        arguments, weights = convert_generator(generator)
        roles: dict[str, Weights] = {"generator": weights}
        options, deviations = _options(generator), []
        other = "G" if network == "G_ema" else "G_ema"
        ignored = {
            f"{other}.*": f"{network} is imported",
            "augment_pipe.*": "augmentation of the training",
            "*.resample_filter": "constant filter, a part of the architecture",
        }
        if _in_half_precision(generator):
            deviations.append(HALF_PRECISION)
        if without_discriminator:
            ignored["D.*"] = "left out by --without-discriminator"
        elif "D" in checkpoint.classes:
            source = Source(checkpoint, "D", WITHOUT_DISCRIMINATOR)
            own, roles["discriminator"] = convert_discriminator(source, arguments)
            arguments |= own
            options |= {f"D.{name}": value for name, value in _options(source).items()}
            deviations.append(GROUPS)
        side = 2 ** (len(arguments["widths"]) + 1)
        channels = generator.shape("synthesis.b4.torgb.weight", 4)[0]
        return Conversion(
            architecture="stylegan2",
            arguments=arguments | {"truncation": check_truncation(truncation)},
            data=DataSpec(ImageSpec(side, side, channels), classes=count_classes(generator)),
            weights=roles,
            ignored=ignored,
            options=options,
            network=network,
            deviations=tuple(deviations),
            license=License("other", LICENSE, _license_link(generator)),
        )


def _options(source: Source) -> dict[str, Any]:
    """Return the options with which a network was created.

    Raises:
        ImportFileError: one is unknown.
    """
    options = options_below(source.checkpoint, source.path("_init_kwargs"))
    for name, value in options.items():
        if name.rpartition(".")[2] not in OPTIONS:
            raise source.refuse(name, value, "no such option")
    return options


def _in_half_precision(generator: Source) -> bool:
    values = options_below(generator.checkpoint, generator.path("synthesis"))
    return any(value is True for name, value in values.items() if name.endswith(".use_fp16"))


def _license_link(generator: Source) -> str:
    """Return the URL of the licence: the options of stylegan3's StyleGAN2 are not nested."""
    below = generator.path("_init_kwargs.synthesis_kwargs")
    paths = (*generator.checkpoint.values, *generator.checkpoint.classes)
    nested = any(path == below or path.startswith(f"{below}.") for path in paths)
    return ADA_LICENSE if nested else STYLEGAN3_LICENSE
