"""Methods that compute directions in the latent space of a generator.

The sign of a direction is a convention: its number of largest magnitude is positive. Directions of
`learn_normal` point to the images of the class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError
from ganzoo.sampling.classes import Label
from ganzoo.sampling.directions import Directions
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.model import Model, check_finite
from ganzoo.sampling.samplers import Draw
from ganzoo.sampling.styles import parse_layers

COUNT = 8  # directions by default
DRAWS = 10_000  # latents by default, as in GANSpace
AT_ONCE = 512  # latents in a batch, which keeps the features of all of them
FIRST_LAYER = "first_layer"  # part of a generator: its first linear layer or convolution
RIDGE = 1.0  # weight of the squared length of a normal in the logistic regression
STEPS = 50  # of Newton's method, at most
NEGLIGIBLE = 1e-9  # share of the largest variance: a component below it is rounding error

Array = NDArray[np.float64]


def sefa(
    model: Generator,
    *,
    layers: str = "",
    count: int = COUNT,
    draws: int = DRAWS,
    seed: int = 0,
    label: Label | None = None,
) -> Directions:
    """Compute directions from the weights alone: SeFa.

    They are the eigenvectors of A^T A with the largest eigenvalues ("Closed-Form Factorization of
    Latent Semantics in GANs", Shen and Zhou, 2021, equation 7, https://arxiv.org/abs/2007.06600).
    A is the weight of the layers that read w; in z, of the first layer that reads z, computed from
    its responses to the unit vectors.

    Args:
        model: the generator; for w of the torch runtime.
        layers: layers whose weights are factorised and whose w moves, see `parse_layers`; by
            default all.
        count: number of directions.
        draws: number of latents from which their scales are computed.
        seed: seed of these latents.
        label: class of the latents; by default all alternate.

    Raises:
        SampleError: an argument is out of range, or the model cannot have such directions.
    """
    numbers = choose_layers(model, layers)
    latents = draw_latents(model, draws, seed, label)
    _check_count(count, latents.shape[1])
    if numbers:
        maps = model.style_maps()
        matrices = [matrix for layer in numbers for matrix in maps.get(layer, [])]
        if not matrices:
            raise SampleError(
                f"no linear layer of {model.spec.name!r} reads the w of layer "
                f"{', '.join(map(str, numbers))}. Choose other layers, or --method ganspace."
            )
        weights = np.concatenate(matrices).astype(np.float64)
    else:
        unit = np.eye(model.latent_dim, dtype=np.float32)
        responses = np.concatenate(list(_features(model, np.concatenate([unit, -unit]), label)))
        half = len(unit)
        weights = (responses[:half] - responses[half:]).astype(np.float64).T / 2
    vectors, sizes = eigenvectors(weights.T @ weights, count)
    _check_rank(sizes, f"the weights of {model.spec.name!r} that read its latents")
    return describe(model, vectors, latents, "sefa", seed, numbers)


def ganspace(
    model: Generator,
    *,
    layers: str = "",
    count: int = COUNT,
    draws: int = DRAWS,
    seed: int = 0,
    label: Label | None = None,
) -> Directions:
    """Compute directions by a principal component analysis of many latents: GANSpace.

    ("GANSpace: Discovering Interpretable GAN Controls", Härkönen et al., 2020,
    https://arxiv.org/abs/2004.02546.) In w, they are the principal components of w. In z, they are
    those of the features of the first layer that reads z, mapped to z by least squares.

    Args:
        model: the generator.
        layers: layers whose w moves, see `parse_layers`; by default all.
        count: number of directions.
        draws: number of latents.
        seed: seed of the latents.
        label: class of the latents; by default all alternate, and in z it is the first.

    Raises:
        SampleError: an argument is out of range, or the features have too few dimensions.
    """
    numbers = choose_layers(model, layers)
    latents = draw_latents(model, draws, seed, label)
    _check_count(count, latents.shape[1])
    if numbers:
        vectors, variances = principal_components(latents, count)
        _check_rank(variances, f"{draws:,} random w of {model.spec.name!r}", "more --draws, or ")
    else:
        vectors = _components_in_z(model, latents, count, label)
    return describe(model, vectors, latents, "ganspace", seed, numbers)


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


def draw_latents(
    model: Generator, draws: int, seed: int, label: Label | None = None
) -> NDArray[np.float32]:
    """Return w of random latents, or z for a model without w: (draws, dim).

    Raises:
        SampleError: there are fewer than 2 draws, or the label does not exist.
    """
    if not 2 <= draws <= 1_000_000:
        raise SampleError(f"cannot draw {draws} latents: the number is 2 to 1,000,000.")
    draw = Draw.of(seed, draws, y=model.labels(draws, label=label))
    z = draw.normal(model.latent_dim)
    if model.spec.styles is None:
        return z
    w = np.concatenate(list(_run_in_parts(model.part("mapping"), z, draw.y)))
    return check_finite(w, model.spec.name)


def describe(
    model: Generator,
    vectors: Array,
    latents: NDArray[np.float32],
    method: str,
    seed: int,
    layers: Sequence[int],
    names: Sequence[str] = (),
) -> Directions:
    """Return directions with their scales.

    Args:
        model: the generator.
        vectors: the directions, (k, dim).
        latents: latents of the model, (n, dim).
        method: name of the method.
        seed: seed of the latents.
        layers: layers whose w moves.
        names: a name of each; by default its number.
    """
    units = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return Directions(
        units,
        (latents @ units.T).std(axis=0, dtype=np.float64).astype(np.float32),
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


def principal_components(values: NDArray[np.floating], count: int) -> tuple[Array, Array]:
    """Return unit vectors of the largest variance of rows, (count, dim), and their variances.

    Args:
        values: the rows, (n, dim).
        count: number of components.
    """
    centred = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    return eigenvectors(centred.T @ centred / len(values), count)


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


def _check_count(count: int, dim: int) -> None:
    if not 1 <= count <= dim:
        raise SampleError(f"cannot compute {count} directions: the number is 1 to {dim}.")


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
            f"{what} have {rank} dimension{'s' * (rank > 1)}, fewer than {len(variances)} "
            f"directions. Use {other_remedy}--count {rank}."
        )


def _features(
    model: Generator, z: NDArray[np.float32], label: Label | None
) -> Iterator[NDArray[np.float32]]:
    """Yield the features of the first layer that reads z, (up to 512, features).

    A model with classes computes them for one class, by default the first.
    """
    if label is None and "y" in model.spec.inputs:
        label = model.spec.data.class_names[0]
    for features in _run_in_parts(model.part(FIRST_LAYER), z, model.labels(len(z), label=label)):
        yield check_finite(features.reshape(len(features), -1), model.spec.name)


def _run_in_parts(
    network: Model, z: NDArray[np.float32], y: NDArray[np.int64] | None
) -> Iterator[NDArray[np.float32]]:
    """Yield the output of a network for each 512 latents, or more if they are longer.

    Larger batches than those of images, since nobody compares their bits. The first one has more
    rows than a latent has numbers, see `_components_in_z`.
    """
    size = max(AT_ONCE, z.shape[1] + 2)
    for k in range(0, len(z), size):
        inputs: dict[str, NDArray[Any]] = {"z": z[k : k + size]}
        if y is not None:
            inputs["y"] = y[k : k + size]
        yield network.run({name: inputs[name] for name in network.spec.inputs})


def _components_in_z(
    model: Generator, z: NDArray[np.float32], count: int, label: Label | None
) -> Array:
    """Return principal components of the first layer's features, mapped to z by least squares.

    The features of a linear layer span at most as many dimensions as z, so that the plane of the
    first features contains all of them.
    """
    basis: NDArray[np.floating] | None = None
    parts = []
    for features in _features(model, z, label):
        if basis is None:
            offset = features[0]
            basis, _ = np.linalg.qr((features[: model.latent_dim + 2] - offset).T)
        parts.append((features - offset) @ basis)
    coordinates = np.concatenate(parts)
    if count > coordinates.shape[1] == features.shape[1]:
        raise SampleError(
            f"the first layer of {model.spec.name!r} has {features.shape[1]} features, fewer than "
            f"{count} directions. Use --count {features.shape[1]}."
        )
    if count > coordinates.shape[1]:
        raise SampleError(f"{count} directions need at least {count + 2} latents. Use more draws.")
    axes, variances = principal_components(coordinates, count)
    _check_rank(variances, f"the features of the first layer of {model.spec.name!r}")
    positions = (coordinates - coordinates.mean(axis=0)) @ axes.T
    solution, *_ = np.linalg.lstsq(positions, z - z.mean(axis=0), rcond=None)
    return orient(solution)
