"""Mode collapse: the generator makes the same few images whatever the latent."""

from __future__ import annotations

from ganzoo.training.monitors.monitor import Line, Monitor

LOW = 0.25  # of the diversity of real images
FEW = 0.5  # of the classes that as many real images show
START = 0.2  # of the run, in which a generator may be without diversity as it was born


class ModeCollapse(Monitor):
    """Generated images differ far less among each other than real ones do.

    "NIPS 2016 Tutorial: Generative Adversarial Networks" (Goodfellow, 2016), section 5.1.1,
    https://arxiv.org/abs/1701.00160. A generator begins without diversity: lacking it counts once
    there was some, or after a fifth of the run. Modes that are lost while what is left of them lies
    as far apart as before are seen by a classifier alone.

    Args:
        images: of the whole run.
    """

    name = "mode collapse"
    needs = ("samples",)
    lines = 2
    remedy = (
        "another loss (--loss wgan-gp, or --loss rpgan --loss.r1 1 --loss.r2 1), a penalty "
        "(--loss.r1 1), a lower --optimizer.lr, or a larger --batch-size"
    )

    def __init__(self, images: int) -> None:
        self._start = START * images
        self._was_diverse = False

    def see(self, line: Line) -> str:
        """Say how few there are of images or of classes."""
        samples, seen = line["samples"], []
        diversity = samples.get("diversity", 1.0)
        self._was_diverse |= diversity >= 2 * LOW
        if diversity < LOW and (self._was_diverse or line["images"] > self._start):
            seen.append(
                f"generated images differ from each other {diversity:.2g} times as much as real "
                "ones do"
            )
        made, real = (
            {number for number, count in enumerate(samples.get(name, [])) if count}
            for name in ("classes", "real_classes")
        )
        if len(made) < FEW * len(real) and line["images"] > self._start:
            seen.append(
                f"generated images are of {len(made)} classes, as many real ones of {len(real)}"
            )
        return " and ".join(seen)
