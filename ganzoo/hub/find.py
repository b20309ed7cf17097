"""Which of the Hub's models are ganzoo's."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from datetime import datetime

from huggingface_hub import HfApi, ModelInfo, get_session
from huggingface_hub.errors import HfHubHTTPError

from ganzoo.hub.client import LIBRARY, connected
from ganzoo.hub.failures import RateLimitError, explained, may_take_token, persist

MOST = 1_000  # that are listed


@dataclass(frozen=True)
class Found:
    """A model of the Hub.

    Attributes:
        repository: ``org/name``.
        downloads: in the last month, None if the Hub does not say.
        updated: its last commit.
    """

    repository: str
    downloads: int | None
    updated: datetime | None


def search(pattern: str = "*") -> list[Found]:
    """Return the Hub's public models that are tagged as ganzoo's, by wildcard, newest first.

    Args:
        pattern: matched with ``org/name`` and with ``name``.

    Raises:
        HubError: the Hub cannot be asked.
    """
    with explained("the Hub's models"), connected() as api:
        # The client's own request would be repeated for half a minute where there is no network.
        persist(lambda: get_session().head(api.endpoint))
        models = _list(api)
    return [
        Found(model.id, model.downloads, model.last_modified)
        for model in models
        if any(fnmatch.fnmatchcase(n, pattern) for n in (model.id, model.id.rpartition("/")[2]))
    ]


def _list(api: HfApi) -> list[ModelInfo]:
    """Ask without a token first: one that has expired should not be in the way."""

    def ask(token: bool | None) -> list[ModelInfo]:
        found = api.list_models(filter=LIBRARY, sort="last_modified", limit=MOST, token=token)
        return list(found)

    try:
        return ask(False)
    except (HfHubHTTPError, RateLimitError) as error:
        if not may_take_token(error):
            raise
        return ask(None)  # the user's own
