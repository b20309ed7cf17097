"""The conformance suite of the architecture."""

from ganzoo import DataSpec, ImageSpec
from ganzoo.testing import ArchitectureSuite


class TestLightweight(ArchitectureSuite):
    """The paper's layers."""

    name = "lightweight"


class TestVariant(ArchitectureSuite):
    """The layers of imported weights, with attention and an excitation."""

    name = "lightweight"
    snapshot = "lightweight-shuffle"
    data = DataSpec(ImageSpec(128, 128, 3))
    arguments = {
        "latent_dim": 6,
        "width": 2,
        "widest": 4,
        "upsampling": "shuffle",
        "attention_sides": (8,),
        "output": "linear",
    }
