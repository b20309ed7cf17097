"""Terms of the losses against closed forms, and what they refuse."""

import math

import pytest
import torch
from restore_helpers import pairs_of
from torch import Tensor, nn

import ganzoo
from ganzoo.errors import ExtractorError
from ganzoo.games import Batch, Turn
from ganzoo.nn import Extracted


class Constant(nn.Module):
    """A generator of images of one value."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, condition: Tensor) -> Tensor:
        n, channels, height, width = condition.shape
        return self.value.expand(n, channels, 4 * height, 4 * width)


class Mean(nn.Module):
    """A discriminator whose logit is the mean of the pixels."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((1, 2, 3))


class Halves(ganzoo.Extractor):
    """Features: half of the mean of the levels, and a parameter that has no part in the loss."""

    def __init__(self):
        super().__init__(channels=None, size=None, dim=1, sha256="0" * 64)
        self.weight = nn.Parameter(torch.tensor(0.5))

    def forward(self, images):
        return Extracted(self.weight * images.mean((1, 2, 3))[:, None], None)


@pytest.fixture
def halves():
    ganzoo.extractors.register("halves")(Halves)
    yield "halves"
    ganzoo.extractors.unregister("halves")


FAKE, REAL = 0.5, 0.2
BATCH = Batch(torch.full((2, 3, 8, 8), REAL), None, torch.zeros(2, 3, 2, 2))


def terms_of(loss, player="generator"):
    """Return the terms of a player, their values in the log, and the networks."""
    nets = {"generator": Constant(FAKE), "discriminator": Mean()}
    loss.check(nets, pairs_of(4, 8))
    turn = Turn(0, lambda n: torch.zeros(n, 0))
    terms = getattr(loss, player)(nets, BATCH, turn)
    if player == "generator":
        sum(term.mean() for term in terms.values()).backward()
    logged = {name: float(value.mean()) for name, value in turn.unweighted.items()}
    return {name: float(term.detach().mean()) for name, term in terms.items()}, logged, nets


def softplus(x):
    return math.log1p(math.exp(x))


@pytest.mark.parametrize(("kind", "value", "gradient"), [("l1", 0.3, 1.0), ("mse", 0.09, 0.6)])
def test_regression_is_the_distance_alone(kind, value, gradient):
    loss = ganzoo.losses.get("regression")(kind=kind)
    assert loss.roles == {"generator"}
    terms, _, nets = terms_of(loss)
    assert terms == {kind: pytest.approx(value)}
    assert float(nets["generator"].value.grad) == pytest.approx(gradient)


def test_srgan_has_equation_3():
    terms, logged, _ = terms_of(ganzoo.losses.get("srgan")())
    assert logged == pytest.approx({"adversarial": softplus(-FAKE), "mse": 0.09})
    assert terms == pytest.approx({"adversarial": 1e-3 * softplus(-FAKE), "mse": 0.09})
    terms, _, _ = terms_of(ganzoo.losses.get("srgan")(), "discriminator")
    assert terms == pytest.approx({"adversarial": softplus(-REAL) + softplus(FAKE)})


def test_esrgan_has_equation_3(halves):
    """Levels of 191.25 and 153 have features of half of that."""
    loss = ganzoo.losses.get("esrgan")(extractor=halves)
    terms, logged, nets = terms_of(loss)
    relativistic = softplus(REAL - FAKE) + softplus(REAL - FAKE)
    expected = {"adversarial": relativistic, "l1": 0.3, "features": 19.125}
    assert logged == pytest.approx(expected)
    assert terms == pytest.approx(
        {"adversarial": 5e-3 * relativistic, "l1": 1.5e-3, "features": 19.125}
    )
    assert float(nets["generator"].value.grad) > 60, "features have gradients"
    assert not loss.state_dict(), "the extractor is no part of a checkpoint"
    assert not list(loss.parameters())
    terms, _, _ = terms_of(loss, "discriminator")
    assert terms == pytest.approx({"adversarial": 2 * softplus(FAKE - REAL)})


def test_srgan_compares_features_by_their_square(halves):
    loss = ganzoo.losses.get("srgan")(mse_weight=0, feature_weight=0.5, extractor=halves)
    terms, logged, _ = terms_of(loss)
    assert logged["features"] == pytest.approx(19.125**2)
    assert terms["features"] == pytest.approx(0.5 * 19.125**2)
    assert "mse" not in terms


def test_an_extractor_that_is_not_used_is_not_loaded():
    terms, _, _ = terms_of(ganzoo.losses.get("esrgan")(feature_weight=0, extractor="no-such"))
    assert list(terms) == ["adversarial", "l1"]


def test_the_features_of_the_default_extractor_have_gradients():
    terms, _, nets = terms_of(ganzoo.losses.get("esrgan")(adversarial_weight=0, l1_weight=0))
    assert terms["features"] > 0
    assert float(nets["generator"].value.grad) != 0


class Latent(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return z


@pytest.mark.parametrize("name", ["regression", "srgan", "esrgan"])
def test_data_and_networks_without_pairs_are_refused(name):
    loss = ganzoo.losses.get(name)()
    nets = {"generator": Constant(0.0), "discriminator": Mean()}
    with pytest.raises(ValueError, match="no pairs. Use --dataset degraded"):
        loss.check(nets, ganzoo.DataSpec(ganzoo.ImageSpec(8, 8, 3)))
    with pytest.raises(ValueError, match="Use --architecture rrdbnet or srresnet"):
        loss.check(nets | {"generator": Latent()}, pairs_of(4, 8))


def test_weights_and_extractors_that_do_not_fit_are_refused(halves):
    with pytest.raises(ValueError, match="l1_weight is -1"):
        ganzoo.losses.get("esrgan")(l1_weight=-1.0)

    class Levels(Halves):
        def forward(self, images):
            return super().forward(images.detach())

    ganzoo.extractors.register("levels")(Levels)
    try:
        with pytest.raises(ExtractorError, match="levels.*no gradients. Use another .*halves"):
            terms_of(ganzoo.losses.get("esrgan")(extractor="levels"))
    finally:
        ganzoo.extractors.unregister("levels")
