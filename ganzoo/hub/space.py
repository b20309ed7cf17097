"""A Space: where a model on the Hub can be played with, as `ganzoo demo` shows it."""

from __future__ import annotations

import hashlib
from importlib import metadata

import yaml
from huggingface_hub import ModelCard

from ganzoo.bundle import CARD
from ganzoo.hub.card import sign_card
from ganzoo.hub.client import PUBLIC
from ganzoo.hub.repo_files import RepoFiles
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.names import HubName

APP = "app.py"
REQUIREMENTS = "requirements.txt"
GRADIO = "6.31.0"  # a Space names one version; the page was last looked at with this one
PYTHON = "3.12"  # a Space's own default is older than ganzoo runs on


def pack_space(model: HubName, card: str) -> RepoFiles:
    """Write a Space's files: a page of one model, which it loads from the Hub, without torch.

    Args:
        model: where the model is; of a branch, the Space shows what is there when it starts.
        card: the model's, whose licence is the Space's too.
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
        "license": ModelCard(card).data.get("license"),
    }
    written = yaml.safe_dump(header, sort_keys=False, allow_unicode=True)
    readme = (
        f"---\n{written}---\n\n# {name}\n\n"
        f"A page to play with [{model.repository}]({PUBLIC}/{model.repository}), a "
        "model of ganzoo's.\n"
    )
    texts = {
        APP: f'from ganzoo.demo import launch\n\nlaunch(["{model}"])\n',
        REQUIREMENTS: f"{DISTRIBUTION}[demo]=={metadata.version(DISTRIBUTION)}\n",
        CARD: sign_card(readme),
    }
    contents = {file: text.encode() for file, text in texts.items()}
    digests = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
    return RepoFiles(dict(contents), digests)
