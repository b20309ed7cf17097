"""Libraries that not every installation has."""

from importlib.util import find_spec

import pytest

# It takes seconds to import, which a process that only starts the demo need not do.
needs_gradio = pytest.mark.skipif(
    find_spec("gradio") is None, reason="gradio is not installed: pip install '.[demo]'"
)
needs_datasets = pytest.mark.skipif(
    find_spec("datasets") is None, reason="datasets is not installed: pip install '.[datasets]'"
)
