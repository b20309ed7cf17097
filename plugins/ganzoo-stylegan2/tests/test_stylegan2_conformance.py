"""The plugin keeps what every plugin must."""

from ganzoo.testing import PluginSuite


class TestStyleGAN2(PluginSuite):
    distribution = "ganzoo-stylegan2"
