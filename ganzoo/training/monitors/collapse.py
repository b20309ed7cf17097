"""Mode collapse: the generator makes the same few images whatever the latent."""

from __future__ import annotations

from collections import deque

from ganzoo.training.monitors.monitor import Line, Monitor

DIVERSE, LOW = 0.5, 0.25  # of the diversity of real images
NEAR = 0.25  # distance from the data: noise, as it is made before any training, is diverse too
FEW = 2 / 3  # of the classes that as many real images show
TICKS, SHARE = 1000, 0.2  # of a run, in which a generator may be as it was born
GROWTH, MEASURED = 1.1, 10  # what grows so much in so many measurements is not stuck


class ModeCollapse(Monitor):
    """Generated images differ far less among each other than real ones do.

    "NIPS 2016 Tutorial: Generative Adversarial Networks" (Goodfellow, 2016), section 5.1.1,
    https://arxiv.org/abs/1701.00160. A generator begins without diversity, and may take long to
    find some. So lacking it counts where there was some, and otherwise when much of the run is
    over and none is growing. Modes that are lost while the others lie as far apart as before are
    seen by a classifier alone.

    Args:
        images: of the whole run.
    """

    name = "mode collapse"
    needs = ("samples",)
    begins, ends = 2, 2
    remedy = (
        "another loss (--loss wgan-gp, or --loss rpgan --loss.r1 1 --loss.r2 1), a penalty "
        "(--loss.r1 1), a lower --optimizer.lr, or a larger --batch-size"
    )

    def __init__(self, images: int) -> None:
        self._images = images
        self._counts = False  # whether lacking diversity does by now
        self._recent: deque[float] = deque(maxlen=MEASURED)

    def see(self, line: Line) -> str:
        """Say how little images differ, and how few classes there are."""
        late = line["tick"] >= TICKS and line["images"] >= SHARE * self._images
        samples, seen = line["samples"], []
        if (diversity := samples.get("diversity")) is not None:
            stuck = len(self._recent) == MEASURED and diversity < GROWTH * self._recent[0]
            self._recent.append(diversity)
            learned = diversity >= DIVERSE and samples.get("distance", 1.0) <= NEAR
            self._counts |= learned or (late and stuck)
            if diversity < LOW and self._counts:
                seen.append(
                    f"generated images differ from each other {diversity:.2g} times as much as "
                    "real ones do"
                )
        made, real = (
            sum(count > 0 for count in samples.get(name, []))
            for name in ("classes", "real_classes")
        )
        if made < FEW * real and late:
            seen.append(f"generated images are of {made} classes, as many real ones of {real}")
        return " and ".join(seen)
