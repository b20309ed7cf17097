"""The conformance suite of the plugin."""

from ganzoo.testing import PluginSuite


class TestPGAN(PluginSuite):
    distribution = "ganzoo-pgan"
