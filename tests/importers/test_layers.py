"""What importers share for the layers of a checkpoint."""

import numpy as np
import pytest

from ganzoo.importers.layers import subtract_bias


def test_a_bias_is_subtracted_from_a_mean_of_its_shape_alone():
    """NumPy would subtract one number from all."""
    mean = np.array([1, 2], np.float16)
    result = subtract_bias(mean, np.array([0.0004, 1], np.float32))
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, [0.9996, 1])
    with pytest.raises(ValueError, match="other shapes"):
        subtract_bias(mean, np.ones(1, np.float32))
