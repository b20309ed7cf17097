"""Run the code blocks of documentation pages."""

import re
import shlex
import tomllib
from pathlib import Path

from helpers.processes import run_cli, run_python


def blocks_of(page: Path) -> list[tuple[str, str]]:
    """Return language and text of every fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def run_block(folder: Path, language: str, block: str, elsewhere: tuple[str, ...] = ()) -> None:
    """Run a block in a folder; commands with a prefix in `elsewhere` run in its folder."""
    if language == "python":
        result = run_python(block, cwd=folder)
        assert result.returncode == 0, result.stderr
        return
    if language == "mermaid":  # a figure
        return
    if language == "toml":
        assert tomllib.loads(block)
        return
    assert language in ("bash", "console")
    for line in block.replace("\\\n", " ").splitlines():
        command = shlex.split(line.removeprefix("$ "), comments=True)
        if not command or line.startswith(elsewhere):
            continue
        assert command[0] == "ganzoo", f"a command that nothing runs: {line}"
        result = run_cli(*command[1:], cwd=folder)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
