"""When a run logs, samples, evaluates and saves."""

from __future__ import annotations

from dataclasses import dataclass

from ganzoo.spec import Recipe


@dataclass(frozen=True)
class Due:
    """The work at the end of one tick, in this order.

    Attributes:
        log: write a line of the log. All other work needs it: it refuses a loss that is not finite.
        sample: write sample images.
        evaluate: compute the metrics, and keep the bundle if a metric is the best so far.
        save: write a bundle and a checkpoint.
        compare: keep the bundle if a number of the log is the best so far. An interrupted run does
            not, so that its best bundle does not depend on the interruption.
    """

    log: bool
    sample: bool
    evaluate: bool
    save: bool
    compare: bool


def due_after_tick(
    recipe: Recipe, images_seen: int, interrupted: bool, time_to_save: bool = False
) -> Due:
    """Return the work that is due at the end of a tick.

    Args:
        recipe: the run's recipe.
        images_seen: images seen with this tick.
        interrupted: whether the run stops here for a signal or for its time limit.
        time_to_save: whether the last checkpoint is old enough for another.
    """
    finished = images_seen >= recipe.images
    last = finished or interrupted
    before = images_seen - recipe.batch_size

    def reached(every: int) -> bool:
        """Whether this tick reached a multiple of a number of images; 0 means never."""
        return every > 0 and images_seen // every > before // every

    sample = last or reached(recipe.sample_every)
    evaluate = recipe.evaluate_every > 0 and (finished or reached(recipe.evaluate_every))
    save = last or time_to_save or reached(recipe.checkpoint_every)
    return Due(
        log=sample or evaluate or save or reached(recipe.log_every),
        sample=sample,
        evaluate=evaluate,
        save=save,
        compare=finished or reached(recipe.checkpoint_every),
    )
