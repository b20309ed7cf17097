"""Names and shapes of a network's inputs and outputs, the same in every runtime."""

from __future__ import annotations

from ganzoo.spec import ModelSpec


def signature(spec: ModelSpec, role: str) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Return the shapes of inputs and of outputs by name, without the batch dimension."""
    image = list(spec.data.image.shape)
    latent = [spec.latent.dim] if spec.latent else []
    if role == "encoder":
        return {"images": image}, {"z": latent}
    condition = list(spec.data.condition.shape) if spec.data.condition else []
    shapes: dict[str, list[int]] = {"condition": condition, "z": latent, "y": []}
    return {name: shapes[name] for name in spec.inputs}, {"images": image}
