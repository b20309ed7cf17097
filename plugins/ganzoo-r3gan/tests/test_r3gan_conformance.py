"""The plugin keeps what every plugin must."""

from ganzoo.testing import PluginSuite


class TestR3GAN(PluginSuite):
    distribution = "ganzoo-r3gan"
