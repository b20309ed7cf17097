"""Mode collapse: the generator makes the same few images for all latents."""

from __future__ import annotations

from collections import deque

from ganzoo.training.monitors.adversarial import has_discriminator
from ganzoo.training.monitors.monitor import Line, Monitor
from ganzoo.training.prepared import Prepared

DIVERSE, LOW = 0.5, 0.25  # as shares of the diversity of real images
NEAR = 0.25  # distance from the data; the noise of an untrained generator is diverse, but further
FEW = 2 / 3  # of the classes that the same number of real images shows
TICKS, SHARE = 1000, 0.2  # of a run; before that, low diversity may be due to the initialisation
GROWTH, MEASURED = 1.1, 10  # diversity is stuck if it grows less than this in so many measurements


def mode_collapse(training: Prepared) -> ModeCollapse | None:
    """Return the monitor of mode collapse, if the training has a discriminator."""
    if not has_discriminator(training.state.loss):
        return None
    return ModeCollapse(training.recipe.images)


class ModeCollapse(Monitor):
    """Generated images differ from each other far less than real images do.

    "NIPS 2016 Tutorial: Generative Adversarial Networks" (Goodfellow, 2016), section 5.1.1,
    https://arxiv.org/abs/1701.00160. A generator starts without diversity and may need long to
    gain it. So low diversity is reported only after the generator was diverse once, or late in the
    run if diversity does not grow. If modes are lost while the others keep their distances, only a
    classifier detects it.

    Args:
        images: length of the run.
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
        self._armed = False  # whether low diversity is a failure from now on
        self._recent: deque[float] = deque(maxlen=MEASURED)

    def check(self, line: Line) -> str:
        """Describe a lack of diversity or of classes."""
        late = line["tick"] >= TICKS and line["images"] >= SHARE * self._images
        samples, problems = line["samples"], []
        if (diversity := samples.get("diversity")) is not None:
            stuck = len(self._recent) == MEASURED and diversity < GROWTH * self._recent[0]
            self._recent.append(diversity)
            learned = diversity >= DIVERSE and samples.get("distance", 1.0) <= NEAR
            self._armed |= learned or (late and stuck)
            if diversity < LOW and self._armed:
                problems.append(
                    f"generated images differ from each other {diversity:.2g} times as much as "
                    "real ones do"
                )
        fake, real = (
            sum(count > 0 for count in samples.get(name, []))
            for name in ("classes", "real_classes")
        )
        if fake < FEW * real and late:
            problems.append(
                f"generated images cover {fake} classes, and as many real images cover {real}"
            )
        return " and ".join(problems)
