"""The layers hold, and the tools that read code find nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import ROOT

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["lint-imports"],
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
    ],
    ids=" ".join,
)
def test_it_is_clean(command):
    result = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_module_shares_its_name_with_a_public_name():
    import ganzoo

    modules = {p.stem for p in (ROOT / "ganzoo").iterdir() if not p.name.startswith("_")}
    assert not modules & set(ganzoo.__all__)


def test_every_builtin_file_is_registered():
    """No plugin of ours comes in by another door than a stranger's."""
    from ganzoo.registry import REGISTRIES

    targets = {e.target for r in REGISTRIES for e in r.entries() if e.distribution}
    used = {t.split(":")[0] for t in targets}
    for kind in ("architectures", "losses", "datasets", "extractors", "metrics", "trackers"):
        for file in (ROOT / "ganzoo" / "builtin" / kind).glob("[a-z]*.py"):
            assert f"ganzoo.builtin.{kind}.{file.stem}" in used
