"""Run every file and command of plugins/README.md, and compare the output."""

import functools
import importlib.util
import re
import shlex
from importlib import metadata

import pytest

from helpers.paths import ROOT
from helpers.processes import run_cli
from helpers.steps import Steps
from helpers.wheels import make_environment, pip

PAGE = (ROOT / "plugins" / "README.md").read_text()
BLOCKS = re.findall(r"(?:`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def commands(block):
    """A command and its output on the page; None if the page shows no output."""
    if "$ " not in block:
        return [(line, None) for line in block.splitlines()]
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [part.partition("\n")[::2] for part in parts]


STEPS = [
    (file, language, step)
    for file, language, block in BLOCKS
    for step in ([block] if file else commands(block))
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The steps, in a folder like a clone and in an environment."""
    folder = tmp_path_factory.mktemp("page")
    for name in ("plugins", "model_cards"):
        (folder / name).symlink_to(ROOT / name)
    python = make_environment(folder / "environment")
    (packages,) = (folder / "environment").glob("lib/python*/site-packages")
    slow = [k for k, (file, _, step) in enumerate(STEPS) if line_of(file, step) == SLOW]
    return Steps(functools.partial(run_step, folder, python, packages), STEPS, unneeded=slow)


def pattern(output):
    """Return the pattern of an output: three dots match any text."""
    return re.escape(output.strip()).replace(r"\.\.\.", ".*?")


# The suite of the template's wheel runs the same checks.
SLOW = "ganzoo check my-gans"


def line_of(file, step):
    return file or step[0].split("\n")[0][:60]


def case(number, file, step):
    line = line_of(file, step)
    marks = [pytest.mark.slow] if line == SLOW else []
    return pytest.param(number, id=line, marks=marks)


@pytest.mark.parametrize("number", [case(k, file, step) for k, (file, _, step) in enumerate(STEPS)])
def test_step(page, number):
    page.run_to(number)


def run_step(folder, python, packages, file, language, step):
    if file:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(step)
        return
    assert language in ("bash", "console")
    line, expected = step
    words = shlex.split(line)
    changed = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    program, *arguments = words[len(changed) :]
    if program == "pip":
        if "plugins/ganzoo-translate" in arguments:
            assert metadata.version("ganzoo-translate"), "`make test` has run this line"
        else:
            pip(python, *(str(folder / a) if a.startswith("./") else a for a in arguments))
        return
    assert program == "ganzoo", f"a command that nothing runs: {line}"
    if importlib.util.find_spec("cv2") is None and "pix2pix" in line:
        pytest.skip("ganzoo-translate is not installed whole")
    environment = {"GANZOO_CACHE": str(folder / "cache"), "PYTHONPATH": str(packages)}
    result = run_cli(*arguments, cwd=folder, env=changed | environment)
    failed = expected is not None and expected.startswith("error:")
    assert result.returncode == failed, result.stdout + result.stderr
    if expected:
        output = result.stderr if failed else result.stdout
        assert re.fullmatch(pattern(expected), output.strip(), re.DOTALL), output


def test_the_table_lists_every_group():
    from ganzoo.registry import REGISTRIES

    groups = re.findall(r"^\| `(ganzoo\.\w+)`", PAGE, re.MULTILINE)
    assert sorted(groups) == sorted(registry.group for registry in REGISTRIES)


def test_the_readme_links_this_page():
    assert "(plugins/README.md)" in (ROOT / "README.md").read_text()
