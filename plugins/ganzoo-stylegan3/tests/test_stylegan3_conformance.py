"""The conformance suite of the plugin."""

from stylegan3_helpers import SMALL

from ganzoo.testing import PluginSuite


class TestStyleGAN3(PluginSuite):
    distribution = "ganzoo-stylegan3"
    arguments = {"architecture stylegan3": SMALL | {"conditioning": "mapping"}}
