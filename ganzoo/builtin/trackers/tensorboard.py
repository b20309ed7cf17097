"""Tracker: write the folder ``tensorboard`` of a run, for ``tensorboard --logdir RUN``."""

from __future__ import annotations

import html
import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor, nn

from ganzoo import ImageBatch, Tracker
from ganzoo.errors import missing_extra, printable

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from ganzoo.training import TrackedRun

FOLDER = "tensorboard"
BINS = 64  # bins of a histogram
SIDE = 1024  # pixels of the longest side; larger grids are scaled down


class TensorBoard(Tracker):
    """Logs scalars, images, histograms of weights and texts over images seen.

    Raises:
        MissingExtraError: tensorboard is not installed.
    """

    def __init__(self) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            raise missing_extra(
                "the tracker 'tensorboard'", ModuleNotFoundError(name="tensorboard")
            )

    def start(self, run: TrackedRun) -> None:
        """Open a new file in the run's folder, and hide later steps of earlier files."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer: SummaryWriter = SummaryWriter(
            str(run.path / FOLDER), purge_step=run.images_seen + 1
        )

    def log_scalars(self, images: int, scalars: Mapping[str, float]) -> None:
        """Log named numbers."""
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, images)
        self._writer.flush()  # a killed run keeps the values up to its checkpoint

    def log_images(self, images: int, name: str, batch: ImageBatch) -> None:
        """Log images as one grid."""
        grid = batch.grid()
        grid.thumbnail((SIDE, SIDE))
        layout = "HWC" if grid.mode == "RGB" else "HW"
        self._writer.add_image(name, np.asarray(grid), images, dataformats=layout)
        self._writer.flush()

    def log_weights(self, images: int, networks: Mapping[str, nn.Module]) -> None:
        """Log a histogram of each weight."""
        for role, network in networks.items():
            for name, weight in network.named_parameters():
                self._add_histogram(f"{role}/{name}", weight.detach(), images)
        self._writer.flush()

    def log_text(self, images: int, name: str, text: str) -> None:
        """Log a text."""
        # The page renders texts as Markdown, in which HTML is HTML.
        self._writer.add_text(name, html.escape(printable(text), quote=False), images)
        self._writer.flush()

    def finish(self) -> None:
        """Close the file."""
        self._writer.close()

    def _add_histogram(self, name: str, weight: Tensor, step: int) -> None:
        """Log a histogram, counted on the weight's device: this is faster than a copy."""
        values = weight.float()
        low, high = (float(limit) for limit in values.aminmax())
        if not np.isfinite(high - low):
            return
        if low == high:
            low, high = low - 0.5, high + 0.5
        # torch.histc has no deterministic implementation on GPUs.
        bins = ((values - low) / (high - low) * BINS).long().clamp(0, BINS - 1).flatten()
        counts = bins.bincount(minlength=BINS)
        self._writer.add_histogram_raw(
            name,
            min=low,
            max=high,
            num=values.numel(),
            sum=float(values.sum()),
            sum_squares=float(values.square().sum()),
            bucket_limits=np.linspace(low, high, BINS + 1)[1:].tolist(),
            bucket_counts=counts.tolist(),
            global_step=step,
        )


def tensorboard() -> Tracker:
    """Return a tracker that writes event files for TensorBoard, https://www.tensorflow.org/tensorboard."""
    return TensorBoard()
