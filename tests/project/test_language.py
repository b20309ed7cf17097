"""Words that docs, docstrings, comments and messages do not use: archaic, poetic or coined ones."""

import re

import pytest

from helpers.paths import ROOT

# As regular expressions, each with what to write instead.
FORBIDDEN = {
    r"not to be had": "not installed, not found",
    r"to be had\b": "available",
    r"\bvouch": "verify, list",
    r"\banew\b": "again",
    r"\bmend\b|\bmended\b": "fix",
    r"by heart": "memorised",
    r"so many-th": "thinned evenly",
    r"\bwhoever\b": "the user, the author",
    r"\bthat which\b": "name the thing",
    r"\bwhereof\b|\bthereof\b|\bof which is warned\b": "name the thing",
    r"must mend that": "report this to the plugin's author",
    r"it is warned of": "warns",
    r"are to be\b": "must be, are",
    r"\bas it were\b": "",
    r"front door": "entry points",
    r"\bthe trades\b": "features",
    r"\bones own\b|\bone's own\b": "your own",
    r"\blies at\b|\blie at\b|\blies in\b|\bwhere it lies\b|\bwhere that lies\b": "is at, is in",
    r"\bhands on\b|\bhanded on\b": "shares",
    r"\bwherever\b": "where, if",
    r"not to be trusted": "damaged, untrusted",
    r"beyond all measure": "too large",
    r"takes it in\b": "accepts",
    r"\bmakes of\b": "generates from",
    r"taken for real": "classified as real",
    r"goes on by itself": "continues",
    r"that of a coin": "that of chance",
    r"was asked with": "was called with",
    r"\blearnt\b": "learned",
    r"comes first, and fails": "depends on a check that fails",
    r"\bShelf\b|\bParcel\b|\bJudgement\b": "ModelCache, RepoFiles, DiscriminatorOutput",
}
FILES = sorted(
    path
    for pattern in (
        *("ganzoo/**/*.py", "plugins/*/ganzoo_*/**/*.py", "tools/*.py", "docs/**/*.md", "*.md"),
        *(
            "plugins/*.md",
            "plugins/*/*.md",
            "tests/*.md",
            "ganzoo/**/*.template",
            "ganzoo/**/*.html",
        ),
        *("ganzoo/**/*.toml", "plugins/*/ganzoo_*/**/*.toml", "model_cards/*.md"),
    )
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("words", FORBIDDEN)
def test_plain_english(words):
    pattern = re.compile(words, re.IGNORECASE)
    matches = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in FILES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert matches == [], f"write instead: {FORBIDDEN[words]}"


def test_there_are_files():
    assert len(FILES) > 300
