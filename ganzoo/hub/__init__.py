"""Search, pull and push models on the Hugging Face Hub. No other package imports its client."""

from ganzoo.hub.download import pull
from ganzoo.hub.find import SearchResult, search
from ganzoo.hub.upload import Pushed, push

__all__ = ["Pushed", "SearchResult", "pull", "push", "search"]
