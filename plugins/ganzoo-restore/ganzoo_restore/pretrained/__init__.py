"""The bundle that ships with the package."""

from pathlib import Path

esrgan_emoji = Path(__file__).parent / "esrgan-emoji"
