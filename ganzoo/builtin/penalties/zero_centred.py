"""Penalties that keep the discriminator's gradient near 0."""

from __future__ import annotations

from torch import Tensor

from ganzoo.games import Comparison, Penalty, squared_gradient_norm


class R1(Penalty):
    """R1, the squared gradient of the discriminator at real images (Mescheder et al., 2018).

        weight ||grad D(x)||_2^2 / 2

    The weight is the paper's gamma. "Which Training Methods for GANs do actually Converge?"
    (Mescheder et al., 2018), equation 9, https://arxiv.org/abs/1801.04406.
    """

    name = "r1"
    uses_gradient = True

    def value(self, comparison: Comparison) -> Tensor:
        """Return the penalty of each sample, (n,)."""
        return 0.5 * squared_gradient_norm(comparison.discriminator, comparison.real)


class R2(Penalty):
    """R2, the counterpart of R1 at fake images (Mescheder et al., 2018).

        weight ||grad D(G(z))||_2^2 / 2

    The weight is the paper's gamma. "Which Training Methods for GANs do actually Converge?"
    (Mescheder et al., 2018), equation 10, https://arxiv.org/abs/1801.04406.
    """

    name = "r2"
    uses_gradient = True

    def value(self, comparison: Comparison) -> Tensor:
        """Return the penalty of each sample, (n,)."""
        return 0.5 * squared_gradient_norm(
            comparison.discriminator, comparison.fake.to(comparison.real)
        )
