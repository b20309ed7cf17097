"""The conformance suites of the built-in parts."""

import functools

import numpy as np
import pytest

from ganzoo.registry import architectures, losses
from ganzoo.testing import ArchitectureSuite, DatasetSuite, PluginSuite
from ganzoo.testing.architecture import Architecture
from ganzoo.testing.checks import examine
from ganzoo.testing.combinations import resumes, trains, trains_only_its_own
from ganzoo.testing.delivery import exports
from ganzoo.testing.distribution import WITHOUT_ARGUMENTS
from ganzoo.testing.loss import Loss, returns_terms
from ganzoo.testing.networks import learns_everywhere, uses_labels
from ganzoo.testing.sizes import tiny_variants
from helpers.datasets import (
    fake_celeba,
    fake_mnist,
    fake_tinyhero,
    picture,
    pictures,
    shards,
    write_parquet,
    write_zip,
)
from helpers.extras import needs_datasets
from helpers.vision_sets import WRITERS

OURS = "torch-ganzoo"
PLAYED = (returns_terms, trains, trains_only_its_own, learns_everywhere)


class TestMlp(ArchitectureSuite):
    name = "mlp"


class TestDcgan(ArchitectureSuite):
    name = "dcgan"


class TestUpsamplingDcgan(ArchitectureSuite):
    name = "upsampling-dcgan"


class TestResnet(ArchitectureSuite):
    name = "resnet"


class TestMlpAutoencoder(ArchitectureSuite):
    name = "mlp-autoencoder"


class TestConvAutoencoder(ArchitectureSuite):
    name = "conv-autoencoder"


class TestConditionalDcgan(ArchitectureSuite):
    name = "dcgan"
    arguments = {"latent_dim": 12, "width": 4, "conditioning": "projection"}
    partners = {"hinge": {}}
    snapshot = "dcgan-projection"


class TestJointConvAutoencoder(ArchitectureSuite):
    name = "conv-autoencoder"
    arguments = {"latent_dim": 12, "width": 4, "hidden": 8, "discriminator": "joint"}
    snapshot = "conv-autoencoder-joint"
    expected_failures = {"learns_everywhere": "BiGAN's encoder has no use for a log-variance"}

    @classmethod
    @functools.cache
    def subjects(cls):
        """Return the architecture, whose generator and encoder another suite exports."""
        (subject,) = super().subjects()
        subject.checks = tuple(check for check in subject.checks if check is not exports)
        return [subject]

    def test_another_suite_exports_these_networks(self):
        (ours,), (theirs,) = self.subjects(), TestConvAutoencoder.subjects()
        (_, data, nets), (_, their_data, their_nets) = ours.built, theirs.built
        assert data == their_data
        for role in ("generator", "encoder"):
            assert str(nets[role]) == str(their_nets[role])


def variants():
    """Built-in architectures with each other value of each choice, and with codes."""
    return [
        pytest.param(e.name, arguments, id=" ".join([e.name, *map(str, arguments.values())]))
        for e in architectures.entries()
        if e.distribution == OURS
        for arguments in list(tiny_variants(architectures.load(e)))[1:]
    ]


@pytest.mark.parametrize(("name", "arguments"), variants())
def test_each_choice_of_an_architecture_trains(name, arguments):
    partner = next(iter(Architecture(name, arguments).combinations))
    subject = Architecture(name, arguments, partners={partner: {}})
    outcomes = {c.__name__: examine(c, subject) for c in (trains, trains_only_its_own, resumes)}
    assert {outcome.verdict for outcome in outcomes.values()} == {"ok"}, outcomes
    reads_labels = "conditioning" in arguments
    assert examine(uses_labels, subject).verdict == ("ok" if reads_labels else "not checked")


