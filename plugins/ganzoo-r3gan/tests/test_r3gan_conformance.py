"""The conformance suite of the plugin."""

from ganzoo.testing import PluginSuite


class TestR3GAN(PluginSuite):
    distribution = "ganzoo-r3gan"
