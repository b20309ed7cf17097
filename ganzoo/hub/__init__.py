"""Search, pull and push models on the Hugging Face Hub. No other package imports its client."""

from ganzoo.hub.download import pull
from ganzoo.hub.find import SearchResult, search
from ganzoo.hub.single_file import download_file
from ganzoo.hub.upload import Pushed, push

__all__ = ["Pushed", "SearchResult", "download_file", "pull", "push", "search"]
