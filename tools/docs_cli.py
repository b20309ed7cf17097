"""An mkdocs hook: fill docs/reference/cli.md with the help of each command.

A line `<!-- help: ganzoo COMMAND -->` of that page becomes the output of `ganzoo COMMAND --help`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from typing import Any

PAGE = "reference/cli.md"
MARK = re.compile(r"^<!-- help: ganzoo (.*) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Replace the marks of the page of commands."""
    if page.file.src_uri != PAGE:
        return markdown
    return MARK.sub(lambda mark: f"```text\n{help_of(mark[1])}\n```", markdown)


def help_of(command: str) -> str:
    """Return the output of `ganzoo COMMAND --help`, without colours, 72 columns wide.

    Args:
        command: the words after `ganzoo`.
    """
    arguments = [sys.executable, "-m", "ganzoo", *shlex.split(command), "--help"]
    environment = os.environ | {"COLUMNS": "72", "NO_COLOR": "1", "TERM": "dumb"}
    result = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=True)
    return result.stdout.strip()