def test_the_combinations_are_complete():
    adversarial = {
        "minimax",
        "nonsaturating",
        "lsgan",
        "wgan",
        "wgan-gp",
        "hinge",
        "ragan",
        "rpgan",
    }
    encoding, small = {"autoencoder", "vae", "betavae"}, {"latent_dim": 12, "width": 4}
    for name, arguments, expected in (
        ("resnet", {}, adversarial),
        ("dcgan", {"conditioning": "concat"}, adversarial),
        ("dcgan", {"conditioning": "auxiliary"}, {"acgan"}),
        ("mlp", {"categorical_code": 3}, {"infogan"}),
        ("mlp-autoencoder", {}, encoding),
        ("conv-autoencoder", {"discriminator": "image"}, {"vaegan"}),
        ("conv-autoencoder", {"discriminator": "joint"}, {"bigan"}),
    ):
        assert (
            set(Architecture(name, small | arguments).combinations) & set(ours_of(losses))
            == expected
        )
    assert {"mlp", "dcgan", "resnet"} <= set(Loss("wgan-gp").combinations)
    assert "dcgan conditioning=auxiliary" in Loss("acgan").combinations
    assert "mlp-autoencoder discriminator=joint" in Loss("bigan").combinations


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted({*architectures.names()} - {"spandrel"})
)  # of 17 million weights
def test_an_architecture_trains_with_every_loss_that_fits(name):
    """Train the built-in combinations and those of the installed plugins."""
    plays_all(Architecture(name, every_partner=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", losses.names())
def test_a_loss_trains_every_architecture_that_fits(name):
    plays_all(Loss(name, every_partner=True))


def plays_all(subject):
    assert list(subject.selection) == list(subject.combinations)
    done = {check.__name__: examine(check, subject) for check in subject.checks if check in PLAYED}
    assert {outcome.verdict for outcome in done.values()} == {"ok"}, done


def ours_of(registry):
    return [entry.name for entry in registry.entries() if entry.distribution == OURS]


class TestLosses(PluginSuite):
    """Each loss with one partner, since the architectures above train with all losses."""

    distribution = OURS

    @classmethod
    def subjects(cls):
        small = {"latent_dim": 12, "width": 4}
        special = {
            "acgan": {"mlp": small | {"conditioning": "auxiliary"}},
            "infogan": {"mlp": small | {"categorical_code": 3, "continuous_codes": 2}},
            "vaegan": {"mlp-autoencoder": small | {"discriminator": "image"}},
            "bigan": {"mlp-autoencoder": small | {"discriminator": "joint"}},
        }
        encoding = {name: {"mlp-autoencoder": small} for name in ("autoencoder", "vae", "betavae")}
        partners = encoding | special
        return [Loss(name, partners=partners.get(name, {"mlp": small})) for name in ours_of(losses)]


class TestDigits(DatasetSuite):
    name = "digits"


class TestRing(DatasetSuite):
    name = "ring"
    arguments = {"size": 8, "count": 64}


class TestMnist(DatasetSuite):
    name = "mnist"

    @pytest.fixture
    def root(self, tmp_path):
        return fake_mnist(tmp_path)


class TestFashionMnist(DatasetSuite):
    name = "fashion-mnist"

    @pytest.fixture
    def root(self, tmp_path):
        (fake_mnist(tmp_path) / "MNIST").rename(tmp_path / "FashionMNIST")
        return tmp_path


class TestCelebA(DatasetSuite):
    name = "celeba"
    arguments = {"size": 16}

    @pytest.fixture
    def root(self, tmp_path, monkeypatch):
        return fake_celeba(tmp_path, monkeypatch)


class TestTinyHero(DatasetSuite):
    name = "tinyhero"
    arguments = {"size": 16}

    @pytest.fixture
    def root(self, tmp_path):
        return fake_tinyhero(tmp_path)


@pytest.mark.filterwarnings("ignore:dataset folder has no licence")
class TestFolder(DatasetSuite):
    name = "folder"
    arguments = {"size": 16}

    @pytest.fixture
    def root(self, tmp_path):
        return pictures(tmp_path, [f"{'ab'[k % 2]}/{k}.png" for k in range(5)])


@pytest.mark.filterwarnings("ignore:dataset webdataset has no licence")
class TestWebdataset(DatasetSuite):
    name = "webdataset"
    arguments = {"size": 16, "classes": 3}

    @pytest.fixture
    def root(self, tmp_path):
        return shards(tmp_path)


@pytest.mark.filterwarnings("ignore:dataset zip has no licence")
class TestZip(DatasetSuite):
    name = "zip"
    arguments = {"size": 16}

    @pytest.fixture
    def root(self, tmp_path):
        write_zip(tmp_path / "a.zip", [(f"{'ab'[k % 2]}/{k}.png", picture(k)) for k in range(5)])
        return tmp_path


@pytest.mark.filterwarnings("ignore:dataset arrays has no licence")
class TestArrays(DatasetSuite):
    name = "arrays"
    arguments = {"labels": "y"}

    @pytest.fixture
    def root(self, tmp_path):
        images = np.random.default_rng(0).integers(0, 256, (5, 9, 8, 3), np.uint8)
        np.savez(tmp_path / "a.npz", x=images, y=np.arange(5))
        return tmp_path


@needs_datasets
@pytest.mark.filterwarnings("ignore:dataset parquet has no licence")
class TestParquet(DatasetSuite):
    name = "parquet"
    arguments = {"size": 16, "label_column": "y"}

    @pytest.fixture
    def root(self, tmp_path, tmp_path_factory, monkeypatch):
        monkeypatch.setenv("GANZOO_CACHE", str(tmp_path_factory.getbasetemp() / "arrow"))
        images = [picture(k) for k in range(4)]
        write_parquet(tmp_path / "a.parquet", image=images, y=[0, 1, 2, 0])
        return tmp_path


class VisionSuite(DatasetSuite):
    """A dataset of the table: one for each kind of files."""

    @pytest.fixture
    def root(self, tmp_path):
        WRITERS[self.name](tmp_path)
        return tmp_path


@pytest.mark.filterwarnings("ignore:dataset cifar-10 has no licence")
class TestCifar10(VisionSuite):
    name = "cifar-10"


@pytest.mark.filterwarnings("ignore:dataset stl-10 has no licence")
class TestStl10(VisionSuite):
    name = "stl-10"
    arguments = {"split": "test"}


class TestOmniglot(VisionSuite):
    name = "omniglot"
    arguments = {"size": 16}


class TestOthers(PluginSuite):
    """All that registers no function with arguments."""

    distribution = OURS

    @classmethod
    def subjects(cls):
        return [s for s in super().subjects() if s.registry.kind in WITHOUT_ARGUMENTS]

    @pytest.fixture(autouse=True)
    def no_npm(self, monkeypatch):
        """Without npm, the target `web` downloads nothing."""
        monkeypatch.setenv("PATH", "")
