"""From latents to a generator's first map."""

from __future__ import annotations

from torch import Tensor, nn


class LatentToMap(nn.ConvTranspose2d):
    """A transposed convolution of latents as images of one pixel.

    The function and the parameters of ``ConvTranspose2d(latent_dim, channels, side)`` at
    ``z[:, :, None, None]``, computed as the matrix product that it is.

    Args:
        latent_dim: length of z.
        channels: of the map.
        side: of the map.
        bias: whether a bias is added.
    """

    def __init__(self, latent_dim: int, channels: int, side: int, *, bias: bool = True) -> None:
        super().__init__(latent_dim, channels, side, bias=bias)

    def forward(self, z: Tensor) -> Tensor:  # type: ignore[override]
        """(n, latent_dim) -> (n, channels, side, side)."""
        side, channels = self.kernel_size[0], self.out_channels
        # Channels last, as convolutions after it are fast on.
        product = z @ self.weight.permute(0, 2, 3, 1).reshape(len(self.weight), -1)
        made = product.view(-1, side, side, channels)
        return (made if self.bias is None else made + self.bias).permute(0, 3, 1, 2)
