"""Methods that compute directions in the latent space of a generator.

The sign of a direction is a convention: its number of largest magnitude is positive. Directions of
`learn_normal` point to the images of the class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError, quantity
from ganzoo.sampling.classes import Label
from ganzoo.sampling.directions import Directions
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.model import Model, check_finite, to_integer
from ganzoo.sampling.moments import Moments
from ganzoo.sampling.samplers import Draw
from ganzoo.sampling.styles import parse_layers
from ganzoo.spec import ModelSpec

COUNT = 8  # directions by default
DRAWS = 10_000  # latents by default; the authors' code of GANSpace draws 300,000
MAX_DRAWS = 1_000_000
AT_ONCE = 512  # latents in a batch, which keeps the features of all of them
FIRST_LAYER = "first_layer"  # part of a generator: its first linear layer or convolution
RIDGE = 1.0  # weight of the squared length of a normal in the logistic regression
STEPS = 50  # of Newton's method, at most
NEGLIGIBLE = 1e-9  # share of the largest variance: a component below it is rounding error

Array = NDArray[np.float64]
Method = Literal["sefa", "ganspace"]


def compute_directions(
    model: Generator,
    method: Method,
    *,
    layers: str = "",
    count: int = COUNT,
    draws: int = DRAWS,
    seed: int = 0,
    label: Label | None = None,
) -> Directions:
    """Compute directions in w, or in z for a model without a mapping network.

    ``sefa`` reads the weights alone: its directions are the eigenvectors of A^T A with the largest
    eigenvalues ("Closed-Form Factorization of Latent Semantics in GANs", Shen and Zhou, 2021,
    equation 7, https://arxiv.org/abs/2007.06600). A is the weight of the layers that read w; in z,
    of the first layer that reads z, computed from its responses to the unit vectors. The authors'
    code scales each row of A to length 1; the paper and this function do not.

    ``ganspace`` is a principal component analysis of random latents ("GANSpace: Discovering
    Interpretable GAN Controls", Härkönen et al., 2020, https://arxiv.org/abs/2004.02546). In w, its
    directions are the principal components of w; in z, those of the features of the first layer
    that reads z, mapped to z by least squares. Memory does not depend on the number of latents.

    Args:
        model: the generator; `sefa` in w needs the torch runtime.
        method: ``sefa`` or ``ganspace``.
        layers: layers whose w moves, and whose weights `sefa` factorises, see `parse_layers`; by
            default all.
        count: number of directions, up to the length of w or z; see `default_count`.
        draws: number of random latents, from which `ganspace` computes the directions, and both
            methods their scales.
        seed: seed of the latents.
        label: class of the latents; by default all alternate, except in the features of the first
            layer, which have the first class.

    Raises:
        SampleError: an argument is out of range, or the model cannot have such directions.
    """
    numbers = choose_layers(model, layers)
    dim, count = _latent_dim(model.spec), to_integer("count", count)
    if not 1 <= count <= dim:
        raise SampleError(f"cannot compute {count} directions: the number is 1 to {dim}.")
    if method == "ganspace" and not numbers:
        vectors, moments = _ganspace_in_z(model, count, _draws(model, draws, seed, label), label)
    else:
        moments = Moments.of(random_latents(model, draws, seed, label))
        if method == "ganspace":
            matrix = moments.covariance
        elif method == "sefa":
            weights = _weights_of_w(model, numbers) if numbers else _weights_of_z(model, label)
            matrix = weights.T @ weights
        else:
            raise SampleError(f"unknown method {method!r}. Use sefa or ganspace.")
        vectors, sizes = eigenvectors(matrix, count)
        if method == "ganspace":
            _check_rank(sizes, f"{draws:,} random w of {model.spec.name!r}", "more --draws, or ")
        else:
            _check_rank(sizes, f"the weights of {model.spec.name!r} that read its latents")
    return describe(model, vectors, moments, method, seed, numbers)


def choose_layers(model: Generator, layers: str) -> list[int]:
    """Return the numbers of layers whose w moves; none for a model without w.

    Raises:
        SampleError: a layer does not exist.
    """
    if model.spec.styles:
        count = model.spec.styles.layers
        return parse_layers(layers or f"0-{count - 1}", count)
    if layers:
        raise SampleError(f"{model.spec.name!r} has no w, which layers read. Omit the layers.")
    return []


def random_latents(
    model: Generator, draws: int, seed: int, label: Label | None = None
) -> Iterator[NDArray[np.float32]]:
    """Return w of random latents, or z for a model without w, in parts (n, dim).

    Raises:
        SampleError: there are fewer than 2 draws, or the label does not exist.
    """
    for draw in _draws(model, draws, seed, label):
        z = draw.normal(model.latent_dim)
        if model.spec.styles is None:
            yield z
        else:
            yield check_finite(_run(model.part("mapping"), z, draw.y), model.spec.name)


def describe(
    model: Generator,
    vectors: Array,
    moments: Moments,
    method: str,
    seed: int,
    layers: Sequence[int],
    names: Sequence[str] = (),
) -> Directions:
    """Return directions with their scales.

    Args:
        model: the generator.
        vectors: the directions, (k, dim).
        moments: mean and covariance of the model's latents.
        method: name of the method.
        seed: seed of the latents.
        layers: layers whose w moves.
        names: a name of each; by default its number.
    """
    units = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return Directions(
        units,
        moments.deviations(units).astype(np.float32),
        tuple(layers),
        tuple(names) or tuple(f"direction {k}" for k in range(len(units))),
        model.spec.name,
        method,
        seed,
        model.spec.weights_id,
    )


def eigenvectors(matrix: Array, count: int) -> tuple[Array, Array]:
    """Return the eigenvectors with the largest eigenvalues, (count, dim), and these eigenvalues.

    The number of largest magnitude in each vector is positive.

    Args:
        matrix: a symmetric matrix, (dim, dim).
        count: number of eigenvectors.
    """
    values, columns = np.linalg.eigh(matrix)
    return orient(columns.T[::-1][:count]), values[::-1][:count]


def orient(vectors: Array) -> Array:
    """Return each vector, or its negative, so that its number of largest magnitude is positive."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
    return np.where(largest < 0, -vectors, vectors)


def learn_normal(latents: NDArray[np.float32], is_class: NDArray[np.bool_]) -> Array:
    """Return the normal of the plane that separates the latents of a class from all others.

    A logistic regression on latents of unit variance, with a penalty of half the squared length of
    the normal, by Newton's method. The normal has length 1 and points to the class.

    Args:
        latents: (n, dim).
        is_class: whether each latent belongs to the class, (n,); both occur.
    """
    scale = latents.std(axis=0, dtype=np.float64)
    scale[scale == 0] = 1.0
    x = (latents - latents.mean(axis=0, dtype=np.float64)) / scale
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    penalty = np.full(x.shape[1], RIDGE)
    penalty[-1] = 1e-9  # of the bias
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 0.5 + 0.5 * np.tanh(x @ weights / 2)
        gradient = x.T @ (p - is_class) + penalty * weights
        curvature = (x.T * (p * (1 - p))) @ x + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    normal = weights[:-1] / scale
    unit: Array = normal / np.linalg.norm(normal)
    return unit


def _check_rank(variances: Array, what: str, other_remedy: str = "") -> None:
    """Raise an error if some of the chosen components have no extent: they would be arbitrary.

    Args:
        variances: the variance along each component, the largest first.
        what: what they are the components of.
        other_remedy: what to do besides a smaller count.
    """
    rank = int((variances > NEGLIGIBLE * variances[0]).sum())
    if rank == 0:
        raise SampleError(f"{what} are all alike, so they have no directions.")
    if rank < len(variances):
        raise SampleError(
            f"{what} have {quantity(rank, 'dimension')}, fewer than {len(variances)} "
            f"directions. Use {other_remedy}--count {rank}."
        )


def default_count(spec: ModelSpec) -> int:
    """Return the usual number of directions of a generator: 8, or the length of a shorter w or z.

    Args:
        spec: the config of the generator.
    """
    return min(COUNT, _latent_dim(spec))


def _latent_dim(spec: ModelSpec) -> int:
    assert spec.latent is not None  # guaranteed by the spec of a generator
    return spec.styles.dim if spec.styles else spec.latent.dim


def _draws(model: Generator, draws: int, seed: int, label: Label | None) -> Iterator[Draw]:
    """Yield the images of a seed in parts of 512, or of more if latents are longer.

    Larger parts than those of images, since nobody compares their bits. The first part has more
    rows than a latent has numbers, see `_ganspace_in_z`.
    """
    draws = to_integer("draws", draws)
    if not 2 <= draws <= MAX_DRAWS:
        raise SampleError(f"cannot draw {draws} latents: the number is 2 to {MAX_DRAWS:,}.")
    size = max(AT_ONCE, model.latent_dim + 2)
    for start in range(0, draws, size):
        n = min(size, draws - start)
        yield Draw.of(seed, n, start=start, y=model.labels(n, label=label, start=start))


def _run(
    network: Model, z: NDArray[np.float32], y: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    inputs: dict[str, Any] = {"z": z, "y": y}
    return network.run({name: inputs[name] for name in network.spec.inputs})


def _features(model: Generator, z: NDArray[np.float32], label: Label | None) -> NDArray[np.float32]:
    """Return the features of the first layer that reads z, (n, features).

    A model with classes computes them for one class, by default the first.
    """
    if label is None and "y" in model.spec.inputs:
        label = model.spec.data.class_names[0]
    features = _run(model.part(FIRST_LAYER), z, model.labels(len(z), label=label))
    return check_finite(features.reshape(len(features), -1), model.spec.name)


def _weights_of_w(model: Generator, layers: Sequence[int]) -> Array:
    """Return the weights of the linear layers that read the w of some layers, (outputs, dim)."""
    maps = model.style_maps()
    matrices = [matrix for layer in layers for matrix in maps.get(layer, [])]
    if not matrices:
        raise SampleError(
            f"no linear layer of {model.spec.name!r} reads the w of layer "
            f"{', '.join(map(str, layers))}. Choose other layers, or --method ganspace."
        )
    return np.concatenate(matrices).astype(np.float64)


def _weights_of_z(model: Generator, label: Label | None) -> Array:
    """Return the weights of the first layer that reads z, (features, dim)."""
    unit = np.eye(model.latent_dim, dtype=np.float32)
    responses = [_features(model, z, label).astype(np.float64) for z in (unit, -unit)]
    return (responses[0] - responses[1]).T / 2


def _ganspace_in_z(
    model: Generator, count: int, draws: Iterator[Draw], label: Label | None
) -> tuple[Array, Moments]:
    """Return principal components of the first layer's features, mapped to z by least squares.

    The features of a linear layer span at most as many dimensions as z, so that the plane of the
    first features contains all of them.

    Returns:
        The directions, and the moments of z.
    """
    basis: NDArray[np.floating] = np.zeros((0, 0))
    offset: NDArray[np.floating] = np.zeros(0)

    def joint() -> Iterator[Array]:
        """Yield the coordinates of features in their plane, beside z."""
        nonlocal basis, offset
        for draw in draws:
            z = draw.normal(model.latent_dim)
            features = _features(model, z, label)
            if not basis.size:
                offset = features[0]
                basis, _ = np.linalg.qr((features[: model.latent_dim + 2] - offset).T)
                _check_features(model, count, *basis.shape)
            yield np.concatenate([(features - offset) @ basis, z], axis=1)

    moments = Moments.of(joint())
    size = basis.shape[1]
    features, both = moments.covariance[:size, :size], moments.covariance[:size, size:]
    axes, variances = eigenvectors(features, count)
    _check_rank(variances, f"the features of the first layer of {model.spec.name!r}")
    # Positions on the axes are uncorrelated, so each has a regression of its own.
    directions = orient(axes @ both / variances[:, None])
    of_z = Moments(moments.count, moments.mean[size:], moments.covariance[size:, size:])
    return directions, of_z


def _check_features(model: Generator, count: int, features: int, dimensions: int) -> None:
    if count > dimensions == features:
        raise SampleError(
            f"the first layer of {model.spec.name!r} has {features} features, fewer than {count} "
            f"directions. Use --count {features}."
        )
    if count > dimensions:
        raise SampleError(f"{count} directions need at least {count + 2} latents. Use more draws.")
