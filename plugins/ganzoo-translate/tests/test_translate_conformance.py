"""The plugin keeps what every plugin must, on pictures where a dataset needs them."""

import pytest
from conftest import SIDE

from ganzoo.testing import DatasetSuite, PluginSuite


class TestTranslate(PluginSuite):
    distribution = "ganzoo-translate"


@pytest.mark.filterwarnings("ignore:dataset .* says no licence")
class TestPaired(DatasetSuite):
    name, arguments = "paired", {"size": SIDE}

    @pytest.fixture
    def root(self, pairs):
        return pairs


class TestLineart(TestPaired):
    name = "lineart"


class TestUnpaired(TestPaired):
    name, arguments = "unpaired", {"size": SIDE, "repeat_shorter": True}

    @pytest.fixture
    def root(self, domains):
        return domains
