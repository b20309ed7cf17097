"""The plugin keeps what every plugin must, on pictures where a dataset needs them."""

import pytest

from ganzoo.testing import DatasetSuite, PluginSuite


class TestTranslate(PluginSuite):
    distribution = "ganzoo-translate"


@pytest.mark.filterwarnings("ignore:dataset .* says no licence")
class TestPaired(DatasetSuite):
    name, arguments = "paired", {"size": 32}

    @pytest.fixture
    def root(self, pairs):
        return pairs


class TestLineart(TestPaired):
    name = "lineart"


class TestUnpaired(TestPaired):
    name, arguments = "unpaired", {"size": 32, "repeat_shorter": True}

    @pytest.fixture
    def root(self, domains):
        return domains
