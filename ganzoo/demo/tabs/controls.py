"""The controls that tabs share, and how an answer comes to them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.sampling import EACH, classes
from ganzoo.errors import GanzooError

EVENT: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def answered(act: Callable[..., Any]) -> Callable[..., Any]:
    """Turn our errors into a message; what is on the screen stays there."""

    @functools.wraps(act)
    def answer(*arguments: Any) -> Any:
        try:
            return act(*arguments)
        except GanzooError as error:
            gr.Warning(str(error), title="That does not work")
            return gr.skip()

    return answer


def live(
    page: gr.Blocks,
    controls: Sequence[Any],
    draw: Callable[..., Any],
    outputs: Any,
) -> None:
    """Draw when the page is opened and whenever a control changes; of many changes, the last.

    A tab calls it once: of two events with a control in common, gradio sends each again and again
    while the other is answered.
    """
    gr.on(
        [page.load, *(control.change for control in controls)],
        answered(draw),
        list(controls),
        outputs,
        trigger_mode="always_last",
        **EVENT,
    )


def model_menu(names: Sequence[str], label: str = "model", value: str | None = None) -> gr.Dropdown:
    """A menu of models."""
    return gr.Dropdown(list(names), value=value or names[0], label=label, filterable=False)


def class_menu(cache: ModelCache, model: gr.Dropdown, *, each: bool = False) -> gr.Dropdown:
    """A menu of the model's classes, which is there only where there are some."""
    first = (EACH,) if each else ()

    def choices(name: str) -> dict[str, Any]:
        found = classes(cache.spec(name))
        offered = [*first, *found] if found else []
        return {
            "choices": offered,
            "value": offered[0] if offered else None,
            "visible": bool(found),
        }

    menu = gr.Dropdown(label="class", filterable=False, **choices(model.value))
    model.change(
        answered(lambda name: gr.update(**choices(name))), model, menu, queue=False, **EVENT
    )
    return menu


def seed_box(label: str, value: int, *, visible: bool = True) -> gr.Number:
    """A seed, with a button that throws dice for another."""
    with gr.Column(min_width=120, elem_classes="seed", visible=visible):
        box = gr.Number(value, label=label, precision=0)
        dice = gr.Button("another", size="sm", min_width=40)
    dice.click(None, None, box, js="() => Math.floor(Math.random() * 1000000)", **EVENT)
    return box


def picture(label: str, **how: Any) -> gr.Image:
    """Where a picture is shown, below what it is."""
    gr.Markdown(label, elem_classes="caption")
    return gr.Image(
        label=label,
        show_label=False,
        format="png",
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_classes="pixels",
        **how,
    )
