"""The datasets: a row for each."""

from __future__ import annotations

import functools
import string

from ganzoo import ImageSpec
from ganzoo.builtin.vision_sets import downloads, image_lists, readers
from ganzoo.builtin.vision_sets.sets import VisionSet

DIGITS = tuple("0123456789")
CLOTHES = (
    *("T-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
VEHICLES_AND_ANIMALS = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
STL_CLASSES = (
    *("airplane", "bird", "car", "cat", "deer"),
    *("dog", "horse", "monkey", "ship", "truck"),
)
SYLLABLES = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
# Letters that EMNIST's authors merge with the capital letter, which looks alike.
_MERGED = frozenset("cijklmopsuvwxyz")
_UNMERGED = tuple(c for c in string.ascii_lowercase if c not in _MERGED)
EMNIST_CLASSES = {
    "balanced": (*DIGITS, *string.ascii_uppercase, *_UNMERGED),
    "byclass": (*DIGITS, *string.ascii_uppercase, *string.ascii_lowercase),
    "bymerge": (*DIGITS, *string.ascii_uppercase, *_UNMERGED),
    "letters": tuple(string.ascii_lowercase),
    "digits": DIGITS,
    "mnist": DIGITS,
}

MNIST = VisionSet(
    name="mnist",
    title="MNIST",
    summary="MNIST: 60,000 handwritten digits for training and 10,000 for tests, 28x28 pixels.",
    citation='"Gradient-Based Learning Applied to Document Recognition" (LeCun et al., 1998),\n'
    "https://doi.org/10.1109/5.726791, CC BY-SA 3.0.",
    origin="MNIST (LeCun et al., 1998)",
    license="cc-by-sa-3.0",
    folder="MNIST/raw",
    read=readers.read_mnist,
    downloads=functools.partial(downloads.mnist_files, "MNIST"),
    image=ImageSpec(28, 28, 1),
    classes=lambda split, subset: DIGITS,
    extractor="lenet-mnist@1",
    hub="ylecun/mnist",
)
FASHION_MNIST = VisionSet(
    name="fashion-mnist",
    title="FashionMNIST",
    summary="Fashion-MNIST: 60,000 images of clothes for training, 10,000 for tests, 28x28 pixels.",
    citation='"Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms"\n'
    "(Xiao et al., 2017), https://arxiv.org/abs/1708.07747, MIT.",
    origin="Fashion-MNIST (Xiao et al., 2017)",
    license="mit",
    folder="FashionMNIST/raw",
    read=readers.read_mnist,
    downloads=functools.partial(downloads.mnist_files, "FashionMNIST"),
    image=ImageSpec(28, 28, 1),
    classes=lambda split, subset: CLOTHES,
    extractor="lenet-fashion@1",
    hub="zalando-datasets/fashion_mnist",
)
KMNIST = VisionSet(
    name="kmnist",
    title="KMNIST",
    summary="Kuzushiji-MNIST: 60,000 cursive Japanese characters, 10,000 for tests, 28x28 pixels.",
    citation='"Deep Learning for Classical Japanese Literature" (Clanuwat et al., 2018),\n'
    "https://arxiv.org/abs/1812.01718, CC BY-SA 4.0. Classes are syllables.",
    origin="Kuzushiji-MNIST (Clanuwat et al., 2018)",
    license="cc-by-sa-4.0",
    folder="KMNIST/raw",
    read=readers.read_mnist,
    downloads=functools.partial(downloads.mnist_files, "KMNIST"),
    image=ImageSpec(28, 28, 1),
    classes=lambda split, subset: SYLLABLES,
)
EMNIST = VisionSet(
    name="emnist",
    title="EMNIST",
    summary="EMNIST: handwritten letters and digits, 28x28 pixels, in six subsets.",
    citation='"EMNIST: an extension of MNIST to handwritten letters" (Cohen et al., 2017),\n'
    "https://arxiv.org/abs/1702.05373. Its authors state no licence. Images are upright; the\n"
    "files have rows and columns exchanged.",
    origin="EMNIST (Cohen et al., 2017)",
    license=None,
    folder="EMNIST/raw",
    read=readers.read_emnist,
    downloads=downloads.emnist_files,
    image=ImageSpec(28, 28, 1),
    classes=lambda split, subset: EMNIST_CLASSES[subset],
    subsets=tuple(EMNIST_CLASSES),
)
USPS = VisionSet(
    name="usps",
    title="USPS",
    summary="USPS: 7,291 handwritten digits for training and 2,007 for tests, 16x16 pixels.",
    citation='"A database for handwritten text recognition research" (Hull, 1994),\n'
    "https://doi.org/10.1109/34.291440. Its authors state no licence.",
    origin="USPS (Hull, 1994)",
    license=None,
    folder="",
    read=readers.read_usps,
    downloads=downloads.usps_files,
    image=ImageSpec(16, 16, 1),
    classes=lambda split, subset: DIGITS,
)
CIFAR_10 = VisionSet(
    name="cifar-10",
    title="CIFAR-10",
    summary="CIFAR-10: 50,000 colour photos for training and 10,000 for tests, 32x32 pixels.",
    citation='"Learning Multiple Layers of Features from Tiny Images" (Krizhevsky, 2009).\n'
    "Its author states no licence. Its pickles are read without executing them; the binary\n"
    "version is read, too.",
    origin="CIFAR-10 (Krizhevsky, 2009)",
    license=None,
    folder="",
    read=readers.read_cifar,
    downloads=downloads.cifar_files,
    image=ImageSpec(32, 32, 3),
    classes=lambda split, subset: VEHICLES_AND_ANIMALS,
    hub="uoft-cs/cifar10",
)
SVHN = VisionSet(
    name="svhn",
    title="SVHN",
    summary="SVHN: 73,257 photos of house numbers' digits and 26,032 for tests, 32x32 pixels.",
    citation='"Reading Digits in Natural Images with Unsupervised Feature Learning" (Netzer et\n'
    "al., 2011), for non-commercial use only. The split ``extra`` has 531,131 more images.",
    origin="SVHN (Netzer et al., 2011), cropped digits",
    license="other",
    folder="",
    read=readers.read_svhn,
    downloads=downloads.svhn_files,
    image=ImageSpec(32, 32, 3),
    classes=lambda split, subset: DIGITS,
    splits=("train", "test", "extra"),
    hub="ufldl-stanford/svhn",
)
STL_10 = VisionSet(
    name="stl-10",
    title="STL-10",
    summary="STL-10: 5,000 photos for training, 8,000 for tests, 100,000 without labels, 96x96.",
    citation='"An Analysis of Single-Layer Networks in Unsupervised Feature Learning" (Coates et\n'
    "al., 2011), https://proceedings.mlr.press/v15/coates11a.html. Its authors state no licence.",
    origin="STL-10 (Coates et al., 2011)",
    license=None,
    folder="stl10_binary",
    read=readers.read_stl,
    downloads=downloads.stl_files,
    image=ImageSpec(96, 96, 3),
    classes=lambda split, subset: () if split == "unlabeled" else STL_CLASSES,
    splits=("train", "test", "unlabeled"),
)
OMNIGLOT = VisionSet(
    name="omniglot",
    title="Omniglot",
    summary="Omniglot: 20 drawings of each of 1,623 characters of 50 alphabets, 105x105 pixels.",
    citation='"Human-level concept learning through probabilistic program induction" (Lake et\n'
    "al., 2015), https://doi.org/10.1126/science.aab3050, MIT. A class is a character; the splits\n"
    "have other alphabets. Images are grey.",
    origin="Omniglot (Lake et al., 2015)",
    license="mit",
    folder="omniglot-py",
    read=image_lists.read_omniglot,
    downloads=downloads.omniglot_files,
    image=1,
    classes=None,
    splits=("background", "evaluation"),
)
FLOWERS_102 = VisionSet(
    name="flowers-102",
    title="Flowers 102",
    summary="Flowers 102: 8,189 photos of 102 kinds of flowers, 1,020 of them for training.",
    citation='"Automated Flower Classification over a Large Number of Classes" (Nilsback and\n'
    "Zisserman, 2008), https://doi.org/10.1109/ICVGIP.2008.47. Its authors state no licence.",
    origin="Oxford Flowers 102 (Nilsback and Zisserman, 2008)",
    license=None,
    folder="flowers-102",
    read=image_lists.read_flowers,
    downloads=downloads.flowers_files,
    image=3,
    classes=None,
    splits=("train", "valid", "test"),
)
OXFORD_PETS = VisionSet(
    name="oxford-pets",
    title="Oxford-IIIT Pet",
    summary="Oxford-IIIT Pet: 3,680 photos of cats and dogs of 37 breeds and 3,669 for tests.",
    citation='"Cats and Dogs" (Parkhi et al., 2012), https://doi.org/10.1109/CVPR.2012.6248092,\n'
    "CC BY-SA 4.0.",
    origin="Oxford-IIIT Pet (Parkhi et al., 2012)",
    license="cc-by-sa-4.0",
    folder="oxford-iiit-pet",
    read=image_lists.read_pets,
    downloads=downloads.pets_files,
    image=3,
    classes=None,
)
