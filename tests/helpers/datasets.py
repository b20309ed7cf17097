"""Tiny datasets of noise, in the layouts of real ones."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image

import ganzoo

CPU = torch.device("cpu")


def get(name, root=None, **arguments):
    return ganzoo.datasets.get(name)(root, **arguments)


def pictures(folder, names, size=(40, 30), mode="RGB"):
    rng = np.random.default_rng(0)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).convert(mode).save(path)
    return folder


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write a file in MNIST's format: magic number, sizes, bytes."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def fake_mnist(root: Path, n: int = 40, name: str = "MNIST") -> Path:
    """Write a folder like MNIST's or FashionMNIST's, with noise."""
    rng = np.random.default_rng(1)
    for prefix in ("train", "t10k"):
        write_idx(
            root / name / "raw" / f"{prefix}-images-idx3-ubyte", rng.integers(0, 256, (n, 28, 28))
        )
        write_idx(root / name / "raw" / f"{prefix}-labels-idx1-ubyte", rng.integers(0, 10, n))
    return root


def fake_celeba(root, monkeypatch, n=4):
    """Write noise in CelebA's layout; torchvision's checksums are those of the real lists."""
    monkeypatch.setattr(torchvision.datasets.CelebA, "file_list", [])
    folder = root / "celeba"
    names = [f"{k:06d}.jpg" for k in range(1, n + 1)]
    pictures(folder / "img_align_celeba", names, size=(178, 218))
    columns = {"list_attr_celeba": 40, "list_bbox_celeba": 4, "list_landmarks_align_celeba": 10}
    for name, count in columns.items():
        header = " ".join(f"c{c}" for c in range(count))
        rows = "".join(f"{file} {' '.join(['1'] * count)}\n" for file in names)
        (folder / f"{name}.txt").write_text(f"{n}\n{header}\n{rows}")
    parts = "".join(f"{file} {k % 2}\n" for k, file in enumerate(names))
    (folder / "list_eval_partition.txt").write_text(parts)
    (folder / "identity_CelebA.txt").write_text("".join(f"{file} 1\n" for file in names))
    return root


def fake_tinyhero(root):
    """Write noise in TinyHero's layout: one folder per side, with equal file names."""
    pictures(root / "tinyhero", [f"{side}/{k}.png" for side in range(4) for k in range(2)])
    return root


def picture(seed, kind="png", size=(20, 16)):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, {"jpg": "jpeg"}.get(kind, kind))
    return buffer.getvalue()


def write_tar(path, members, form=tarfile.PAX_FORMAT):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=form) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def write_zip(path, members, method=zipfile.ZIP_STORED):
    """Write a zip of names, or headers, and contents."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def write_parquet(path, **columns):
    """Write a Parquet file; images are bytes."""
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def shards(root, n=11, shard_size=4, labels=True):
    """Write shards whose labels are k % 3; keys repeat for each image format."""
    for start in range(0, n, shard_size):
        members = []
        for k in range(start, min(start + shard_size, n)):
            kind = ("png", "jpg", "webp")[k % 3]
            members.append((f"{k:05d}.{kind}", picture(k, kind)))
            if labels:
                members.append((f"{k:05d}.cls", f"{k % 3}\n".encode()))
        write_tar(root / f"s-{start:03d}.tar", members)
    return root
