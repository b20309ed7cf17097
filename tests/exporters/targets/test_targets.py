"""Export targets are found by name, built-in and third-party."""

from ganzoo.cli import main
from helpers.distributions import install
from helpers.processes import run_cli

README_TARGET = """
from ganzoo.exporters.targets import TargetFiles

def readme(bundle, out):
    out.mkdir()
    (out / "NAME").write_text(bundle.spec.name)
    return TargetFiles([out], f"cat {out}/NAME")

def broken(bundle, out):
    raise ValueError("no such format")
"""


def test_a_plugin_adds_a_target(tiny_bundle, tmp_path):
    points = {"readme": "acme_targets:readme", "broken": "acme_targets:broken"}
    install(tmp_path, "acme-targets", {"export_targets": points}, acme_targets=README_TARGET)
    env = {"PYTHONPATH": str(tmp_path)}
    result = run_cli("export", tiny_bundle, "--for", "readme", cwd=tmp_path, env=env)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "tiny-readme\nnext: cat tiny-readme/NAME\n"
    assert (tmp_path / "tiny-readme" / "NAME").read_text() == "tiny"
    names = run_cli("list", "--kind", "export-targets", env=env).stdout
    assert [line.split()[0] for line in names.splitlines()] == [
        *("export-targets", "broken", "readme", "triton", "web", "web-cdn")
    ]
    failure = run_cli("export", tiny_bundle, "--for", "broken", cwd=tmp_path, env=env)
    assert failure.returncode == 1
    assert failure.stderr == "error: export target 'broken' cannot be built: no such format.\n"


def test_an_unknown_target_is_one_line(tiny_bundle, capsys):
    assert main(["export", str(tiny_bundle), "--for", "tritn"]) == 1
    assert "no export target named 'tritn'. Did you mean 'triton'?" in capsys.readouterr().err
