"""The kinds that `ganzoo list` offers are those of the registries."""

from typing import get_args

from ganzoo.cli.listing import Kind
from ganzoo.registry import REGISTRIES


def test_every_registry_can_be_listed():
    plurals = {r.group.removeprefix("ganzoo.").replace("_", "-") for r in REGISTRIES}
    assert set(get_args(Kind)) == {"all", *plurals}
