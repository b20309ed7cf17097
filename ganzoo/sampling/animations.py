"""Write a long series of images as an animation or a video, in constant memory."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from ganzoo.bundle.files import new_file
from ganzoo.errors import MissingExtraError, OutputError, SampleError, install_extra, shell_word
from ganzoo.sampling.animated_images import AnimatedImage, Gif, WebP, enlarge
from ganzoo.sampling.images import MAX_SCALE, ImageBatch
from ganzoo.sampling.model import to_integer, to_number
from ganzoo.sampling.progress import Progress
from ganzoo.sampling.sizes import animation_scale
from ganzoo.system.signals import stop_on_signal

VIDEOS = (".mp4", ".webm")
FORMATS = (*VIDEOS, ".gif", ".webp")
MAX_FPS = 60
MAX_GIF_FPS = 50  # beyond it browsers slow a GIF down


def check_animation(path: Path, fps: float, scale: int | None = None) -> None:
    """Check the format of an animation before its images are generated.

    Args:
        path: the file; its extension determines the format.
        fps: images per second.
        scale: size of a pixel, 1 to 64; None for the default.

    Raises:
        OutputError: the extension is unknown, or FFmpeg has no encoder for it.
        MissingExtraError: the format needs av, which is not installed.
        SampleError: a number is out of range.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise OutputError(
            f"cannot write {path.name!r}: the extension {path.suffix!r} is not one of "
            f"{', '.join(FORMATS)}. Use for example -o "
            f"{shell_word(path.stem or 'walk')}.mp4."
        )
    most = MAX_GIF_FPS if suffix == ".gif" else MAX_FPS
    if not 1 <= to_number("fps", fps) <= most:
        raise SampleError(f"fps is {fps:g}; it must be 1 to {most} for a {suffix} file.")
    if scale is not None and not 1 <= to_integer("scale", scale) <= MAX_SCALE:
        raise SampleError(f"scale is {scale}; it must be 1 to {MAX_SCALE}.")
    if suffix in VIDEOS:
        _videos(suffix).find_encoder(suffix)


def write_animation(
    path: str | Path,
    batches: Iterable[ImageBatch],
    count: int,
    *,
    fps: float = 30,
    scale: int | None = None,
    progress: bool = False,
) -> None:
    """Write images as a looped animation or a video, one after the other.

    A full disk and Ctrl-C leave a complete file of the images that it already holds.

    Args:
        path: the file: .mp4, .webm, .gif or .webp.
        batches: the images in parts, all of one size. Memory holds one part.
        count: number of all images.
        fps: images per second, 1 to 60; at most 50 for a GIF.
        scale: size of a pixel; by default images are enlarged to sides of at least 256 pixels.
        progress: whether to print the progress on stderr.

    Raises:
        OutputError: the extension is unknown, FFmpeg has no encoder for it, or the file cannot be
            written.
        MissingExtraError: the format needs av, which is not installed.
        SampleError: a number is out of range.
        KeyboardInterrupt: Ctrl-C stopped it.
    """
    path = Path(path)
    check_animation(path, fps, scale)
    failure: OSError | None = None
    stopped = False
    with (
        new_file(path) as file,
        stop_on_signal() as stop_requested,
        Progress(count, 1, progress) as line,
    ):
        raw = io.FileIO(file.fileno(), "w", closefd=False)
        animation: Any = None
        try:
            for batch in batches:
                scale = scale or animation_scale(*batch.numpy().shape[1:3])
                animation = animation or _start(raw, path.suffix.lower(), fps, scale)
                for image in batch.numpy():
                    animation.add(enlarge(image, scale))
                line.update(len(batch))
                if stopped := stop_requested():
                    break
            animation.close()
        except OSError as error:
            failure = error
        except BaseException:
            if animation is not None:  # FFmpeg would write when it is freed, after the file closes
                with contextlib.suppress(Exception):
                    animation.close()
            raise
        frames = 0 if animation is None else animation.frames
        if animation and failure:
            frames = _complete_after_failure(animation, Path(file.name), path.suffix.lower())
        if not frames:
            raise failure or SampleError("an animation needs 1 image or more.")
    summary = f"{path} holds the first {frames:,} of {count:,} images and plays"
    if isinstance(failure, OutputError):
        raise OutputError(f"{failure} {summary}.") from failure
    if failure is not None:
        raise OutputError(
            f"cannot write all of {path}: {failure.strerror or failure}. {summary}. Free some "
            "space or choose another folder, then run the command again."
        ) from failure
    if stopped and frames < count:
        raise KeyboardInterrupt(summary)
    if frames < count:
        raise SampleError(f"{frames:,} images were passed, and count is {count:,}.")


def _start(file: BinaryIO, suffix: str, fps: float, scale: int) -> Any:
    if suffix in VIDEOS:
        return _videos(suffix).Video(file, suffix, fps)
    return Gif(file, fps) if suffix == ".gif" else WebP(file, fps, exact=scale > 1)


def _complete_after_failure(animation: Any, path: Path, suffix: str) -> int:
    """Complete a file that has no space for another image; return the number of its images."""
    with contextlib.suppress(OSError):
        animation.close()
    if isinstance(animation, AnimatedImage):
        return animation.frames
    return int(_videos(suffix).recover(path, suffix))


def _videos(suffix: str) -> Any:
    """Return the module that imports av."""
    try:
        return importlib.import_module("ganzoo.sampling.videos")
    except ModuleNotFoundError as error:
        if error.name != "av":
            raise
        raise MissingExtraError(
            f"a {suffix} file needs av, which is not installed. {install_extra('video')} Or write "
            ".gif or .webp, which need nothing."
        ) from error
