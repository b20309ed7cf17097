"""Run every fenced code block of the guides, one folder for each page; check the navigation."""

import functools
import re

import pytest
import tyro
import yaml

from ganzoo.cli import COMMANDS, SUBCOMMANDS, split_imports
from ganzoo.cli.arguments import PARSING
from ganzoo.cli.options import parse_recipe
from ganzoo.registry import find_recipe
from ganzoo.sampling.image_fits import parse_size
from ganzoo.spec import DataSpec, ImageSpec
from ganzoo.training.build import build_loss, complete
from ganzoo.training.fitting_arguments import suggest_arguments, suggest_images
from ganzoo.training.trained_model import TrainedModel
from helpers.pages import blocks_of, commands_of, run_block
from helpers.paths import ROOT

DOCS = ROOT / "docs"
# Pages whose commands take minutes, or run in other tests.
ASIDE = ("performance", "deployment")
PAGES = [p for p in sorted(DOCS.rglob("*.md")) if p.stem not in ASIDE and blocks_of(p)]

# Prefixes of commands that other tests run in full.
ELSEWHERE = {
    "pip install": "tests/project/test_package.py",
    "torchrun": "tests/sampling/test_shards.py",
    "ganzoo demo": "tests/demo/test_demo_page.py",
    "python tools/": "by hand: a tool measures for minutes",
}


# Enough for a log line, samples and an evaluation in every training of the guides.
MOST_IMAGES = 400


# Pages whose commands have tests of their own: the README's quick start, the tutorials, trainings,
# metrics, the latent space. `make test` only parses them.
REPEATING = {"index", "measuring", "engineer", "researcher", "publisher", "training"}
REPEATING |= {"fine-tuning", "latent-space"}
REPEATING |= {page.stem for page in PAGES if page.parent.name == "tutorial"}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.stem not in REPEATING], ids=lambda page: page.stem
)
def test_page(page, tmp_path):
    for language, block in blocks_of(page):
        run_block(tmp_path, language, block, tuple(ELSEWHERE), MOST_IMAGES)


def parse(command):
    """Parse the arguments of `ganzoo` as the program does, and run nothing."""
    command, _ = split_imports(command)
    commands = COMMANDS
    while command[0] in SUBCOMMANDS:
        commands, command = SUBCOMMANDS[command[0]], command[1:]
    stubs = {name: functools.wraps(each)(lambda *_, **__: None) for name, each in commands.items()}
    if command[0] == "train" and command[1].startswith("--resume"):
        return
    if command[0] == "import":  # its options depend on the file
        return
    if command[0] == "train":
        parse_recipe(command[1:], "ganzoo train")
    else:
        tyro.extras.subcommand_cli_from_dict(stubs, args=command, **PARSING)


def test_all_commands_have_options_that_exist():
    wrong = []
    for page in PAGES:
        for command in commands_of(page):
            try:
                parse(command)
            except SystemExit as end:
                wrong += [f"{page.name}: ganzoo {' '.join(command)}"] if end.code else []
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_in_full(page, tmp_path):
    for language, block in blocks_of(page):
        run_block(tmp_path, language, block, tuple(ELSEWHERE))


def test_the_weights_that_start_a_recipe():
    """The table of the guide states the options that a training advises, and their share."""
    section = (DOCS / "fine-tuning.md").read_text().split("## Weights for a recipe")[1]
    rows = re.findall(r"\| `([\w-]+)`.* \| `([\w-]+)`.* \| (.*) \| ([\d.]+)% \|", section)
    assert len(rows) == 6
    before = ""
    for name, recipe_name, text, share in rows:
        options = text.strip("`")
        if width := re.fullmatch(r"the same with `(.*)", options):
            options = re.sub(r"--architecture\.width \d+", width[1], before)
        before = options
        model, recipe = TrainedModel.find(name), complete(find_recipe(recipe_name))
        arguments = recipe.dataset.arguments
        image = ImageSpec(*parse_size("", arguments["size"], 1, 999), arguments.get("channels", 3))
        paired = recipe.dataset.name != "folder"
        data = DataSpec(image, condition=image if paired else None)
        suggest = suggest_images if "--dataset" in options else suggest_arguments
        networks = model.load().trained
        fit = suggest(model.bundle.spec, networks, recipe, build_loss(recipe), data)
        assert (" ".join(fit.options), f"{100 * fit.share:.1f}") == (options, share), name


def test_there_are_pages():
    assert {"gan", "vae", "researcher", "engineer"} <= {page.stem for page in PAGES}


def test_the_navigation_lists_every_page():
    config = (ROOT / "mkdocs.yml").read_text()
    nav = yaml.safe_dump(yaml.safe_load(config.replace("!!python/name:", ""))["nav"])
    entries = set(re.findall(r"[\w./-]+\.md", nav))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    for pattern in ("model_cards/*.md", "plugins/README.md", "plugins/*/README.md"):
        pages |= {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)}
    assert entries == pages | {"CHANGELOG.md"}
