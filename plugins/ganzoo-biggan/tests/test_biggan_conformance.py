"""The conformance suite of the plugin."""

from ganzoo.testing import PluginSuite


class TestBigGan(PluginSuite):
    distribution = "ganzoo-biggan"
    arguments = {
        "architecture biggan-deep": {
            "latent_dim": 6,
            "class_dim": 4,
            "width": 4,
            "multiples": (4, 4, 2, 1),
            "up_blocks": (0, 1, 2),
            "attention_side": 16,
        }
    }
