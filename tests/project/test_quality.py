"""Checks that no tool has: public names, registrations, and names of tests.

`make lint` runs the tools.
"""

import re

from helpers.paths import ROOT


def test_no_module_shares_its_name_with_a_public_name():
    import ganzoo

    modules = {p.stem for p in (ROOT / "ganzoo").iterdir() if not p.name.startswith("_")}
    assert not modules & set(ganzoo.__all__)


def test_the_package_stays_small_at_its_top():
    entries = {p.name for p in (ROOT / "ganzoo").iterdir() if p.name != "__pycache__"}
    assert len(entries) <= 27


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


def test_the_table_of_mutations_names_existing_tests():
    page = (ROOT / "tests" / "README.md").read_text().partition("## Mutations")[2]
    rows = re.findall(r"^\| `([\w./-]+\.py)::([^`]+)` \|", page, re.MULTILINE)
    assert len(rows) > 50
    for file, names in rows:
        path = ROOT / file if file.startswith("plugins/") else ROOT / "tests" / file
        source = path.read_text()
        if "test_it[" not in names:  # test_it is inherited from the suite
            for name in re.findall(r"\btest_\w+", names):
                assert f"def {name}(" in source, f"{file}::{name}"
