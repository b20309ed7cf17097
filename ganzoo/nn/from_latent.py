"""The first layer of a convolutional generator: latents -> a feature map."""

from __future__ import annotations

from torch import Tensor, nn


class LatentToMap(nn.ConvTranspose2d):
    """A transposed convolution of latents, which are treated as images of one pixel.

    It has the parameters and the result of ``ConvTranspose2d(latent_dim, channels, size)`` applied
    to ``z[:, :, None, None]``, but computes a single matrix product.

    Args:
        latent_dim: length of z.
        channels: channels of the map.
        size: height and width of the map, or the side of a square one.
        bias: add a bias.
    """

    def __init__(
        self, latent_dim: int, channels: int, size: int | tuple[int, int], *, bias: bool = True
    ) -> None:
        super().__init__(latent_dim, channels, size, bias=bias)

    def forward(self, z: Tensor) -> Tensor:  # type: ignore[override]
        """Return the map (n, channels, height, width) of latents (n, latent_dim)."""
        # The convolutions after it are faster with channels last.
        product = z @ self.weight.permute(0, 2, 3, 1).reshape(len(self.weight), -1)
        maps = product.view(-1, *self.kernel_size, self.out_channels)
        return (maps if self.bias is None else maps + self.bias).permute(0, 3, 1, 2)
