"""Inversion: find the code whose image is nearest to a photo, by gradient descent.

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), appendix D,
https://arxiv.org/abs/1912.04958, with pixels in place of LPIPS, and from several starts.
"""

from ganzoo.inversion.inverting import Inversion, invert
from ganzoo.inversion.photo import Photo, fit_photo, read_photo

__all__ = ["Inversion", "Photo", "fit_photo", "invert", "read_photo"]
