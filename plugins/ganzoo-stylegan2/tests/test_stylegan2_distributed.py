"""Several processes compute the gradients and averages of one, with mixing, noise and ADA."""

import pytest
from stylegan2_helpers import recipe

from ganzoo.spec import Component, Optimizer
from helpers.gradients import difference

TICKS = 9  # two of path lengths after the first, two adaptations


@pytest.mark.slow
def test_processes_compute_the_gradients_of_one(tmp_path):
    settings = recipe(
        {"conditioning": "projection"},
        loss=Component("stylegan2", {"r1": 1.0, "penalty_every": 4, "ada": True, "ada_images": 50}),
        images=TICKS * 16,
        batch_size=16,
        accumulate=2,
        fresh_latents=True,
        optimizer=Optimizer(name="sgd", lr=1e-3),
    )
    file = tmp_path / "styles.toml"
    file.write_text(settings.to_toml())
    differences = difference(2, tmp_path, "", file)["styles"]
    assert len(differences) == 2 * TICKS + 1
    assert max(differences) < 1e-9
