"""The conformance suite of the plugin."""

from ganzoo.testing import PluginSuite


class TestLightweight(PluginSuite):
    distribution = "ganzoo-lightweight"
