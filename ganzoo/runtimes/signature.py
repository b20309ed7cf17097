"""What a network reads and returns, by name: the same in torch, onnxruntime and elsewhere."""

from __future__ import annotations

from ganzoo.spec import ModelSpec


def signature(spec: ModelSpec, role: str) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Return inputs and outputs by name, each with its shape but for the batch."""
    image = list(spec.data.image.shape)
    latent = [spec.latent.dim] if spec.latent else []
    if role == "encoder":
        return {"images": image}, {"z": latent}
    condition = list(spec.data.condition.shape) if spec.data.condition else []
    shapes: dict[str, list[int]] = {"condition": condition, "z": latent, "y": []}
    return {name: shapes[name] for name in spec.inputs}, {"images": image}
