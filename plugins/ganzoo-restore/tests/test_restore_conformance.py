"""The conformance suite of the plugin."""

from ganzoo.testing import PluginSuite


class TestRestore(PluginSuite):
    distribution = "ganzoo-restore"
    expected_failures = {
        "architecture spandrel: trains": "it has no discriminator, and is imported alone"
    }
    arguments = {"architecture spandrel": {"options": ("num_filters=4", "num_blocks=1")}}
