"""A hook of mkdocs: the pictures of model_cards/, which lies beside docs/, are docs/cards there."""


def on_page_markdown(markdown: str, **_: object) -> str:
    return markdown.replace("../model_cards/images/", "cards/")
