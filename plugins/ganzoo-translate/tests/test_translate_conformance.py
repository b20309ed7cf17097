"""The conformance suite of the plugin, with image files for its datasets."""

import pytest
from translate_helpers import paint_all

from ganzoo.testing import DatasetSuite, PluginSuite


class TestTranslate(PluginSuite):
    distribution = "ganzoo-translate"


@pytest.mark.filterwarnings("ignore:dataset .* has no licence")
class TestPaired(DatasetSuite):
    name, arguments = "paired", {"size": 32}

    @pytest.fixture
    def root(self, pairs):
        return pairs


class TestLineart(TestPaired):
    name = "lineart"


class TestOpenMoji(DatasetSuite):
    name, arguments = "openmoji", {"size": 32}

    @pytest.fixture
    def root(self, tmp_path):
        paint_all(tmp_path / "openmoji" / "train", [f"{k}.png" for k in range(7)])
        return tmp_path


class TestUnpaired(TestPaired):
    name, arguments = "unpaired", {"size": 32, "repeat_shorter": True}

    @pytest.fixture
    def root(self, domains):
        return domains
