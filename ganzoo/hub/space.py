"""Write the files of a Space, which runs `ganzoo demo` for a model on the Hub."""

from __future__ import annotations

import hashlib
from importlib import metadata

import yaml

from ganzoo.bundle import CARD
from ganzoo.cards import read_header
from ganzoo.hub.card import sign_card
from ganzoo.hub.client import PUBLIC
from ganzoo.hub.repo_files import RepoFiles
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.names import HubName

APP = "app.py"
REQUIREMENTS = "requirements.txt"
GRADIO = "6.31.0"  # a Space pins one version; the page was last checked with this one
PYTHON = "3.12"  # a Space's default Python is too old for ganzoo


def pack_space(model: HubName, card: str) -> RepoFiles:
    """Return the files of a Space that shows one model of the Hub, without torch.

    Args:
        model: the model; for a branch, the Space loads the branch's commit when it starts.
        card: the model's card; the Space has the same licence.
    """
    name = model.repository.partition("/")[2]
    header = {
        "title": name,
        "emoji": "🎲",
        "colorFrom": "indigo",
        "colorTo": "pink",
        "sdk": "gradio",
        "sdk_version": GRADIO,
        "python_version": PYTHON,
        "app_file": APP,
        "models": [model.repository],
        "license": read_header(card).get("license"),
    }
    header_text = yaml.safe_dump(header, sort_keys=False, allow_unicode=True)
    readme = (
        f"---\n{header_text}---\n\n# {name}\n\n"
        f"A demo of the model [{model.repository}]({PUBLIC}/{model.repository}), built with "
        "ganzoo.\n"
    )
    texts = {
        APP: f'from ganzoo.demo import launch\n\nlaunch(["{model}"])\n',
        REQUIREMENTS: f"{DISTRIBUTION}[demo]=={metadata.version(DISTRIBUTION)}\n",
        CARD: sign_card(readme),
    }
    contents = {file: text.encode() for file, text in texts.items()}
    digests = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
    return RepoFiles(dict(contents), digests)
