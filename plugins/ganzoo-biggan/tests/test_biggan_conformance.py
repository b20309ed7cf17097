"""The conformance suite of the architecture."""

from ganzoo.testing import ArchitectureSuite


class TestBigGanDeep(ArchitectureSuite):
    name = "biggan-deep"
    arguments = {"latent_dim": 6, "class_dim": 4, "width": 4, "attention_side": 16}
