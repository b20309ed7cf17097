"""CycleGAN's translator.

"Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (Zhu et al.,
2017), appendix 7.2, https://arxiv.org/abs/1703.10593: c7s1-64, d128, d256, R256 six or nine times,
u128, u64, c7s1-3, with instance normalisation and reflection padding.
"""

from __future__ import annotations

from torch import Tensor, nn

from ganzoo import ImageSpec, SizesSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import init_normal
from ganzoo_translate.architectures.patchgan import GeneratorNorm, make_norm

SMALLEST = 16
STEP = 4  # the sides of an image are multiples of it


def check_sides(name: str, image: ImageSpec) -> None:
    """Raise an error if the sides of images cannot be halved twice.

    Raises:
        ArchitectureError: a side is below 16 or not a multiple of 4.
    """
    sides = image.height, image.width
    if min(sides) < SMALLEST or any(side % STEP for side in sides):
        raise ArchitectureError(
            f"architecture {name!r} cannot generate images of {image}: their sides must be "
            f"multiples of {STEP}, at least {SMALLEST}. Use for example --dataset.size 64."
        )


class ResidualBlock(nn.Module):
    """Two convolutions with normalisation, plus the input."""

    def __init__(self, width: int, norm: GeneratorNorm) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_convolve(width, width, 3, norm), *_convolve(width, width, 3, norm)[:-1]
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same shape as the input."""
        result: Tensor = x + self.layers(x)
        return result


class ResnetTranslator(nn.Module):
    """CycleGAN's translator: condition -> images.

    Args:
        inputs: channels of the condition.
        outputs: channels of the image.
        width: channels of the maps next to the image.
        blocks: number of residual blocks, at a quarter of the side.
        norm: normalisation of all maps except the image.

    Attributes:
        sizes: the sizes of images that it reads. The smallest map is normalised and padded by a
            reflected pixel, so its sides have two pixels or more.
    """

    sizes = SizesSpec(multiple=STEP, smallest=2 * STEP)

    def __init__(
        self, inputs: int, outputs: int, width: int, blocks: int, norm: GeneratorNorm = "instance"
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_convolve(inputs, width, 7, norm),
            *_halve(width, norm),
            *_halve(2 * width, norm),
            *(ResidualBlock(4 * width, norm) for _ in range(blocks)),
            *_double(4 * width, norm),
            *_double(2 * width, norm),
            nn.ReflectionPad2d(3),
            nn.Conv2d(width, outputs, 7),
            nn.Tanh(),
        )
        init_normal(self)

    def forward(self, condition: Tensor) -> Tensor:
        """Return images (n, outputs, height, width) in [-1, 1]."""
        images: Tensor = self.layers(condition)
        return images


def _normalised(convolution: nn.Module, width: int, norm: GeneratorNorm) -> list[nn.Module]:
    """Return the layers of a convolution without bias, which the normalisation would remove."""
    return [convolution, make_norm(norm, width), nn.ReLU()]


def _convolve(inputs: int, width: int, kernel: int, norm: GeneratorNorm) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, width, kernel, bias=False)
    return [nn.ReflectionPad2d(kernel // 2), *_normalised(convolution, width, norm)]


def _halve(width: int, norm: GeneratorNorm) -> list[nn.Module]:
    return _normalised(nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False), 2 * width, norm)


def _double(width: int, norm: GeneratorNorm) -> list[nn.Module]:
    convolution = nn.ConvTranspose2d(width, width // 2, 3, 2, 1, output_padding=1, bias=False)
    return _normalised(convolution, width // 2, norm)
