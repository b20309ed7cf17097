"""A bundle -> what other people's programs serve. Imports no torch."""

from ganzoo.deployment.triton import write_triton
from ganzoo.deployment.web import write_web

__all__ = ["write_triton", "write_web"]
