"""What architectures share."""

from ganzoo.nn.autoencoding import DiscriminatorKind, GaussianEncoder, JointDiscriminator
from ganzoo.nn.conditioning import Conditioning, Conditions, Discriminator
from ganzoo.nn.extractor import Extracted, Extractor
from ganzoo.nn.from_latent import LatentToMap
from ganzoo.nn.initialisation import (
    add_spectral_norm,
    init_normal,
    init_orthogonal,
)
from ganzoo.nn.inputs import generate, inputs_of, judge
from ganzoo.nn.judgement import Judgement
from ganzoo.nn.precision import at_least_fp32
from ganzoo.nn.upsampling import UpsampleConv2d

__all__ = [
    "Conditioning",
    "Conditions",
    "Discriminator",
    "DiscriminatorKind",
    "Extracted",
    "Extractor",
    "GaussianEncoder",
    "JointDiscriminator",
    "Judgement",
    "LatentToMap",
    "UpsampleConv2d",
    "add_spectral_norm",
    "at_least_fp32",
    "generate",
    "init_normal",
    "init_orthogonal",
    "inputs_of",
    "judge",
]
