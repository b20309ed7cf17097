"""The conformance suite of the plugin."""

import pytest
from restore_helpers import paint

from ganzoo.testing import DatasetSuite, PluginSuite


class TestRestore(PluginSuite):
    distribution = "ganzoo-restore"
    arguments = {"architecture spandrel": {"options": ("num_filters=4", "num_blocks=1")}}


@pytest.mark.filterwarnings("ignore:dataset .* has no licence")
class TestDegraded(DatasetSuite):
    name, arguments = "degraded", {"size": 16, "degradation": "second-order"}

    @pytest.fixture
    def root(self, tmp_path):
        paint(tmp_path / "a.png", 20, 24)
        paint(tmp_path / "b.png", 24, 20, seed=1)
        return tmp_path
