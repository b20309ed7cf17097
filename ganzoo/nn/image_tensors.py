"""Images as tensors, without torchvision, whose import takes a second."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def image_to_tensor(image: Image.Image) -> Tensor:
    """Return the pixels of an image.

    Args:
        image: an image with 8 bits per channel, such as of mode L or RGB.

    Returns:
        uint8 (channels, height, width), in the memory of the CPU.
    """
    pixels = np.array(image)  # a copy, which the tensor may change
    return torch.from_numpy(pixels.reshape(image.height, image.width, -1)).permute(2, 0, 1)
