"""Render cards, which strangers may have written, as HTML.

HTML in a card is escaped. An image is one of the bundle's files, in the page itself, or its
description; so a card makes no requests.
"""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

MAX_RENDERED = 2**15  # characters; nested marks take up to 30 microseconds each

_COMMENT = re.compile(r"<!--.*?(?:-->\n?|\Z)", re.DOTALL)


def render_card(text: str, find_image: Callable[[str], str | None]) -> str:
    """Return the body of a card as HTML; as plain text if it is longer than `MAX_RENDERED`.

    Args:
        text: the card, without its header.
        find_image: returns a data URL for the name of one of the bundle's image files, else None.
    """
    text = _COMMENT.sub("", text)
    if len(text) > MAX_RENDERED:
        return f"<pre>{html.escape(text)}</pre>"
    rendered: str = _markdown().render(text, {"find_image": find_image})
    return rendered


@cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("image", _image)
    markdown.add_render_rule("link_open", _link)
    return markdown


def _image(
    self: RendererHTML, tokens: Sequence[Token], number: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[number]
    alt = html.escape(token.content)
    url = env["find_image"](posixpath.normpath(str(token.attrs.get("src", ""))))
    return f'<img src="{url}" alt="{alt}">' if url else f"<em>{alt}</em>"


def _link(
    self: RendererHTML, tokens: Sequence[Token], number: int, options: OptionsDict, env: EnvType
) -> str:
    """Return the start of a link; one to another site does not replace the page."""
    token = tokens[number]
    if str(token.attrs.get("href", "")).startswith(("https:", "http:")):
        token.attrs |= {"target": "_blank", "rel": "noopener noreferrer"}
    return self.renderToken(tokens, number, options, env)
