"""Every code block of the documentation is run, as it stands; a page in a folder of its own."""

from pathlib import Path

import pytest
from pages import blocks_of, run_block

DOCS = Path(__file__).parent.parent / "docs"
# Its commands name the data that they measure, and are run by hand.
PAGES = [p for p in sorted(DOCS.rglob("*.md")) if p.name != "performance.md" and blocks_of(p)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page, tmp_path):
    for language, block in blocks_of(page):
        run_block(tmp_path, language, block)


def test_there_are_pages():
    assert {"gan", "vae", "researcher", "engineer"} <= {page.stem for page in PAGES}
