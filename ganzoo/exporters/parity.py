"""Whether two runtimes make the same images."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganzoo import latents
from ganzoo.errors import ExportError
from ganzoo.generator import Generator

BATCHES = (1, 7)
SEEDS = (0, 1)
LEVEL = 2 / 255  # one of the 255 steps of a pixel, in [-1, 1]
TOLERANCE = LEVEL / 8  # far below a step, so that a pixel moves to a neighbouring level at most


def check_parity(reference: Generator, exported: Generator) -> dict[str, Any]:
    """Run both on the same latents and return the figures as JSON.

    Raises:
        ExportError: they differ by more than an eighth of a pixel's level, or in shape.
    """
    worst = 0.0
    for n in BATCHES:
        for seed in SEEDS:
            z = latents.normal(seed, n, reference.spec.latent.dim)
            a, b = reference.generate(z), exported.generate(z)
            if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
                raise ExportError(
                    f"the export is refused: torch makes {a.shape}, onnxruntime {b.shape}, or a "
                    "value is not finite."
                )
            worst = max(worst, float(np.abs(a - b).max()))
    if worst > TOLERANCE:
        raise ExportError(
            f"the export is refused: torch and onnxruntime differ by {worst:.2g} on the same "
            f"latents, at most {TOLERANCE:.2g} is allowed. A generator that draws random numbers "
            "or depends on its batch cannot be exported."
        )
    return {
        "runtimes": ["torch", "onnxruntime"],
        "batches": list(BATCHES),
        "seeds": list(SEEDS),
        "max_abs_error": worst,
        "tolerance": TOLERANCE,
    }
