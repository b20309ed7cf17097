"""Search the Hub for ganzoo's models."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from datetime import datetime

from huggingface_hub import ModelInfo
from huggingface_hub.errors import HfHubHTTPError

from ganzoo.hub.client import LIBRARY, Connection, connect
from ganzoo.hub.failures import RateLimitError, may_take_token, translated_errors

MAX_RESULTS = 1_000


@dataclass(frozen=True)
class SearchResult:
    """A model on the Hub.

    Attributes:
        repository: ``org/name``.
        downloads: downloads in the last month, None if unknown.
        updated: time of the last commit, None if unknown.
    """

    repository: str
    downloads: int | None
    updated: datetime | None


def search(pattern: str = "*") -> list[SearchResult]:
    """Return the models on the Hub that have the tag ``ganzoo``, newest first.

    Args:
        pattern: a wildcard that must match ``org/name`` or ``name``.

    Raises:
        HubError: the Hub does not answer.
    """
    with translated_errors("the Hub's models"), connect() as connection:
        models = _list(connection)
    return [
        SearchResult(model.id, model.downloads, model.last_modified)
        for model in models
        if any(fnmatch.fnmatchcase(n, pattern) for n in (model.id, model.id.rpartition("/")[2]))
    ]


def _list(connection: Connection) -> list[ModelInfo]:
    """List models, without a token first so that an expired token does not block the search."""

    def request(token: bool | None) -> list[ModelInfo]:
        return connection.retry(
            lambda: list(
                connection.api.list_models(
                    filter=LIBRARY, sort="last_modified", limit=MAX_RESULTS, token=token
                )
            )
        )

    try:
        return request(False)
    except (HfHubHTTPError, RateLimitError) as error:
        if not may_take_token(error):
            raise
        return request(None)  # the user's own
