"""Resampling of images by its formula, in float64, independent of Pillow and torch."""

import numpy as np


def triangle(length, size):
    """Return the matrix (size, length) of bilinear resampling with antialiasing.

    A sample is the average of the pixels around its centre, weighted by a triangle that is as wide
    as two samples, or as two pixels where the image is enlarged.
    """
    step = length / size
    centres = (np.arange(size) + 0.5) * step
    distances = np.abs(np.arange(length) + 0.5 - centres[:, None])
    weights = np.clip(1 - distances / max(step, 1), 0, None)
    return weights / weights.sum(1, keepdims=True)


def resample(pixels, size):
    """Return images (..., height, width) resampled to (height, width), float64."""
    height, width = size
    rows = triangle(pixels.shape[-2], height)
    return rows @ pixels.astype(np.float64) @ triangle(pixels.shape[-1], width).T
