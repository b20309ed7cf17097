"""Fake installed distributions: metadata, entry points and modules."""

from __future__ import annotations

from pathlib import Path


def install(
    folder: Path, distribution: str, groups: dict[str, dict[str, str]], **files: str
) -> None:
    """Lay out an installed distribution: its metadata, entry points and modules."""
    info = folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    points = "".join(
        f"[ganzoo.{group}]\n" + "".join(f"{k} = {v}\n" for k, v in entries.items())
        for group, entries in groups.items()
    )
    (info / "entry_points.txt").write_text(points)
    for module, code in files.items():
        (folder / f"{module}.py").write_text(code)
