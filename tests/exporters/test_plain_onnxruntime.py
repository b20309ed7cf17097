"""A bundle's ONNX file gives the same images without ganzoo and torch."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import ganzoo
from ganzoo.exporters.parity import TOLERANCE
from ganzoo.zoo import find


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An environment's packages: NumPy, onnxruntime, and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    for package in ("numpy", "onnxruntime"):
        home = Path(find_spec(package).origin).parent
        for part in home.parent.glob(f"{package}*"):  # with the libraries beside it
            if part.is_dir() and not part.name.endswith("-info"):
                (folder / part.name).symlink_to(part)
    return folder


def run(site, code, cwd):
    """Run code that can import only those packages and the standard library."""
    head = f"import sys; sys.path.append({str(site)!r})\n"
    command = [sys.executable, "-I", "-S", "-c", head + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=cwd)


def test_the_environment_has_neither_torch_nor_ganzoo(site, tmp_path):
    for package in ("ganzoo", "torch", "safetensors", "PIL"):
        assert "No module named" in run(site, f"import {package}", tmp_path).stderr


@pytest.mark.parametrize("name", ["dcgan-mnist", "cgan-mnist", "vae2d-mnist"])
def test_the_cards_snippet_gives_the_same_images(site, tmp_path, name):
    bundle = find(name)
    card = (bundle.path / "README.md").read_text()
    blocks = [block.split("```")[0] for block in card.split("```python\n")[1:]]
    (snippet,) = (b for b in blocks if "onnxruntime" in b and "ganzoo" not in b)
    save = f"\nnumpy.savez({str(tmp_path / 'made.npz')!r}, images=images, **inputs)"
    result = run(site, snippet + save, bundle.path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    arrays = np.load(tmp_path / "made.npz")
    expected = ganzoo.load(name, runtime="torch").generate(
        arrays["z"], arrays["y"] if "y" in arrays.files else None
    )
    assert arrays["images"].shape == expected.shape
    assert np.abs(arrays["images"] - expected).max() <= TOLERANCE
    assert expected.std() > 0.1
