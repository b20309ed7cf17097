"""Class conditioning and latent codes for any trunk."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganzoo.errors import ArchitectureError
from ganzoo.nn.discriminator_output import DiscriminatorOutput
from ganzoo.spec import DataSpec

Conditioning = Literal["none", "concat", "projection", "auxiliary"]


class ConditioningHeads:
    """Adds class labels and latent codes to the networks of a GAN.

    Args:
        data: the spec of the images and their classes.
        conditioning: how the discriminator uses the class. ``none`` uses no class. ``concat`` adds
            one-hot maps to the image's channels ("Conditional Generative Adversarial Nets", Mirza
            and Osindero, 2014, https://arxiv.org/abs/1411.1784). ``projection`` adds the dot
            product of the features and a class embedding to the logit ("cGANs with Projection
            Discriminator", Miyato and Koyama, 2018, https://arxiv.org/abs/1802.05637).
            ``auxiliary`` adds a head that predicts the class ("Conditional Image Synthesis with
            Auxiliary Classifier GANs", Odena et al., 2017, https://arxiv.org/abs/1610.09585). All
            three concatenate a one-hot vector to the generator's latent.
        categorical_code: number of values of a categorical code in the generator's latent; 0 for
            no such code.
        continuous_codes: number of continuous codes in the generator's latent ("InfoGAN", Chen et
            al., 2016, https://arxiv.org/abs/1606.03657).

    Raises:
        ArchitectureError: the data has fewer than two classes to condition on, or the number of
            codes is not valid.
    """

    def __init__(
        self,
        data: DataSpec,
        conditioning: Conditioning = "none",
        categorical_code: int = 0,
        continuous_codes: int = 0,
    ) -> None:
        if conditioning != "none" and data.classes < 2:
            raise ArchitectureError(
                f"conditioning {conditioning!r} needs two classes or more, but the data has "
                f"{data.classes or 'none'}. Choose a dataset with classes (a folder with one "
                "sub-folder for each class), or use --architecture.conditioning none."
            )
        if categorical_code < 0 or categorical_code == 1 or continuous_codes < 0:
            raise ArchitectureError(
                f"categorical_code is {categorical_code} and continuous_codes is "
                f"{continuous_codes}. Set categorical_code to 0 or at least 2, and "
                "continuous_codes to 0 or more."
            )
        self.conditioning = conditioning
        self.classes = data.classes if conditioning != "none" else 0
        self.categorical = categorical_code
        self.continuous = continuous_codes

    @property
    def extra_channels(self) -> int:
        """Number of channels that are concatenated to the image before a discriminator's trunk."""
        return self.classes if self.conditioning == "concat" else 0

    def generator(self, trunk: nn.Module, latent_dim: int) -> nn.Module:
        """Return a generator that adds the class and the codes to the trunk's input.

        Args:
            trunk: a network of ``latent_dim + classes`` inputs. Without classes and codes it is
                returned as is.
            latent_dim: length of z.

        Raises:
            ArchitectureError: the latent is shorter than its codes.
        """
        codes = self.categorical + self.continuous
        if codes > latent_dim:
            raise ArchitectureError(
                f"latent_dim is {latent_dim}, but its codes need {codes} entries. Use a longer "
                f"latent, for example --architecture.latent-dim {codes + 64}."
            )
        coded = CodedGenerator(trunk, self.categorical, self.continuous) if codes else trunk
        return LabelledGenerator(coded, self.classes) if self.classes else coded

    def discriminator(self, trunk: nn.Module, last: nn.Module, features: int) -> Discriminator:
        """Return a discriminator that adds the heads to a trunk.

        Args:
            trunk: images with `extra_channels` more channels -> features (n, features) or a feature
                map (n, features, height, width).
            last: features or feature map -> one logit for each image.
            features: number of features, as above.
        """
        heads: dict[str, nn.Module] = {}
        if self.conditioning == "auxiliary":
            heads["class"] = nn.Linear(features, self.classes)
        if self.categorical:
            heads["categorical"] = nn.Linear(features, self.categorical)
        if self.continuous:
            heads["continuous"] = nn.Linear(features, self.continuous)
        projection = None
        if self.conditioning == "projection":
            projection = nn.Embedding(self.classes, features)
            # With the default, N(0, 1), the sum over all features would dominate the logit.
            nn.init.normal_(projection.weight, 0.0, 0.02)
        return Discriminator(trunk, last, heads, self.extra_channels, projection)


class LabelledGenerator(nn.Module):
    """A generator that concatenates a one-hot label to the latent."""

    def __init__(self, trunk: nn.Module, classes: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.classes = classes

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Return images of classes ``y``, int64 (n,)."""
        images: Tensor = self.trunk(torch.cat([z, one_hot(y, self.classes).to(z.dtype)], 1))
        return images

    def codes(self, z: Tensor) -> dict[str, Tensor]:
        """Return the codes as `CodedGenerator.codes` does, or an empty dict without codes."""
        return self.trunk.codes(z) if isinstance(self.trunk, CodedGenerator) else {}


class CodedGenerator(nn.Module):
    """A generator that reads its codes from the first entries of a latent, all of them N(0, 1).

    The index of the largest of k normals has probability 1/k for each value: it is the categorical
    code. The distribution function of a normal is uniform: scaled to [-1, 1], it is a continuous
    code. So a model with codes samples, exports and interpolates like any other.
    """

    def __init__(self, trunk: nn.Module, categorical: int, continuous: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.categorical = categorical
        self.continuous = continuous

    def codes(self, z: Tensor) -> dict[str, Tensor]:
        """Return ``categorical``: int64 (n,), ``continuous``: float32 (n, codes) in [-1, 1]."""
        k = self.categorical
        codes = {"categorical": z[:, :k].argmax(1)} if k else {}
        if self.continuous:
            codes["continuous"] = torch.erf(z[:, k : k + self.continuous] / math.sqrt(2))
        return codes

    def forward(self, z: Tensor) -> Tensor:
        """Return images."""
        codes = self.codes(z)
        parts = [z[:, self.categorical + self.continuous :]]
        if "continuous" in codes:
            parts.insert(0, codes["continuous"])
        if "categorical" in codes:
            parts.insert(0, one_hot(codes["categorical"], self.categorical).to(z.dtype))
        images: Tensor = self.trunk(torch.cat(parts, 1))
        return images


class Discriminator(nn.Module):
    """A trunk with heads. `ConditioningHeads.discriminator` builds it.

    Attributes:
        aligned_at: which parts correspond in networks for other data, see `ganzoo.nn.matching`.
    """

    def __init__(
        self,
        trunk: nn.Module,
        last: nn.Module,
        heads: dict[str, nn.Module],
        extra_channels: int,
        projection: nn.Embedding | None,
    ) -> None:
        super().__init__()
        self.aligned_at: Mapping[str, str] = {}
        self.trunk = trunk
        self.last = last
        self.heads = nn.ModuleDict(heads)
        self.extra_channels = extra_channels
        self.projection = projection

    def forward(self, images: Tensor, y: Tensor | None = None) -> DiscriminatorOutput:
        """Return logits, features and heads for images (n, channels, height, width).

        ``y``: class numbers, int64 (n,), for ``concat`` and ``projection``.
        """
        if self.extra_channels:
            images = torch.cat([images, self._maps(images, y)], 1)
        features = self.trunk(images)
        logits = self.last(features).flatten()
        pooled = features.flatten(2).sum(2) if features.dim() == 4 else features
        if self.projection is not None:
            logits = logits + (self.projection(y) * pooled).sum(1)
        heads = {name: head(pooled) for name, head in self.heads.items()}
        return DiscriminatorOutput(logits, features, heads)

    def _maps(self, images: Tensor, y: Tensor | None) -> Tensor:
        assert y is not None  # `ConditioningHeads` rejects data without labels
        maps = one_hot(y, self.extra_channels)[:, :, None, None].to(images.dtype)
        return maps.expand(-1, -1, *images.shape[2:])
