"""The files of datasets, with their addresses and MD5 as torchvision lists them."""

from __future__ import annotations

from ganzoo.spec.downloads import DownloadFile


def mnist_files(name: str) -> list[DownloadFile]:
    """Return the files of a dataset in MNIST's layout, by its class in torchvision."""
    from torchvision import datasets

    kind = getattr(datasets, name)
    return [
        DownloadFile(
            f"{name}/raw/{file}", tuple(f"{mirror}{file}" for mirror in kind.mirrors), md5, "gzip"
        )
        for file, md5 in kind.resources
    ]


def emnist_files() -> list[DownloadFile]:
    """Return the file of EMNIST."""
    from torchvision.datasets import EMNIST

    return [DownloadFile("EMNIST/raw/gzip.zip", (EMNIST.url,), EMNIST.md5, "zip of gzip")]


def cifar_files() -> list[DownloadFile]:
    """Return the file of CIFAR-10."""
    from torchvision.datasets import CIFAR10

    return [DownloadFile(CIFAR10.filename, (CIFAR10.url,), CIFAR10.tgz_md5, "tar")]


def svhn_files() -> list[DownloadFile]:
    """Return the files of SVHN."""
    from torchvision.datasets import SVHN

    return [
        DownloadFile(file, (url,), md5, split=split, optional=split == "extra")
        for split, (url, file, md5) in SVHN.split_list.items()
    ]


def omniglot_files() -> list[DownloadFile]:
    """Return the files of Omniglot."""
    from torchvision.datasets import Omniglot

    return [
        DownloadFile(
            f"omniglot-py/{name}.zip",
            (f"{Omniglot.download_url_prefix}/{name}.zip",),
            md5,
            "zip",
            split=name.removeprefix("images_"),
        )
        for name, md5 in Omniglot.zips_md5.items()
    ]


def usps_files() -> list[DownloadFile]:
    """Return the files of USPS."""
    from torchvision.datasets import USPS

    return [
        DownloadFile(file, (url,), md5, split=split)
        for split, (url, file, md5) in USPS.split_list.items()
    ]


def stl_files() -> list[DownloadFile]:
    """Return the file of STL-10."""
    from torchvision.datasets import STL10

    return [DownloadFile(STL10.filename, (STL10.url,), STL10.tgz_md5, "tar")]


def flowers_files() -> list[DownloadFile]:
    """Return the files of Flowers 102."""
    from torchvision.datasets import Flowers102

    return [
        DownloadFile(
            f"flowers-102/{file}",
            (f"{Flowers102._download_url_prefix}{file}",),
            md5,
            "tar" if file.endswith(".tgz") else "",
        )
        for file, md5 in Flowers102._file_dict.values()
    ]


def pets_files() -> list[DownloadFile]:
    """Return the files of Oxford-IIIT Pet."""
    from torchvision.datasets import OxfordIIITPet

    return [
        DownloadFile(f"oxford-iiit-pet/{url.rpartition('/')[2]}", (url,), md5, "tar")
        for url, md5 in OxfordIIITPet._RESOURCES
    ]
