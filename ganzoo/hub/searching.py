"""Which of the Hub's models are ganzoo's."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from datetime import datetime

from huggingface_hub import get_session

from ganzoo.hub.client import LIBRARY, connected
from ganzoo.hub.failures import explained, persist

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
    """Return the Hub's models that are tagged as ganzoo's, by wildcard, newest first.

    Args:
        pattern: matched with ``org/name`` and with ``name``.

    Raises:
        HubError: the Hub cannot be asked.
    """
    with explained("the Hub's models"), connected() as api:
        # The client's own request would be repeated for half a minute where there is no network.
        persist(lambda: get_session().head(api.endpoint))
        models = list(api.list_models(filter=LIBRARY, sort="last_modified", limit=MOST))
    return [
        Found(model.id, model.downloads, model.last_modified)
        for model in models
        if any(fnmatch.fnmatchcase(n, pattern) for n in (model.id, model.id.rpartition("/")[2]))
    ]
