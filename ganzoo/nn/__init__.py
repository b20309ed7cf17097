"""What architectures share."""

from ganzoo.nn.initialisation import init_normal

__all__ = ["init_normal"]
