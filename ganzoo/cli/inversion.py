"""Find the code of a photo."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import tyro

from ganzoo.cli.arguments import Text
from ganzoo.cli.outputs import MaybeOutput, check_companion, choose_output
from ganzoo.errors import SampleError, quantity
from ganzoo.system.terminal import print_error, print_out


def invert(
    name: Text,
    photo: tyro.conf.Positional[Path],
    /,
    output: MaybeOutput = None,
    space: Literal["z", "w", "w+"] | None = None,
    steps: int = 1000,
    rate: float = 0.1,
    seed: int = 0,
    samples: int | None = None,
    starts: int | None = None,
    label: str | None = None,
    extractor: str | None = None,
    noise: bool = False,
    device: str = "cpu",
) -> None:
    """Find the code whose image is nearest to a photo (needs torch).

    Writes a file of codes for --sampler stored and --sampler around, and a comparison image beside
    it: the photo, and the image of the code. Ctrl-C keeps the nearest code so far.

    Args:
        name: name of a model, ./folder or hf://org/repo.
        photo: image file; it is resized by its short side and cropped at the centre.
        output: file to write or replace; by default the photo's name with .w.safetensors or
            .z.safetensors in the current folder, which replaces no file. The comparison image is
            OUTPUT with .comparison.png.
        space: z; w, one for all layers; or w+, one for each layer, which fits any photo better and
            edits worse. By default w if the model has a mapping network, else z.
        steps: number of steps.
        rate: largest learning rate of Adam.
        seed: seed of the random samples.
        samples: number of random samples, whose nearest are starts; by default 256, or 16 for
            images of more than 128x128 pixels. The average w and the code of the bundle's encoder
            are more.
        starts: number of starts; by default 4, or 1 for images of more than 128x128 pixels.
        label: name or number of the photo's class; by default that of the nearest start.
        extractor: compare features of this extractor, such as lpips; by default pixels at several
            scales.
        noise: optimise the noise maps of a StyleGAN2, too. They are not in the file.
        device: cpu, cuda, cuda:1, or auto for cuda if there is a GPU.
    """
    from ganzoo import zoo
    from ganzoo.inversion import invert as find
    from ganzoo.inversion import read_photo
    from ganzoo.sampling.generator import Generator
    from ganzoo.sampling.latent_files import check_extension

    model = zoo.load(name, runtime="torch", device=device)
    if not isinstance(model, Generator):
        raise SampleError(
            f"{name} translates images, so it has no codes. Use a model that generates images."
        )
    space = space or ("z" if model.spec.styles is None else "w")
    path = choose_output(output, f"{photo.stem}.{space.rstrip('+')}.safetensors")
    check_extension(path, "codes")
    comparison = path.with_suffix(".comparison.png")
    check_companion(comparison, path)
    has_encoder = "encoder" in model.spec.roles
    encoder = (
        zoo.load(name, role="encoder", runtime="torch", device=device) if has_encoder else None
    )
    image = read_photo(photo, model.spec.data.image)
    if image.crop:
        print_error(image.crop)
    inversion = find(
        model,
        image.image,
        space=space,
        steps=steps,
        rate=rate,
        seed=seed,
        samples=samples,
        starts=starts,
        label=label,
        extractor=extractor,
        noise=noise,
        encoder=encoder,
        progress=True,
    )
    inversion.save(path)
    print_out(
        f"{path}: {space} of {photo}, PSNR {inversion.psnr:.1f} dB, distance "
        f"{inversion.distance:.4g}, {quantity(inversion.steps, 'step')}"
    )
    image.beside(inversion.image).save(comparison)
    print_out(f"{comparison}: {'whole photo | ' if image.whole else ''}photo | image of the code")
    if inversion.interrupted:
        raise KeyboardInterrupt
