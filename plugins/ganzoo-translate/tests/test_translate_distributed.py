"""Several processes compute the gradients of one, with dropout."""

from translate_helpers import recipe

from ganzoo.spec import Component, Optimizer
from helpers.gradients import difference

TICKS = 4


def test_processes_compute_the_gradients_of_one(data_for, tmp_path):
    settings = recipe(
        "unet",
        loss=Component("pix2pix"),
        images=TICKS * 4,
        optimizer=Optimizer(name="sgd", lr=1e-4),
        sync_batchnorm=True,
    )
    file = tmp_path / "pix2pix.toml"
    file.write_text(settings.to_toml())
    differences = difference(2, tmp_path, str(data_for(settings)), file)["pix2pix"]
    assert len(differences) == 2 * TICKS + 1
    assert max(differences) < 1e-9
