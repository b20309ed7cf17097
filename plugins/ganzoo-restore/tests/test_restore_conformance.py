"""The conformance suite of the plugin."""

from ganzoo.testing import PluginSuite


class TestRestore(PluginSuite):
    distribution = "ganzoo-restore"
    arguments = {"architecture spandrel": {"options": ("num_filters=4", "num_blocks=1")}}
