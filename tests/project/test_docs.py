"""Every fenced code block of the guides is run, as it stands; a page in a folder of its own."""

import pytest

from helpers.pages import blocks_of, run_block
from helpers.paths import ROOT

DOCS = ROOT / "docs"
# Their commands measure for minutes, by hand, or are run by tests of their own.
ASIDE = ("performance", "deployment")
PAGES = [p for p in sorted(DOCS.rglob("*.md")) if p.stem not in ASIDE and blocks_of(p)]

# What other tests run in full, with the line of a page that stands for it.
ELSEWHERE = {
    "pip install": "tests/project/test_package.py",
    "torchrun": "tests/sampling/test_shards.py",
    "ganzoo demo": "tests/demo/test_demo_page.py",
    "python tools/": "by hand: what a tool measures takes minutes",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page, tmp_path):
    for language, block in blocks_of(page):
        run_block(tmp_path, language, block, tuple(ELSEWHERE))


def test_there_are_pages():
    assert {"gan", "vae", "researcher", "engineer"} <= {page.stem for page in PAGES}
