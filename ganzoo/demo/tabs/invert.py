"""The code of an uploaded photo."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ganzoo.demo import inversion
from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.render import enlarge, figures
from ganzoo.demo.tabs.controls import EVENT, ModelMenu, class_menu, run_on_click, show_errors
from ganzoo.demo.tabs.layout import control_column, drawing_column

SIDE = 336  # pixels of each image
PLACEHOLDER = '<p class="caption">The photo and its reconstruction appear here.</p>'
PHOTO = '${value ? `<img src="${value}" alt="uploaded photo">` : \'<p>no photo yet</p>\'}'


def invert(cache: ModelCache, opening: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with control_column(
            "Inversion searches for the code whose image is nearest to a photo, by gradient "
            "descent. **Upload a photo** that is aligned as the training images are."
        ):
            photo = gr.HTML(
                "",
                html_template=PHOTO,
                css_template="img { max-height: 200px; border-radius: 8px; }",
                apply_default_css=False,
            )
            upload = gr.UploadButton("Upload a photo", file_types=["image"], type="filepath")
            model = ModelMenu(cache.unconditional_first)
            label = class_menu(cache, model, all_classes=True)
            space = _space_menu(cache, model)
            steps = gr.Slider(
                *inversion.STEPS,
                200,
                step=20,
                label="steps",
                info=f"more steps come nearer; the search ends after {inversion.SECONDS} seconds",
            )
            button = gr.Button("Invert", variant="primary")
        with drawing_column():
            output = gr.HTML(PLACEHOLDER, apply_default_css=False)

    def draw(
        url: Any,
        name: str,
        label: str | None,
        space: str,
        steps: Any,
        progress: Any = gr.Progress(),  # noqa: B008 - gradio replaces it
    ) -> str:
        has_encoder = name in cache.autoencoders
        result = inversion.reconstruct(
            cache.generator(name, "torch"),
            url,
            space=space,
            steps=steps,
            label=label,
            encoder=cache.encoder(name) if has_encoder else None,
            progress=progress,
        )
        batches = {"photo": result.photo, result.text: result.image}
        if result.whole is not None:
            batches = {"whole photo": result.whole, **batches}
        return figures([(text, enlarge(each.pil()[0], SIDE)) for text, each in batches.items()])

    upload.upload(show_errors(inversion.read_photo), upload, photo, **EVENT)
    run_on_click(button, [photo, model, label, space, steps], draw, output, concurrency_limit=1)


def _space_menu(cache: ModelCache, model: ModelMenu) -> gr.Radio:
    """Return the spaces of codes, hidden if there is one alone."""

    def settings(name: str) -> dict[str, Any]:
        spaces = inversion.spaces(cache.spec(name))
        return {"choices": spaces, "value": spaces[0], "visible": len(spaces) > 1}

    return model.control(
        gr.Radio,
        settings,
        label="space",
        info="w+ has one w for each layer: nearer to any photo, but farther from the training",
    )
