"""Cards of strangers: no text makes a search take more than linear time. A search that does takes
hours on these texts."""

import re

import pytest

import ganzoo
from ganzoo import cards
from ganzoo.bundle import MAX_CARD
from ganzoo.cards.tables import read_rows
from ganzoo.demo.cards import card
from ganzoo.demo.gallery import write_gallery
from ganzoo.demo.markdown import MAX_RENDERED, render_card
from ganzoo.errors import CardError, GanzooError, PublishError, RecipeError
from ganzoo.hub.card import check_card
from ganzoo.hub.failures import _without_secrets
from ganzoo.spec import ModelSpec
from ganzoo.spec.durations import parse_duration
from ganzoo.zoo import find
from helpers.bundles import change_config, rehash

PARTS = {
    "images": "![",
    "links": "![](",
    "files": "![](a ",
    "captions": "![a](b",
    "comments": "<!--",
    "cells": "| a ",
    "lines": "\n",
    "headings": "# a\n###### \n",
    "brackets": "[",
    "references": "[a][",
    "emphasis": "*_",
    "HTML": "<img src='http://x/y.png'>\n",
}


def filled(part, size=MAX_CARD - 100):
    return part * (size // len(part))


@pytest.mark.parametrize("part", PARTS)
def test_the_demo_shows_any_card(bundle, part):
    """A long card is plain text: nested marks would take seconds."""
    (bundle / "README.md").write_text("# Title\n\n" + filled(PARTS[part]))
    rehash(bundle)
    page = card("tiny", find(bundle))
    assert page.startswith("<h1>Title" if part == "comments" else "<pre># Title")
    (bundle / "README.md").write_text("# Title\n\n" + filled(PARTS[part], 1000))
    page += card("tiny", find(bundle))
    assert "<h1>Title</h1>" in page
    assert "<img" not in page, "it would request the image"


def test_a_table_of_many_columns_is_short():
    """Renderers add the missing cells of each row."""
    columns = MAX_RENDERED // 8
    text = "|a" * columns + "\n" + "|-" * columns + "\n" + "a\n" * columns
    assert len(text) < MAX_RENDERED
    assert len(render_card(text, lambda name: None)) < 2_000_000


LINKS = {
    "https://a/b": '<a href="https://a/b" target="_blank" rel="noopener noreferrer">',
    "#results": '<a href="#results">',
    "javascript:alert(1)": "",
    "data:text/html,x": "",
}


@pytest.mark.parametrize("address", LINKS)
def test_links_of_a_card(address):
    page = render_card(f"[l]({address})", lambda name: None)
    assert (LINKS[address] or "[l](") in page
    assert ("<a" in page) == bool(LINKS[address])


def test_html_of_a_card_is_text():
    text = "<script>x</script>\n\na <b onclick=x>b</b> `<i>`\n\n```<u\n<s>\n```\n<!-- c --><p\n"
    tags = set(re.findall(r"<[^>]*>", render_card(text, lambda name: None)))
    assert tags <= {
        "<p>",
        "</p>",
        "<code>",
        "</code>",
        "<pre>",
        "</pre>",
        '<code class="language-&lt;u">',
    }


@pytest.mark.parametrize(
    "text", [*map(filled, PARTS.values()), "#" + filled(" "), "---\n" + filled("--- x\n")]
)
def test_any_card_is_checked(text):
    assert isinstance(list(cards.find_unfinished(text)), list)
    assert list(read_rows(text)) == []
    assert cards.split_header(text) == ("", text)
    assert cards.read_header(text) == {}


def test_images_that_are_written_otherwise(bundle):
    (bundle / "README.md").write_text(
        "![samples](samples.png) ![a](http://x/a.png) ![b][c] ![[d]](e.png) ![f](<g h.png>)\n"
        "![titled](samples.png 'Title') plain!\n\n[c]: http://x/c.png"
    )
    rehash(bundle)
    page = card("tiny", find(bundle))
    assert page.count('<img src="data:image/png;base64,') == page.count("<img") == 2
    assert page.count('alt="samples"') == page.count('alt="titled"') == 1
    assert "http://" not in page
    assert "plain!" in page


def test_a_card_that_is_too_long(bundle, tmp_path):
    (bundle / "README.md").write_text("# Long\n" + "x" * MAX_CARD)
    rehash(bundle)
    text = rf"README\.md has 262,151 bytes; the limit is {MAX_CARD:,}\. Get the bundle again\."
    with pytest.raises(CardError, match=text):
        cards.read(bundle)
    with pytest.warns(UserWarning, match=text):
        write_gallery([bundle], tmp_path / "gallery.html")
    assert "<h1>tiny</h1>" in card("tiny", find(bundle)), "the demo generates one"
    assert ganzoo.load(bundle, runtime="onnx").sample(1)


def test_other_texts_of_strangers(bundle):
    with pytest.raises(RecipeError, match="is not a duration"):
        parse_duration(filled("1"))
    assert parse_duration("1.5h 30m") == 7200
    assert _without_secrets(filled("a") + " https://x/y?token=1 hf_abc") == filled("a")[:300]
    assert _without_secrets("see https://x/y?token=1 and hf_abc Bearer x") == "see ... and ... ..."
    for part in ("a", "a.", "-a", " "):
        change_config(bundle, lambda c, part=part: c.update(requires=["a" + filled(part) + "\0"]))
        with pytest.raises(GanzooError, match="is not a distribution with versions"):
            ModelSpec.from_json((bundle / "config.json").read_bytes())


LEVELS = "".join(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]\n" for k in range(1, 12))
HEADERS = {
    "an alias": (f"a0: &a0 [x]\n{LEVELS}tags: *a11", "it has the alias 'a0'; write the value"),
    "an alias of itself": ("tags: &a [*a]", "it has the alias 'a'; write the value"),
    "a repeated key": ("license: mit\nlicense: gpl", "it has the key 'license' more than once"),
    "a long number": (f"license: 0x{'f' * 9000}", "a number is too large"),
    "a long header": ("a: b\n" * 20_000, "has 100,001 characters; the limit is 65,536"),
}


@pytest.mark.parametrize(("header", "message"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_parsers_read_differently_or_slowly(header, message):
    text = f"---\n{header}\n---\n# Title\n\nText.\n"
    with pytest.raises(CardError, match=re.escape(message)):
        cards.read_header(text)
    with pytest.raises(PublishError, match=re.escape(message)):
        check_card(text)


def test_a_card_may_begin_with_a_byte_order_mark(bundle):
    text = "---\nlicense: mit\n---\n# Title\n"
    (bundle / "README.md").write_text(text, encoding="utf-8-sig")
    assert cards.read_header(cards.read(bundle)) == {"license": "mit"}
    assert card("tiny", find(bundle)) == "<h1>Title</h1>\n"


def test_tables_and_headings_mean_what_they_did():
    text = "| | |\n|---|---|\n| a | b |\n| c | d | e |\n| | x |\n|f | g |\n"
    assert list(read_rows(text)) == [("a", "b"), ("c", "d | e")]
    text = "# A\ntext\n## B  \n\n##\n####### C\n<!-- # D -->\n# E\n<!-- open\nTODO"
    (sentence,) = cards.find_unfinished(text)
    assert sentence.startswith("the card's section 'E' is empty.")
    assert cards.split_header("---\na: 1\n---\nb") == ("---\na: 1\n---\n", "b")
    assert cards.split_header("---\n---") == ("---\n---", "")
    assert cards.split_header("---\r\na: 1\r\n--- \r\nb")[1] == "b"
    assert cards.split_header("---\na: 1\n----\n") == ("", "---\na: 1\n----\n")
    assert cards.split_header("\n---\n---\n") == ("", "\n---\n---\n")
