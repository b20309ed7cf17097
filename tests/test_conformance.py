"""Our own architectures keep what every plugin must, with every loss that fits them."""

import pytest

from ganzoo.registry import architectures
from ganzoo.testing import ArchitectureSuite
from ganzoo.testing.architecture import Architecture
from ganzoo.testing.checks import examine
from ganzoo.testing.networks import uses_labels
from ganzoo.testing.pairs import moves_its_own, resumes, trains
from ganzoo.testing.sizes import tiny_variants


class TestMlp(ArchitectureSuite):
    name = "mlp"


class TestDcgan(ArchitectureSuite):
    name = "dcgan"


class TestResnet(ArchitectureSuite):
    name = "resnet"


class TestMlpAutoencoder(ArchitectureSuite):
    name = "mlp-autoencoder"


class TestConvAutoencoder(ArchitectureSuite):
    name = "conv-autoencoder"

def ours():
    for e in architectures.entries():
        if e.distribution == "torch-ganzoo":
            for k, arguments in enumerate(tiny_variants(architectures.load(e))):
                if k:
                    yield pytest.param(e.name, arguments, id=f"{e.name}-{k}")

@pytest.mark.parametrize(("name", "arguments"), ours())
def test_variant(name, arguments):
    s = Architecture(name, arguments)
    s.partners = dict([(list(s.pairs)[0], {})])
    del s.pairs
    for check in (trains, uses_labels, moves_its_own, resumes):
        o = examine(check, s)
        print(o)
        assert o.verdict in ("ok", "not checked"), o
