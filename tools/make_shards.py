"""Write tar shards of small synthetic images in WebDataset's layout, to measure reading.

    python tools/make_shards.py OUT --images 1000000 --size 32 --classes 10

The images repeat after `--distinct` of them.
"""

import argparse
import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image


def encode(number: int, size: int, kind: str) -> bytes:
    """Return the image file of a few coloured tiles."""
    tiles = np.random.default_rng(number).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    image = Image.fromarray(tiles).resize((size, size), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, {"jpg": "JPEG"}.get(kind, kind.upper()))
    return buffer.getvalue()


def member(name: str, content: bytes) -> bytes:
    """Return a file of a tar archive: header, content, padding."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    padding = bytes(-len(content) % tarfile.BLOCKSIZE)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + padding


def make_shards(
    out: Path,
    images: int,
    *,
    per_shard: int = 10_000,
    size: int = 16,
    kind: str = "png",
    classes: int = 0,
    distinct: int = 1_000,
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    pool = [encode(number, size, kind) for number in range(min(images, distinct))]
    for shard, start in enumerate(range(0, images, per_shard)):
        with open(out / f"shard-{shard:06d}.tar", "wb") as file:
            for key in range(start, min(start + per_shard, images)):
                file.write(member(f"{key:09d}.{kind}", pool[key % len(pool)]))
                if classes:
                    file.write(member(f"{key:09d}.cls", str(key % classes).encode()))
            file.write(bytes(2 * tarfile.BLOCKSIZE))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--per-shard", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--kind", choices=["png", "jpg", "webp"], default="png")
    parser.add_argument("--classes", type=int, default=0)
    parser.add_argument("--distinct", type=int, default=1_000)
    options = vars(parser.parse_args())
    make_shards(options.pop("out"), options.pop("images"), **options)


if __name__ == "__main__":
    main()
