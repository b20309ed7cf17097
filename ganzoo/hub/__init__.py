"""The Hugging Face Hub: pull models, push them, find them. All that imports its client."""

from ganzoo.hub.pulling import pull
from ganzoo.hub.pushing import Pushed, push
from ganzoo.hub.searching import Found, search

__all__ = ["Found", "Pushed", "pull", "push", "search"]
