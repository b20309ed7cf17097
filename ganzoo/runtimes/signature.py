"""Names and shapes of a network's inputs and outputs, the same in every runtime."""

from __future__ import annotations

from ganzoo.spec import ModelSpec

Shapes = dict[str, list[int]]
ANY = -1  # a dimension of any length

# The parts of a generator with styles, and the values between them in its ONNX file.
MAPPING, SYNTHESIS = "mapping", "synthesis"
FIRST_LAYER = "first_layer"  # part of any generator: the first linear layer that reads z
W = "w"  # (n, dim)
STYLES = "styles"  # one w per layer, (n, layers, dim), after the generator's own truncation
W_AVERAGE = "w_average"  # a tensor of the file, (dim,)


def signature(
    spec: ModelSpec, role: str, size: tuple[int, int] | None = None
) -> tuple[Shapes, Shapes]:
    """Return the shapes of inputs and of outputs by name, without the batch dimension.

    Args:
        spec: the config.
        role: a network, or a part of a generator with styles: ``mapping`` or ``synthesis``.
        size: height and width of the condition of a translator; by default those of its training.
    """
    image = list(spec.data.image.shape)
    latent = [spec.latent.dim] if spec.latent else []
    if role == "encoder":
        return {"images": image}, {"z": latent}
    condition = list(spec.data.condition.shape) if spec.data.condition else []
    if size is not None:
        scale = spec.sizes.scale if spec.sizes else 1
        image[1:] = [side if side == ANY else scale * side for side in size]
        condition[1:] = size
    shapes: Shapes = {"condition": condition, "z": latent, "y": []}
    inputs = {name: shapes[name] for name in spec.inputs}
    if spec.styles and role == MAPPING:
        return inputs, {W: [spec.styles.dim]}
    if spec.styles and role == SYNTHESIS:
        return {STYLES: [spec.styles.layers, spec.styles.dim]}, {"images": image}
    return inputs, {"images": image}


def has_any_size(spec: ModelSpec, role: str) -> bool:
    """Return whether a network is a translator that reads images of any size."""
    return spec.sizes is not None and role != "encoder"


def declared_signature(spec: ModelSpec, role: str) -> tuple[Shapes, Shapes]:
    """Return the shapes that an ONNX file declares: `ANY` is the height and width of any size."""
    return signature(spec, role, (ANY, ANY) if has_any_size(spec, role) else None)
