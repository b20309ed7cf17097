"""Images as tensors."""

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo.nn.image_tensors import image_to_tensor


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
def test_pixels_keep_their_places(mode, channels):
    pixels = np.arange(2 * 3 * channels, dtype=np.uint8).reshape(2, 3, channels)
    with torch.device("meta"):
        tensor = image_to_tensor(Image.frombytes(mode, (3, 2), pixels.tobytes()))
    assert tensor.dtype == torch.uint8
    assert tensor.shape == (channels, 2, 3)
    assert np.array_equal(tensor.numpy(), pixels.transpose(2, 0, 1))
