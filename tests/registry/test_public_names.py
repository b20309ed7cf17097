"""The public names of `import ganzoo`."""

from importlib import metadata

import ganzoo


def test_dir_lists_only_public_names():
    assert dir(ganzoo) == sorted(ganzoo.__all__)
    assert all(getattr(ganzoo, name) is not None for name in ganzoo.__all__)


def test_the_version_equals_the_distributions():
    assert ganzoo.__version__ == metadata.version("torch-ganzoo")


def test_a_registry_is_a_collection_of_names():
    assert list(ganzoo.losses) == ganzoo.losses.names()
    assert len(ganzoo.losses) == len(ganzoo.losses.names()) > 10


def test_an_installed_object_can_get_another_name():
    wgan = ganzoo.losses.get("wgan")
    ganzoo.losses.register("my-wgan")(wgan)
    try:
        assert ganzoo.losses.get("my-wgan") is wgan
        assert {"wgan", "my-wgan"} <= set(ganzoo.losses)
    finally:
        ganzoo.losses.unregister("my-wgan")
