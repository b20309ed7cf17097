"""Checks that no tool has: public names, and registrations.

`make lint` runs the tools.
"""

from helpers.paths import ROOT


def test_no_module_shares_its_name_with_a_public_name():
    import ganzoo

    modules = {p.stem for p in (ROOT / "ganzoo").iterdir() if not p.name.startswith("_")}
    assert not modules & set(ganzoo.__all__)


def test_every_builtin_file_is_registered():
    """Built-in parts use entry points, like third-party plugins."""
    from ganzoo.registry import REGISTRIES

    targets = {e.target for r in REGISTRIES for e in r.entries() if e.distribution}
    used = {t.split(":")[0] for t in targets}
    for kind in (
        *("architectures", "losses", "penalties", "datasets", "extractors"),
        *("metrics", "trackers"),
    ):
        for file in (ROOT / "ganzoo" / "builtin" / kind).glob("[a-z]*.py"):
            assert f"ganzoo.builtin.{kind}.{file.stem}" in used
