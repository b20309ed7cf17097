"""What a training writes for TensorBoard: ``tensorboard --logdir RUN``."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ganzoo.bundle.files import reporting_output
from ganzoo.errors import missing_extra
from ganzoo.sampling.images import ImageBatch
from ganzoo.training.monitors import Finding

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"
BINS = 64  # of a histogram
SIDE = 1024  # pixels; larger pictures are shown smaller

Wanted = Literal["auto", "on", "off"]


def writes_tensorboard(wanted: Wanted) -> bool:
    """Whether to write for TensorBoard: where it is installed, or as wanted.

    Raises:
        MissingExtraError: it is wanted and not installed.
    """
    if wanted == "off":
        return False
    if importlib.util.find_spec("tensorboard"):
        return True
    if wanted == "on":
        raise missing_extra("--tensorboard on", ModuleNotFoundError(name="tensorboard"))
    return False


class TensorBoardWriter:
    """Scalars, pictures, histograms and findings over the images seen.

    Nothing is imported or written before there is something to show.

    Args:
        folder: where they are written.
        images_seen: where the run goes on; what a run that was cut off wrote beyond is hidden.
        on: whether anything is written at all.
    """

    def __init__(self, folder: Path, images_seen: int, on: bool = True) -> None:
        self.folder = folder
        self.images_seen = images_seen
        self.on = on

    def write(self, line: Mapping[str, Any]) -> None:
        """Show a line of the log, or of the metrics.

        Raises:
            OutputError: it cannot be written.
        """
        if not self.on:
            return
        step = line["images"]
        with reporting_output(self.folder):
            for name, value in _scalars(line):
                self._writer.add_scalar(name, value, step)
            for finding in line.get("findings", []):
                self._writer.add_text("findings", str(Finding(**finding)), step)
            self._writer.flush()  # so that whatever ends the run, what its checkpoints saw is there

    def show(
        self, pictures: Mapping[str, ImageBatch], nets: Mapping[str, nn.Module], images_seen: int
    ) -> None:
        """Show pictures, by file name, and how the weights of networks are distributed.

        Raises:
            OutputError: it cannot be written.
        """
        if not self.on:
            return
        with reporting_output(self.folder):
            for name, picture in pictures.items():
                grid = picture.grid()
                grid.thumbnail((SIDE, SIDE))
                layout = "HWC" if grid.mode == "RGB" else "HW"
                stem = Path(name).stem
                self._writer.add_image(stem, np.asarray(grid), images_seen, dataformats=layout)
            for role, net in nets.items():
                for name, weight in net.named_parameters():
                    self._add_histogram(f"{role}/{name}", weight.detach(), images_seen)
            self._writer.flush()

    def close(self) -> None:
        """Write what is still held back.

        Raises:
            OutputError: it cannot be written.
        """
        if "_writer" in vars(self):
            with reporting_output(self.folder):
                self._writer.close()

    @cached_property
    def _writer(self) -> SummaryWriter:
        from torch.utils.tensorboard import SummaryWriter

        # From this step on, what was written before is not shown.
        return SummaryWriter(str(self.folder), purge_step=self.images_seen + 1)

    def _add_histogram(self, name: str, weight: Tensor, step: int) -> None:
        """Counted where the weight is: all of it would take long to fetch."""
        values = weight.float()
        low, high = (float(end) for end in values.aminmax())
        if not np.isfinite(high - low):
            return
        if low == high:
            low, high = low - 0.5, high + 0.5
        # torch.histc has no deterministic form on GPUs.
        bins = ((values - low) / (high - low) * BINS).long().clamp(0, BINS - 1).flatten()
        counts = torch.bincount(bins, minlength=BINS)
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


def _scalars(line: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """All numbers of a line, by the names that TensorBoard groups them by."""
    for entry, value in line.items():
        if isinstance(value, Mapping) and entry not in ("in_force", "protocol"):
            yield from ((f"{entry}/{name}", x) for name, x in value.items() if _is_number(x))
    if "images_per_second" in line:
        yield "speed/images_per_second", line["images_per_second"]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
