"""The conformance suite of the plugin."""

from ganzoo.testing import PluginSuite


class TestStyleGAN2(PluginSuite):
    distribution = "ganzoo-stylegan2"
