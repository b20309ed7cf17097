"""A hook of mkdocs: rewrite links to model_cards/images/ as links to docs/cards/."""


def on_page_markdown(markdown: str, **_: object) -> str:
    return markdown.replace("../model_cards/images/", "cards/")
