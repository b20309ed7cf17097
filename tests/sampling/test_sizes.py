"""How many images are computed and shown at once, by their size."""

from pathlib import Path

import numpy as np
import pytest

from ganzoo.cards import CardContext, Location
from ganzoo.cards.figures import caption
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.sizes import arrange, choose_compute_batch, images_at_once, preview_count
from ganzoo.sampling.walks import walk
from ganzoo.spec import DataSpec, ImageSpec, LatentSpec, ModelSpec


class Recorder(Generator):
    """A generator that records the sizes of its batches."""

    def __init__(self, side, classes=0, compute_batch=None):
        height, width = side if isinstance(side, tuple) else (side, side)
        data = DataSpec(ImageSpec(height, width, 1), classes=classes)
        inputs = ("z", "y") if classes else ("z",)
        self.spec = ModelSpec(
            "recorder",
            "none",
            {},
            (),
            data,
            LatentSpec(2),
            inputs=inputs,
            compute_batch=compute_batch,
        )
        self.batches = []

    def run(self, inputs):
        """Return an image of the mean of the latents."""
        z = inputs["z"]
        self.batches.append(len(z))
        shape = (len(z), *self.spec.data.image.shape)
        return np.broadcast_to(np.tanh(z.mean(1))[:, None, None, None], shape).astype(np.float32)


@pytest.mark.parametrize(("side", "batch"), [(8, 16), (64, 16), (128, 16), (129, 1), (256, 1)])
def test_small_images_are_computed_by_sixteen_and_large_ones_alone(side, batch):
    assert choose_compute_batch(ImageSpec(side, side, 3)) == batch
    model = Recorder(side)
    model.sample(3, start=5)
    model.decode(np.zeros((3, 2), np.float32))
    assert set(model.batches) == {batch}
    assert sum(model.batches) == (32 if batch == 16 else 6)


@pytest.mark.parametrize(("side", "batch"), [(8, 1), (8, 6), (256, 4), (256, 100)])
def test_the_config_states_how_many_images_are_computed_at_once(side, batch):
    model = Recorder(side, compute_batch=batch)
    model.sample(3, start=5)
    list(walk(model, [1, 2], frames=batch + 1))
    assert set(model.batches) == {batch}
    assert images_at_once(model.spec) % batch == 0


@pytest.mark.parametrize(
    ("height", "width", "count"),
    [(28, 28, 64), (128, 128, 64), (256, 256, 16), (256, 128, 32), (512, 512, 4), (1024, 1024, 4)],
)
def test_a_preview_has_fewer_large_images(height, width, count):
    assert preview_count(ImageSpec(height, width, 3)) == count


@pytest.mark.parametrize(("side", "count"), [(8, 30), (256, 15), (1024, 3)])
def test_a_preview_of_classes_has_a_row_for_each(side, count):
    assert len(Recorder(side, classes=3).preview()) == count


@pytest.mark.parametrize("side", [8, 130])
def test_an_image_does_not_depend_on_the_number_of_images(side):
    model = Recorder(side)
    together = model.sample(20, seed=4).numpy()
    assert np.array_equal(model.sample(2, seed=4, start=17).numpy(), together[17:19])


@pytest.mark.parametrize(
    ("height", "width", "count"), [(4096, 5, 12), (9, 4096, 7), (4096, 4096, 4)]
)
def test_previews_fit_into_a_webp_file(height, width, count):
    image = ImageSpec(height, width, 1)
    assert preview_count(image) == count
    assert max(arrange(count, height, width)[1:]) <= 16_383


def test_classes_that_do_not_fit_into_a_webp_file_give_way_to_samples():
    assert len(Recorder(1024, classes=10).preview()) == 10
    model = Recorder(2048, classes=10)
    with pytest.warns(UserWarning, match=r"no row for each class: 10 rows of images of 2048x2048"):
        assert len(model.preview()) == 4
    assert caption(CardContext(model.spec, Path(), {}, Location("x"))).startswith("Images 0 to 3")


def test_rows_of_classes_are_no_wider_than_a_webp_file():
    model = Recorder((16, 2048), classes=2)
    assert max(model.preview().grid().size) <= 16_383
