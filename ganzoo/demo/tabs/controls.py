"""Controls that tabs share, and the event handlers that update them."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.sampling import ALL_CLASSES, classes
from ganzoo.errors import GanzooError

EVENT: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def show_errors(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return a handler that shows ganzoo's errors as a message and leaves its outputs unchanged."""

    @functools.wraps(handler)
    def wrapper(*arguments: Any) -> Any:
        try:
            return handler(*arguments)
        except GanzooError as error:
            gr.Warning(html.escape(str(error), quote=False), title="Error")  # it is shown as HTML
            return gr.skip()

    return wrapper


def live(
    page: gr.Blocks,
    controls: Sequence[Any],
    draw: Callable[..., Any],
    outputs: Any,
) -> None:
    """Draw when the page opens and when a control changes; fast changes draw only the last.

    Each tab calls it once: if two events share a control, gradio repeats each event while the other
    is pending.
    """
    gr.on(
        [page.load, *(control.change for control in controls)],
        show_errors(draw),
        list(controls),
        outputs,
        trigger_mode="always_last",
        **EVENT,
    )


def model_menu(names: Sequence[str], label: str = "model", value: str | None = None) -> gr.Dropdown:
    """Return a menu of models."""
    return gr.Dropdown(list(names), value=value or names[0], label=label, filterable=False)


def class_menu(cache: ModelCache, model: gr.Dropdown, *, all_classes: bool = False) -> gr.Dropdown:
    """Return a menu of the model's classes, hidden for a model without classes.

    Args:
        cache: the page's models.
        model: the menu of models that selects the classes.
        all_classes: whether the first choice is all classes.
    """
    first = (ALL_CLASSES,) if all_classes else ()

    def choices(name: str) -> dict[str, Any]:
        names = classes(cache.spec(name))
        options = [*first, *names] if names else []
        return {
            "choices": options,
            "value": options[0] if options else None,
            "visible": bool(names),
        }

    menu = gr.Dropdown(label="class", filterable=False, **choices(model.value))
    model.change(
        show_errors(lambda name: gr.update(**choices(name))), model, menu, queue=False, **EVENT
    )
    return menu


def seed_box(label: str, value: int, *, visible: bool = True) -> gr.Number:
    """Return a field for a seed, with a button for a random seed."""
    with gr.Column(min_width=120, elem_classes="seed", visible=visible):
        box = gr.Number(value, label=label, precision=0)
        random = gr.Button("random", size="sm", min_width=40)
    random.click(None, None, box, js="() => Math.floor(Math.random() * 1000000)", **EVENT)
    return box


def image_view(label: str, **options: Any) -> gr.Image:
    """Return an image with a label above it; options are those of `gradio.Image`."""
    gr.Markdown(label, elem_classes="caption")
    return gr.Image(
        label=label,
        show_label=False,
        format="png",
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_classes="pixels",
        **options,
    )
