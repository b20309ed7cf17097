"""Building blocks of architectures and feature extractors."""

from ganzoo.nn.autoencoding import DiscriminatorKind, GaussianEncoder, JointDiscriminator
from ganzoo.nn.conditioning import Conditioning, ConditioningHeads, Discriminator
from ganzoo.nn.discriminator_output import DiscriminatorOutput
from ganzoo.nn.eval_mode import copy_in_eval_mode, in_eval_mode
from ganzoo.nn.extractor import Extracted, Extractor
from ganzoo.nn.from_latent import LatentToMap
from ganzoo.nn.image_tensors import image_to_tensor
from ganzoo.nn.initialisation import (
    add_spectral_norm,
    init_normal,
    init_orthogonal,
)
from ganzoo.nn.inputs import (
    call_discriminator,
    generate,
    generate_logits,
    inputs_of,
    latent_of,
    sizes_of,
)
from ganzoo.nn.precision import at_least_fp32
from ganzoo.nn.sides import map_sizes, map_widths
from ganzoo.nn.style_generator import StyleGenerator, style_spec_of
from ganzoo.nn.torch_defaults import exact_arithmetic, exact_inference, torch_defaults
from ganzoo.nn.upsampling import UpsampleConv2d

__all__ = [
    "Conditioning",
    "ConditioningHeads",
    "Discriminator",
    "DiscriminatorKind",
    "DiscriminatorOutput",
    "Extracted",
    "Extractor",
    "GaussianEncoder",
    "JointDiscriminator",
    "LatentToMap",
    "StyleGenerator",
    "UpsampleConv2d",
    "add_spectral_norm",
    "at_least_fp32",
    "call_discriminator",
    "copy_in_eval_mode",
    "exact_arithmetic",
    "exact_inference",
    "generate",
    "generate_logits",
    "image_to_tensor",
    "in_eval_mode",
    "init_normal",
    "init_orthogonal",
    "inputs_of",
    "latent_of",
    "map_sizes",
    "map_widths",
    "sizes_of",
    "style_spec_of",
    "torch_defaults",
]
