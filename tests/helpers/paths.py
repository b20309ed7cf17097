"""Where the project's own folders are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
