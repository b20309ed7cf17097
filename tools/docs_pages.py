"""An mkdocs hook: add pages and images of the repository that are outside docs/.

The site keeps the paths of the repository, except that the pages of docs/ are at the top. Links
between pages are relative paths in the repository, so that they also work on GitHub. This hook
changes them to paths in the site, and removes links to files that are not in the site.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
ADDED = (
    "CHANGELOG.md",
    "model_cards/**/*.md",
    "model_cards/**/*.png",
    "plugins/README.md",
    "plugins/*/README.md",
)
PATH = r"\((?!\w+:)([\w./-]+)(#[\w-]+)?\)"
LINK = re.compile(rf"\]{PATH}")
TEXT_LINK = re.compile(rf"(?<!!)\[([^\[\]]*)\]{PATH}")


def on_files(files: Files, config: Any) -> Files:
    """Add the files of `ADDED` to the site."""
    for pattern in ADDED:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Change each relative link of a page to the path of its target in the site."""
    here: str = page.file.src_uri
    source = Path(page.file.abs_src_path).resolve().relative_to(ROOT)

    def target(path: str) -> str:
        return posixpath.normpath(posixpath.join(source.parent.as_posix(), path))

    def without_link(link: re.Match[str]) -> str:
        path = target(link[2])
        outside = (ROOT / path).exists() and files.get_file_from_path(in_site(path)) is None
        return link[1] if outside else link[0]

    def changed(link: re.Match[str]) -> str:
        place = posixpath.relpath(in_site(target(link[1])), posixpath.dirname(here) or ".")
        return f"]({place}{link[2] or ''})"

    return LINK.sub(changed, TEXT_LINK.sub(without_link, markdown))


def in_site(path: str) -> str:
    """Return the path in the site of a file or folder of the repository."""
    if path == "README.md":
        return "index.md"
    if (ROOT / path).is_dir():
        path = f"{path}/README.md"
    return path.removeprefix("docs/")
