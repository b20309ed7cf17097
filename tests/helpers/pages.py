"""Run the code blocks of documentation pages."""

import re
import shlex
import tomllib
from pathlib import Path

from helpers.processes import run_cli, run_python


def blocks_of(page: Path) -> list[tuple[str, str]]:
    """Return language and text of every fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def commands_of(page: Path) -> list[list[str]]:
    """Return the arguments of each `ganzoo` command in the blocks of a page."""
    commands = (
        command
        for language, block in blocks_of(page)
        if language in ("bash", "console")
        for command in _commands(block)
    )
    return [words[1:] for _, words in commands if words[0] == "ganzoo" and len(words) > 1]


def _commands(block: str) -> list[tuple[str, list[str]]]:
    """Return each line of a block that has a command, and its words."""
    lines = block.replace("\\\n", " ").splitlines()
    commands = [(line, shlex.split(line.removeprefix("$ "), comments=True)) for line in lines]
    return [(line, words) for line, words in commands if words]


def run_block(
    folder: Path,
    language: str,
    block: str,
    elsewhere: tuple[str, ...] = (),
    most_images: int | None = None,
) -> None:
    """Run a block in a folder.

    Args:
        folder: working folder.
        language: of the block.
        block: its text.
        elsewhere: prefixes of commands that other tests run.
        most_images: largest number of images to train on; None trains on as many as the block says.
    """
    if name := re.match(r"# ([\w-]+\.(?:py|toml))\n", block):  # the block is this file
        (folder / name[1]).write_text(block)
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
    for line, command in _commands(block):
        if line.startswith(elsewhere):
            continue
        assert command[0] == "ganzoo", f"a command that nothing runs: {line}"
        if most_images and "--images" in command:
            place = command.index("--images") + 1
            command[place] = str(min(int(command[place]), most_images))
        result = run_cli(*command[1:], cwd=folder)
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
