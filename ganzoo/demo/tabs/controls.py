"""Controls that tabs share, and the event handlers that update them."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import gradio as gr
from PIL import Image

from ganzoo.demo.model_cache import ModelCache
from ganzoo.demo.sampling import ALL_CLASSES, classes
from ganzoo.errors import GanzooError
from ganzoo.sampling.sizes import is_large
from ganzoo.spec import MAX_TRUNCATION, ModelSpec

EVENT: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

Settings = Callable[[str], dict[str, Any]]  # of a control, by the name of the model
_Control = TypeVar("_Control", bound=gr.components.Component)


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


class ModelMenu:
    """A menu of models, and the controls that depend on the chosen model.

    A change of the model first updates these controls, and then draws. So a drawing never has the
    settings of another model.

    Attributes:
        menu: the menu.
    """

    def __init__(self, names: Sequence[str], label: str = "model", value: str | None = None):
        self.menu = gr.Dropdown(list(names), value=value or names[0], label=label, filterable=False)
        self._current = gr.State(self.menu.value)  # changes after the controls
        self._controls: list[Any] = []
        self._updates: list[Settings] = []

    def control(
        self, kind: Callable[..., _Control], settings: Settings, **options: Any
    ) -> _Control:
        """Build a control whose settings depend on the name of the model.

        Args:
            kind: class of the control.
            settings: returns them.
            options: the settings that do not depend on the model.
        """
        control = kind(**{**options, **settings(self.menu.value)})
        self._controls.append(control)
        self._updates.append(settings)
        return control

    def on_change(self) -> Any:
        """Connect the controls; return the event after they are updated."""
        if not self._controls:
            return self.menu.change

        def update(name: str) -> list[Any]:
            return [name, *(gr.update(**settings(name)) for settings in self._updates)]

        self.menu.change(
            show_errors(update), self.menu, [self._current, *self._controls], queue=False, **EVENT
        )
        return self._current.change


def live(
    opening: Any,
    controls: Sequence[Any],
    draw: Callable[..., Any],
    outputs: Any,
) -> None:
    """Draw when the tab opens and when a control changes; fast changes draw only the last.

    Each tab calls it once: if two events share a control, gradio repeats each event while the other
    is pending.

    Args:
        opening: the event of the tab's opening.
        controls: components, or menus of models.
        draw: the handler, which gets their values.
        outputs: the components that it draws.
    """
    changes = [
        control.on_change() if isinstance(control, ModelMenu) else control.change
        for control in controls
    ]
    gr.on(
        [opening, *changes],
        show_errors(draw),
        components(controls),
        outputs,
        trigger_mode="always_last",
        **EVENT | {"show_progress": "minimal"},
    )


def run_on_click(
    button: gr.Button,
    controls: Sequence[Any],
    draw: Callable[..., Any],
    output: Any,
    **options: Any,
) -> None:
    """Draw at a click, with a progress bar; the button waits until it is done.

    Args:
        button: the button.
        controls: as for `live`.
        draw: the handler.
        output: what it draws.
        options: further options of the event.
    """
    for control in controls:
        if isinstance(control, ModelMenu):
            control.on_change()
    button.click(
        show_errors(draw),
        components(controls),
        output,
        trigger_mode="once",
        api_visibility="private",
        **options,
    )


def components(controls: Sequence[Any]) -> list[Any]:
    """Return the components of controls."""
    return [control.menu if isinstance(control, ModelMenu) else control for control in controls]


def class_menu(cache: ModelCache, model: ModelMenu, *, all_classes: bool = False) -> gr.Dropdown:
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

    return model.control(gr.Dropdown, choices, label="class", filterable=False)


def truncation_slider(cache: ModelCache, model: ModelMenu) -> gr.Slider:
    """Return a slider of the truncation of w, hidden for a model without a mapping network."""

    def settings(name: str) -> dict[str, Any]:
        styles = cache.spec(name).styles
        return {"value": styles.truncation if styles else 1, "visible": styles is not None}

    return model.control(
        gr.Slider,
        settings,
        minimum=-MAX_TRUNCATION,
        maximum=MAX_TRUNCATION,
        step=0.05,
        label="truncation",
        info="1 for none, 0 for the average image",
    )


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
        elem_classes=["view", "pixels"],
        **options,
    )


def view(image: Image.Image, spec: ModelSpec) -> Any:
    """Return an image for `image_view`: exact PNG, or WebP for images of large ones."""
    if is_large(spec.data.image):
        return gr.update(value=image, format="webp", elem_classes=["view"])
    return gr.update(value=image, format="png", elem_classes=["view", "pixels"])
