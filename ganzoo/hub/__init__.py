"""The Hugging Face Hub: pull models, push them, find them. All that imports its client."""

from ganzoo.hub.download import pull
from ganzoo.hub.find import Found, search
from ganzoo.hub.upload import Pushed, push

__all__ = ["Found", "Pushed", "pull", "push", "search"]
