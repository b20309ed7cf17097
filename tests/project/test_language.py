"""Words that docs, docstrings, comments, messages and names do not use."""

import ast
import re
from pathlib import Path

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
    r"\bsubfolder": "sub-folder",
    r"\bdata sets?\b": "dataset",
    r"\bmust lie\b": "must be",
    r"\bpass(ed|ing) (them )?over\b": "skip",
    r"\bthe begin\b": "the start",
    r"\bhindered\b": "limited, regularised",
    r"training goes on\b": "the training continues",
    r"(?-i:Frechet distance)": "Fréchet distance",
    r"has no \S+ equal parts": "cannot be split into equal parts",
    r"\bwhat it was\b": "name the earlier value",
    r"breaks_promises": "may_be_incompatible",
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
            "tests/**/*.py",
            "plugins/*/tests/*.py",
            "ganzoo/**/*.template",
            "ganzoo/**/*.html",
        ),
        *("ganzoo/**/*.toml", "plugins/*/ganzoo_*/**/*.toml", "tools/*.toml", "model_cards/*.md"),
    )
    for path in ROOT.glob(pattern)
    if path != Path(__file__)
)
# Participles say nothing about a value; its name is `output`, `message`, `expected`, ...
PARTICIPLE = re.compile(
    "asked|begun|caught|drawn|found|given|handed|kept|listed|made|meant|parted|promised|refused|"
    "said|seen|shown|signed|sought|stated|taken|told|wanted|warned"
)
# Names in file formats, and properties and arguments of several modules.
EXCEPTIONS = {
    "ganzoo/comparison/models.py": {"shown"},
    "ganzoo/data/batches.py": {"kept"},
    "ganzoo/data/decoding.py": {"shown"},
    "ganzoo/data/memory_batches.py": {"kept"},
    "ganzoo/evaluation/evaluator.py": {"shown"},
    "ganzoo/evaluation/extraction.py": {"shown"},
    "ganzoo/evaluation/images.py": {"drawn"},
    "ganzoo/evaluation/pairs.py": {"shown"},
    "ganzoo/training/monitors/monitor.py": {"seen"},
    "ganzoo/games/ada/adaptive.py": {"seen"},
    "plugins/ganzoo-stylegan2/ganzoo_stylegan2/losses/path_length.py": {"seen"},
}


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


PATH_OPTION = re.compile(
    r"(--(data|out|resume|cache|init-from|from)|\s-o|-c images.zip) "
    r"\{(?!shell_word|as_folder|shlex)"
)


def test_commands_in_messages_quote_paths():
    """A folder may have spaces in its name, and users copy the command."""
    matches = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in FILES
        if path.suffix == ".py" and "tests" not in path.parts and "tools" not in path.parts
        for match in PATH_OPTION.finditer(path.read_text())
    ]
    assert matches == [], "write {shell_word(path)}"


def names_of(source):
    """Yield the name and the line of every variable, parameter, function and alias."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.ExceptHandler(name=str(name)):
                yield name, node.lineno
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, node.lineno
            case ast.alias(asname=str(name)):
                yield name, node.lineno


def test_no_variable_is_a_participle():
    for path in FILES:
        if path.suffix == ".py":
            place = path.relative_to(ROOT).as_posix()
            matches = {
                f"{place}:{line}: {name}"
                for name, line in names_of(path.read_text())
                if PARTICIPLE.fullmatch(name) and name not in EXCEPTIONS.get(place, ())
            }
            assert matches == set(), "name the thing: output, message, expected, ..."


def test_there_are_files():
    assert len(FILES) > 300
