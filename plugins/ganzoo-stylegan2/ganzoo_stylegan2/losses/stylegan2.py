"""The loss of StyleGAN2."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ganzoo.games import (
    AdversarialLoss,
    AdversarialOptions,
    Batch,
    Loss,
    Turn,
    check_count,
    check_weight,
    with_adversarial_options,
)
from ganzoo.nn import at_least_fp32, generate
from ganzoo.spec import as_number
from ganzoo_stylegan2.losses.criterion import NONSATURATING
from ganzoo_stylegan2.losses.mixing import mix_styles
from ganzoo_stylegan2.losses.path_length import PathLength


class StyleLoss(AdversarialLoss):
    """The non-saturating game with path lengths and style mixing; see `stylegan2`.

    A generator has styles if it has the modules ``mapping``, from z, and y if it reads labels, to
    w (n, style_dim), and ``synthesis``, from (n, ``styles``, style_dim) to images. If ``mapping``
    has a method ``transform``, which computes w without an update of its average, it computes the
    second styles of mixed images. Other generators are trained without style mixing and path
    lengths.
    """

    def __init__(
        self,
        options: AdversarialOptions,
        style_mixing: float,
        path_length: float,
        path_length_every: int,
    ) -> None:
        if not 0 <= as_number("style_mixing", style_mixing) <= 1:
            raise ValueError(f"style_mixing is {style_mixing}; it must be in [0, 1]")
        check_weight("path_length", path_length)
        check_count("path_length_every", path_length_every)
        super().__init__(NONSATURATING, options)
        self.style_mixing = style_mixing
        self.path_length_weight = path_length
        self.path_length_every = path_length_every
        self.path_length = PathLength()

    def generate_fakes(
        self, generator: nn.Module, batch: Batch, turn: Turn
    ) -> tuple[Tensor, Tensor | None]:
        """Return fake images with mixed styles, and their latents."""
        mapping, synthesis = (getattr(generator, part, None) for part in ("mapping", "synthesis"))
        if not isinstance(mapping, nn.Module) or not isinstance(synthesis, nn.Module):
            return super().generate_fakes(generator, batch, turn)
        z = turn.latents(len(batch))
        first = second = generate(mapping, z=z, y=batch.labels)
        if self.style_mixing:
            second = _second_styles(mapping, turn.latents(len(batch)), batch.labels)
        layers: int = synthesis.style_count  # type: ignore[assignment]
        styles = mix_styles(first, second, layers, self.style_mixing)
        if styles.requires_grad:
            turn.shared["styles"] = styles
        return at_least_fp32(synthesis(styles)), z

    def generator(
        self, nets: Mapping[str, nn.Module], batch: Batch, turn: Turn
    ) -> dict[str, Tensor]:
        """Return the adversarial term, and the path length penalty in its turns."""
        fake, _ = self.fake_for_generator(nets["generator"], batch, turn)
        loss, _ = self.generator_terms(nets["discriminator"], fake, batch, turn)
        terms = {"adversarial": loss}
        styles = turn.shared.get("styles")
        due = self.path_length_weight > 0 and turn.tick % self.path_length_every == 0
        if due and styles is not None:
            weight = self.path_length_weight * self.path_length_every
            terms["path_length"] = turn.weigh("path_length", weight, self.path_length(fake, styles))
        return terms


def _second_styles(mapping: nn.Module, z: Tensor, y: Tensor | None) -> Tensor:
    """Return w of the second styles, which the average of w does not contain."""
    transform = getattr(mapping, "transform", None)
    if transform is None:
        return generate(mapping, z=z, y=y)
    w: Tensor = transform(z) if y is None else transform(z, y)
    return w


@with_adversarial_options(r1=10.0, penalty_every=16)
def stylegan2(
    options: AdversarialOptions,
    *,
    style_mixing: float = 0.9,
    path_length: float = 2.0,
    path_length_every: int = 4,
) -> Loss:
    """The loss of StyleGAN2: non-saturating, lazy R1, path lengths and style mixing.

    "Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), section 3 and
    appendix B, https://arxiv.org/abs/1912.04958; mixing: "A Style-Based Generator Architecture for
    Generative Adversarial Networks" (Karras et al., 2019), https://arxiv.org/abs/1812.04948. Style
    mixing and path lengths apply only to generators with styles.

    Args:
        style_mixing: share of images with two styles.
        path_length: weight of the path length penalty, 0 for none.
        path_length_every: ticks between computations of the path length penalty, whose weight is
            multiplied by this number.
    """
    return StyleLoss(options, style_mixing, path_length, path_length_every)
