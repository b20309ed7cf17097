"""The plugins in ganzoo's repository, so that an error can name the one to install."""

from __future__ import annotations

OWN_PLUGINS: dict[str, dict[str, tuple[str, ...]]] = {
    "ganzoo-biggan": {
        "ganzoo.architectures": ("biggan-deep",),
        "ganzoo.importers": ("biggan-deep",),
    },
    "ganzoo-lightweight": {
        "ganzoo.architectures": ("fastgan", "lightweight"),
        "ganzoo.importers": ("huggan-lightweight", "lightweight-gan"),
        "ganzoo.losses": ("fastgan",),
        "ganzoo.recipes": ("fastgan",),
    },
    "ganzoo-pgan": {
        "ganzoo.architectures": ("pgan",),
        "ganzoo.importers": ("pgan-zoo",),
    },
    "ganzoo-r3gan": {
        "ganzoo.architectures": ("r3gan",),
        "ganzoo.importers": ("r3gan",),
        "ganzoo.losses": ("r3gan",),
        "ganzoo.models": ("r3gan-mnist", "r3gan-tinyhero"),
        "ganzoo.recipes": ("r3gan-32", "r3gan-64", "r3gan-mnist", "r3gan-tinyhero"),
    },
    "ganzoo-restore": {
        "ganzoo.architectures": ("rrdbnet", "spandrel", "srresnet"),
        "ganzoo.datasets": ("degraded",),
        "ganzoo.importers": ("spandrel",),
        "ganzoo.losses": ("esrgan", "regression", "srgan"),
        "ganzoo.metrics": ("psnr-y", "ssim-y"),
        "ganzoo.models": ("esrgan-emoji",),
        "ganzoo.recipes": (
            *("esrgan", "esrgan-emoji", "rrdbnet", "rrdbnet-emoji", "srgan", "srresnet"),
        ),
    },
    "ganzoo-stylegan2": {
        "ganzoo.architectures": ("stylegan2",),
        "ganzoo.importers": ("stylegan2-ada", "stylegan2-rosinality"),
        "ganzoo.losses": ("stylegan2",),
        "ganzoo.models": ("stylegan2-mnist", "stylegan2-tinyhero"),
        "ganzoo.recipes": (
            *("stylegan2-64", "stylegan2-mnist", "stylegan2-small-data", "stylegan2-tinyhero"),
        ),
    },
    "ganzoo-stylegan3": {
        "ganzoo.architectures": ("stylegan3",),
        "ganzoo.importers": ("stylegan3",),
        "ganzoo.recipes": ("stylegan3-t-64",),
    },
    "ganzoo-translate": {
        "ganzoo.architectures": ("cyclegan", "translator", "unet"),
        "ganzoo.datasets": ("lineart", "openmoji", "paired", "unpaired"),
        "ganzoo.importers": ("cyclegan-junyanz", "pix2pix-junyanz"),
        "ganzoo.losses": ("cyclegan", "pix2pix"),
        "ganzoo.models": ("pix2pix-openmoji",),
        "ganzoo.recipes": ("cyclegan", "pix2pix-lineart", "pix2pix-openmoji", "pix2pix-pairs"),
    },
}
"""The names that each plugin registers, by its distribution and by group of entry points."""

_NEEDED = {"ganzoo-stylegan3": ("ganzoo-stylegan2",)}  # plugins that another one imports


def find_owner(group: str, name: str) -> str | None:
    """Return the plugin of ganzoo's repository that registers a name, or None."""
    owners = (plugin for plugin, names in OWN_PLUGINS.items() if name in names.get(group, ()))
    return next(owners, None)


def install_command(distribution: str, *requirements: str) -> str:
    """Return what to type to install a plugin.

    Args:
        distribution: normalised name of the plugin.
        requirements: PEP 508 requirements to install; by default the distribution.
    """
    if distribution in OWN_PLUGINS:
        plugins = (*_NEEDED.get(distribution, ()), distribution)
        folders = " ".join(f"./plugins/{plugin}" for plugin in plugins)
        return f"pip install {folders} in a clone of ganzoo"
    return f"pip install {' '.join(map(repr, requirements)) or distribution}"
