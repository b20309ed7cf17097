"""Build the page."""

from __future__ import annotations

import gradio as gr

from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.tabs import select_tabs

QUEUE_SIZE = 64  # waiting requests; further ones get an error
CONCURRENCY = 2  # requests of each kind that are computed at the same time
CACHE_SECONDS = 600  # after which generated images are deleted

STYLE = """
.html-container { padding: 0 !important; }
.pixels img { image-rendering: pixelated; }
.view .icon-button-wrapper { opacity: 0; }
.view:hover .icon-button-wrapper, .view:focus-within .icon-button-wrapper { opacity: 1; }
.caption { font-size: 0.9em; opacity: 0.75; }
.figures {
  display: grid; gap: 16px; max-width: 1080px;
  grid-template-columns: repeat(auto-fit, minmax(min(180px, 28%), 1fr));
}
.figures figure { margin: 0; max-width: 336px; }
.figures img { width: 100%; image-rendering: pixelated; border-radius: 8px; display: block; }
.figures figcaption { font-size: 0.9em; text-align: center; margin-top: 4px; }
.animation { margin: 0; }
.animation a { text-decoration: underline; }
.animation img {
  width: 100%; max-width: 512px; image-rendering: pixelated;
  border: 1px solid var(--border-color-primary); border-radius: 8px;
}
.seed { gap: 4px; }
input[role="combobox"][readonly] { padding-right: 24px !important; text-overflow: ellipsis; }
.wrap.minimal { animation: appear 0.5s step-end; }
.wrap.minimal ~ .pending { opacity: 1 !important; }
@keyframes appear { from { visibility: hidden; } }
#plane img { cursor: crosshair; }
.card { max-width: 860px; }
.card img { max-width: min(100%, 480px); image-rendering: pixelated; }
.card pre {
  border: 1px solid var(--border-color-primary); border-radius: 8px;
  overflow-x: auto; padding: 8px 12px;
}
.card td { word-break: normal; overflow-wrap: anywhere; }
.card :not(pre) > code { white-space: normal; overflow-wrap: anywhere; }
.card td:first-child { white-space: nowrap; }
.figures-table { overflow-x: auto; font-size: 0.85em; }
.figures-table td, .figures-table th { white-space: nowrap; padding: 4px 8px; }
"""

# Fonts of the visitor's machine: the page downloads no fonts.
THEME = gr.themes.Base(
    primary_hue="indigo",
    neutral_hue="slate",
    font=["ui-sans-serif", "system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)


def build(cache: ModelCache) -> gr.Blocks:
    """Build the page; it stores no visitor's state, so visitors cannot affect each other."""
    page: gr.Blocks = gr.Blocks(
        title="ganzoo", analytics_enabled=False, delete_cache=(CACHE_SECONDS, CACHE_SECONDS)
    )
    with page:
        gr.Markdown(
            "# ganzoo\nAn interactive demo of generative adversarial networks. Change a control, "
            "and the images follow."
        )
        for number, (title, build_tab) in enumerate(select_tabs(cache).items()):
            with gr.Tab(title) as tab:
                build_tab(cache, tab.select if number else page.load)
    page.queue(max_size=QUEUE_SIZE, default_concurrency_limit=CONCURRENCY)
    return page
