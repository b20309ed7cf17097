"""Every check can fail: each has a faulty part and its error message."""

import contextlib
import functools
import json
import os
import random
import re
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus
from torch.utils.data import TensorDataset

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ConformanceError, DataNotFoundError, ExtractorError
from ganzoo.exporters.targets import TargetFiles
from ganzoo.games import Loss, Penalty, Player
from ganzoo.nn import Extracted
from ganzoo.testing import imports, registration
from ganzoo.testing.architecture import Architecture
from ganzoo.testing.checked_plugin import CheckedPlugin
from ganzoo.testing.checks import NotChecked, check_expected, examine
from ganzoo.testing.dataset import Dataset
from ganzoo.testing.distribution import WITHOUT_ARGUMENTS
from ganzoo.testing.export_target import ExportTarget
from ganzoo.testing.extractor import Extractor
from ganzoo.testing.loss import Loss as LossSubject
from ganzoo.testing.metric import Metric
from ganzoo.testing.monitor import Monitor
from ganzoo.testing.penalty import Penalty as PenaltySubject
from ganzoo.testing.sampler import Sampler
from ganzoo.testing.shipped import Model, Recipe
from ganzoo.testing.tracker import Tracker
from helpers.distributions import install
from helpers.imports import run_new_interpreter

SOURCE = "A thing of these tests, https://arxiv.org/abs/1406.2661."
PARTNER = {"nonsaturating": {}}


def checks():
    kinds = (Architecture, LossSubject, Dataset, *WITHOUT_ARGUMENTS.values())
    return {check for kind in kinds for check in kind.checks}


@contextlib.contextmanager
def registered(registry, thing, name="wrong"):
    registry.register(name)(thing)
    try:
        yield
    finally:
        registry.unregister(name)


def fails(check_name, subject, message):
    """Assert that the check fails with that message."""
    (check,) = [c for c in subject.checks if c.__name__ == check_name]
    outcome = examine(check, subject)
    assert outcome.verdict == "FAILED", outcome
    assert re.search(message, outcome.sentence), outcome.sentence


# ---- architectures


class Maker(nn.Module):
    """A correct generator."""

    def __init__(self, data, width=4):
        super().__init__()
        self.image = data.image
        self.first, self.last = nn.Linear(12, width), nn.Linear(width, self.size)

    @property
    def size(self):
        return self.image.channels * self.image.height * self.image.width

    def hidden(self, z):
        return self.first(z).relu()

    def forward(self, z):
        return self.last(self.hidden(z)).tanh().reshape(-1, *self.image.shape)


class Judge(nn.Module):
    """A correct discriminator."""

    def __init__(self, data, width=4):
        super().__init__()
        self.first = nn.Linear(Maker.size.fget(self._of(data)), width)
        self.last = nn.Linear(width, 1)

    def _of(self, data):
        self.image = data.image
        return self

    def forward(self, images):
        return self.last(self.first(images.flatten(1)).relu()).flatten()


def of(generator=Maker, discriminator=Judge):
    """Return an architecture of these networks."""

    def wrong(data: DataSpec, *, latent_dim: int = 12) -> dict[str, nn.Module]:
        return {"generator": generator(data), "discriminator": discriminator(data)}

    wrong.__doc__ = SOURCE
    return wrong


class Halved(Maker):
    def forward(self, z):
        return super().forward(z)[:, :, ::2]


class Double(Maker):
    def forward(self, z):
        return super().forward(z).double()


class Two(Maker):
    def forward(self, z):
        return super().forward(z), z


class Unbounded(Maker):
    def forward(self, z):
        return 0.01 * self.last(self.hidden(z)).reshape(-1, *self.image.shape)


class Noisy(Maker):
    def hidden(self, z):
        return super().hidden(z) + torch.randn(len(z), 1)


class Noisier(Maker):
    def hidden(self, z):
        return super().hidden(z + torch.randn_like(z))


class Mixing(Maker):
    def __init__(self, data):
        super().__init__(data)
        self.norm = nn.BatchNorm1d(4, track_running_stats=False)

    def hidden(self, z):
        h = super().hidden(z)
        return self.norm(h) if len(z) > 1 else h


class Deaf(Maker):
    def forward(self, z, y):
        return super().forward(z)


class Idle(Maker):
    def __init__(self, data):
        super().__init__(data)
        self.unused = nn.Parameter(torch.zeros(3))


class Counting(Maker):
    count = 0

    def hidden(self, z):
        self.count += self.training
        return super().hidden(z) * (1 + self.count)


class Drawn(Maker):
    def __init__(self, data):
        super().__init__(data)
        self.scale = random.random()

    def hidden(self, z):
        return super().hidden(z) * self.scale


class Forgetful(Maker):
    def __init__(self, data):
        super().__init__(data)
        self.register_buffer("scale", torch.rand(1), persistent=False)


class Branching(Maker):
    def hidden(self, z):
        return super().hidden(z if z.sum() > 0 else -z)


class Nan(Maker):
    def hidden(self, z):
        return super().hidden(z) + (self.last.weight.sum() * 0 if not self.training else torch.nan)


class Float32Only(Maker):
    def hidden(self, z):
        if torch.is_autocast_enabled("cpu"):
            raise TypeError("this kernel has no bf16")
        return super().hidden(z)


class Averaging(Judge):
    def forward(self, images):
        return super().forward(images).mean()


def sharing(data: DataSpec, *, latent_dim: int = 12) -> dict[str, nn.Module]:
    nets = of()(data)
    nets["discriminator"].last = nn.Linear(4, 1)
    nets["generator"].shared = nets["discriminator"].first
    return nets


def short_encoder(data: DataSpec, *, latent_dim: int = 12) -> dict[str, nn.Module]:
    return {"generator": Maker(data), "encoder": Judge(data)}


def no_networks(data: DataSpec, *, latent_dim: int = 12) -> dict[str, nn.Module]:
    return [Maker(data)]


def picky(data: DataSpec, *, latent_dim: int = 12) -> dict[str, nn.Module]:
    raise ValueError("makes images of 17x17 alone")


def careless(data: DataSpec, **arguments: int) -> dict[str, nn.Module]: ...


def positional(data: DataSpec, width: int = 4) -> dict[str, nn.Module]: ...


def untyped(data: DataSpec, *, width=4) -> dict[str, nn.Module]: ...


def optional(data: DataSpec, *, width: int | None = None) -> dict[str, nn.Module]: ...


def hidden_type(data: "Nowhere", *, width: int = 4) -> dict[str, nn.Module]: ...  # noqa: F821


def rename(thing):
    thing.__doc__ = thing.__doc__ or SOURCE
    return thing


# Check, fault, message.
ARCHITECTURES = [
    ("has_matching_name", of(), "named 'wrong'.*rename it to 'right', or register it as 'wrong'"),
    ("takes_named_arguments", careless, r"takes \*\*arguments: int, .*keyword-only"),
    ("takes_named_arguments", positional, r"\(data, width\) by position, .*\(data\)"),
    ("takes_named_arguments", untyped, "no type for its argument 'width'"),
    ("takes_named_arguments", optional, "the default width=None, which a recipe cannot hold"),
    ("takes_named_arguments", hidden_type, "cannot be read: .*Nowhere.*TYPE_CHECKING"),
    ("names_its_source", careless, "no link to its source in its docstring: add the link"),
    ("builds", no_networks, "BrokenPluginError: .*returned list, not a dict of role to nn.Module"),
    ("builds", picky, "ArchitectureError: .*images of 32x32x3: makes images of 17x17 alone"),
    ("makes_images_of_the_size", of(Halved), r"float32 \(3, 3, 16, 32\), .*\(3, 3, 32, 32\)"),
    ("makes_images_of_the_size", of(Double), "returns float64 .*must return float32"),
    ("makes_images_of_the_size", of(Two), "returns tuple, but must return one tensor"),
    ("stays_in_range", of(Unbounded), r"after changes of its weights.*\[-1, 1\]: end it with"),
    ("returns_one_row_per_image", of(Maker, Averaging), r"returns \(\), but must return logits"),
    ("returns_one_row_per_image", short_encoder, r"mean and log-variance.*\(3, 12\) each"),
    ("is_deterministic", of(Noisy), "its generator returns different outputs for the same"),
    ("is_batch_independent", of(Mixing), "changes an image by .* if there are others in the batch"),
    (
        "trains",
        of(Nan),
        "nonsaturating in fp32: the term discriminator/adversarial becomes nan",
    ),
    ("trains", of(Float32Only), "nonsaturating in bf16: TypeError: this kernel has no bf16"),
    ("uses_labels", of(Deaf), "reads y but returns the same images for other classes"),
    ("learns_everywhere", of(Idle), r"generator\.unused got no gradient .* nonsaturating"),
    ("trains_only_its_own", sharing, "'discriminator' trains discriminator, .*changes generator"),
    ("resumes", of(Counting), "ends with other weights when its training is stopped and"),
    ("loads_again", of(Drawn), "has another output after saving and loading"),
    ("loads_again", of(Forgetful), "has a buffer that its state_dict lacks"),
    ("exports", of(Branching), "architecture wrong: 'wrong' cannot be exported to ONNX"),
    ("exports", of(Noisy), "with a variable batch size: the generator fixes the batch size of z"),
    ("exports", of(Noisier), "cannot export the generator: .*differ by"),
]


@pytest.mark.parametrize(("check", "thing", "message"), ARCHITECTURES)
def test_a_wrong_architecture_fails(check, thing, message):
    name = "right" if check == "has_matching_name" else "wrong"
    with registered(ganzoo.architectures, thing, name):
        fails(check, Architecture(name, partners=PARTNER), message)


def test_a_right_architecture_passes(tmp_path, monkeypatch):
    """The correct architecture passes all checks, except for a missing snapshot."""
    with registered(ganzoo.architectures, of()):
        file = tmp_path / "snapshots" / "wrong.json"
        subject = Architecture("wrong", partners=PARTNER, snapshot=file)
        fails(
            "keeps_its_names", subject, f"no snapshot .* at {file}: run GANZOO_SNAPSHOTS=write pyt"
        )
        monkeypatch.setenv("GANZOO_SNAPSHOTS", "write")
        outcomes = {check.__name__: examine(check, subject) for check in subject.checks}
        assert {o.verdict for o in outcomes.values()} == {"ok", "not checked"}, outcomes
        assert [name for name, o in outcomes.items() if o.verdict == "not checked"] == [
            "imports_quietly",  # this process has imported it
            "uses_labels",
        ]
        monkeypatch.delenv("GANZOO_SNAPSHOTS")
        names = json.loads(file.read_text())
        assert names["generator"] == ["first.bias", "first.weight", "last.bias", "last.weight"]
        names["generator"][0] = "start.bias"
        file.write_text(json.dumps(names))
        fails(
            "keeps_its_names",
            subject,
            r"missing: generator\.start\.bias; new: generator\.first\.bias\).*under a new name",
        )
        assert [o.verdict for o in (examine(subject.checks[-1], Architecture("wrong")),)] == [
            "not checked"
        ]


def test_a_failed_build_fails_once_and_stops():
    with registered(ganzoo.architectures, picky):
        subject = Architecture("wrong")
        verdicts = {check.__name__: examine(check, subject) for check in subject.checks}
    assert verdicts["builds"].verdict == "FAILED"
    for name in ("stays_in_range", "trains", "resumes", "exports", "loads_again"):
        assert verdicts[name].sentence == "the check 'builds' fails, and this check depends on it."


def test_an_architecture_without_a_loss_fails():
    def wrong(data: DataSpec, *, latent_dim: int = 12) -> dict[str, nn.Module]:
        return {"generator": Maker(data), "oracle": Judge(data)}

    with registered(ganzoo.architectures, wrong):
        fails(
            "trains",
            Architecture("wrong"),
            "train with anything that is installed: it needs a loss that trains generator, oracle",
        )


# ---- losses

PLAYERS = (
    Player("discriminator", trains=("discriminator",), reads_real=True),
    Player("generator", trains=("generator",)),
)


class Game(Loss):
    """A correct loss."""

    players = PLAYERS

    def discriminator(self, nets, batch, turn):
        fake = nets["generator"](turn.latents(len(batch))).detach()
        discriminator = nets["discriminator"]
        return {
            "adversarial": softplus(-self.logits(discriminator, batch.images))
            + softplus(self.logits(discriminator, fake))
        }

    def generator(self, nets, batch, turn):
        fake = nets["generator"](turn.latents(len(batch)))
        return {"adversarial": softplus(-self.logits(nets["discriminator"], fake))}

    def logits(self, discriminator, images):
        return discriminator(images).logits


def plays(game):
    def wrong() -> Loss:
        return game()

    wrong.__doc__ = SOURCE
    return wrong


def game(**parts):
    return type("Wrong", (Game,), parts)


def term(value):
    """Return a method that changes the generator's term."""

    def generator(self, nets, batch, turn):
        return value(Game.generator(self, nets, batch, turn)["adversarial"])

    return generator


def clip_all(self, player, nets):
    with torch.no_grad():
        for net in nets.values():
            for weight in net.parameters():
                weight.clamp_(-0.01, 0.01)


def match_means(self, nets, batch, turn):
    """The generator's term, which also compares the mean of its images with that of real ones."""
    fake = nets["generator"](turn.latents(len(batch)))
    return {"means": (fake.mean() - batch.images.mean()).square()}


class Clock(Game):
    """A loss whose counter is not in the checkpoint."""

    time = 0

    def generator(self, nets, batch, turn):
        self.time += 1
        return {"adversarial": self.time * super().generator(nets, batch, turn)["adversarial"]}


class Untrained(Game):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))


class Unused(Untrained):
    players = (PLAYERS[0], Player("generator", trains=("generator", "loss")))


class Overflowing(Game):
    def generator(self, nets, batch, turn):
        value = super().generator(nets, batch, turn)["adversarial"]
        return {"adversarial": value / (0.0 if turn.tick else 1.0)}


def takes_any(**arguments: float) -> Loss: ...


def makes_seven() -> Loss:
    return 7


def refuses(*, weight: float = -1.0) -> Loss:
    raise ValueError("weight is -1; it must be at least 0")


def needy(*, weight: float) -> Loss: ...


UNKNOWN = Player("generator", trains=("generator", "mapper"))


# Check, fault, message.
LOSSES = [
    ("takes_named_arguments", takes_any, r"takes \*\*arguments: float"),
    ("names_its_source", takes_any, "no link to its source"),
    (
        "builds",
        makes_seven,
        "BrokenPluginError: loss 'wrong' of this process returned int, not a ganzoo.Loss",
    ),
    ("builds", refuses, "RecipeError: loss 'wrong' cannot be built: weight is -1"),
    ("builds", needy, "RecipeError: loss 'wrong' needs the argument 'weight'"),
    ("builds", plays(Untrained), "has parameters that no player trains: scale"),
    ("has_players", plays(game(players=())), "has no players: set `players`"),
    ("has_players", plays(game(players=PLAYERS[:1] * 2)), "give each a unique name"),
    (
        "has_players",
        plays(game(players=(Player("painter", trains=("generator",)),))),
        r"a player 'painter' and no method .*define painter\(self, nets, batch, turn\)",
    ),
    (
        "has_players",
        plays(game(players=(PLAYERS[0], Player("generator", trains=("discriminator",))))),
        "several players that train discriminator",
    ),
    (
        "has_players",
        plays(game(exported_roles=("generator", "encoder"))),
        "exports or keeps the graph of encoder, but trains only discriminator, generator",
    ),
    ("has_players", plays(game(exported_roles=("discriminator",))), "the first .*'generator'"),
    ("returns_terms", plays(game(generator=term(lambda t: t))), "returns Tensor, but must"),
    ("returns_terms", plays(game(generator=term(lambda t: {}))), "returns no term"),
    (
        "returns_terms",
        plays(game(generator=term(lambda t: {"a": t[:3]}))),
        r"'a' as float32 \(3,\) for a batch of 4",
    ),
    (
        "returns_terms",
        plays(game(generator=term(lambda t: {"a": float(t.mean())}))),
        "returns 'a': float, but a term must be a tensor",
    ),
    (
        "returns_terms",
        plays(game(generator=term(lambda t: {"a": (t - t).log()}))),
        "'a', which is not finite on untrained networks: .*softplus",
    ),
    (
        "returns_terms",
        plays(game(generator=term(lambda t: {"a": t.detach()}))),
        "without a gradient",
    ),
    (
        "declares_real_images",
        plays(game(generator=match_means)),
        "'generator' depend on the real images, .*: set reads_real=True in its Player",
    ),
    (
        "reports_divergence",
        plays(game(generator=term(lambda t: {"a": t if t.isfinite().all() else 1 / 0}))),
        "'generator' raises ZeroDivisionError .* if the generator's images are NaN",
    ),
    (
        "reports_divergence",
        plays(game(logits=lambda self, net, images: net(images).logits.nan_to_num())),
        "returns finite terms if the generator's images are NaN",
    ),
    (
        "trains",
        plays(Overflowing),
        "with mlp in fp32: the term generator/adversarial becomes inf",
    ),
    (
        "trains",
        plays(game(players=(UNKNOWN,))),
        "it needs an architecture that builds generator, mapper",
    ),
    (
        "trains_only_its_own",
        plays(game(constrain=clip_all)),
        "'discriminator' trains discriminator, and its turn changes generator",
    ),
    (
        "trains_only_its_own",
        plays(game(generator=term(lambda t: {"a": 0 * t}))),
        "'generator' trains generator, and its turns do not change generator",
    ),
    (
        "trains_only_its_own",
        plays(Unused),
        "trains generator and loss, and its turns do not change loss",
    ),
    ("resumes", plays(Clock), "ends with other weights when its training is stopped"),
]


@pytest.mark.parametrize(("check", "thing", "message"), LOSSES)
def test_a_wrong_loss_fails(check, thing, message):
    nothing_fits = "builds generator, mapper" in message
    with registered(ganzoo.losses, thing):
        subject = LossSubject("wrong", partners=None if nothing_fits else {"mlp": {"width": 4}})
        fails(check, subject, message)


def test_a_right_loss_passes():
    with registered(ganzoo.losses, plays(Game)):
        subject = LossSubject("wrong", partners={"mlp": {"width": 4}})
        outcomes = {check.__name__: examine(check, subject).verdict for check in subject.checks}
    assert outcomes.pop("imports_quietly") == "not checked"
    assert set(outcomes.values()) == {"ok"}, outcomes


def test_an_incompatible_partner_is_named():
    with registered(ganzoo.losses, plays(Game)):
        fails(
            "trains",
            LossSubject("wrong", partners={"mlp-autoencoder": {"width": 4}}),
            "does not train with mlp-autoencoder in fp32: loss 'wrong' trains discriminator, gen",
        )


# ---- penalties


def logits_of(comparison):
    return comparison.real_output.logits.reshape(len(comparison.real), -1)


def penalty(value=lambda c: logits_of(c).square().mean(1), **parts):
    """Return a penalty of this value."""
    parts = {"name": "term", "__doc__": SOURCE} | parts
    return type("Wrong", (Penalty,), parts | {"value": lambda self, comparison: value(comparison)})


def forgetful(self, weight, every=1):
    Penalty.__init__(self, 1.0)


PENALTIES = [
    ("loads", int, "does not load: it is the class int, not a subclass"),
    ("names_its_source", penalty(__doc__="Of nobody."), "no link to its source"),
    ("builds", penalty(name=None), "has no name for its term"),
    ("builds", penalty(__init__=forgetful), "has weight 1 and every 1: pass both to"),
    (
        "returns_values",
        penalty(lambda c: c.real_output.logits.square()),
        r"float32 \(4, 3\) for logits \(4, 3\), but must return float32 \(4,\)",
    ),
    (
        "returns_values",
        penalty(lambda c: logits_of(c).double().mean(1)),
        r"float64 \(4,\) for logits \(4,\)",
    ),
    ("returns_values", penalty(lambda c: 1.0), "returns float for logits"),
    ("returns_values", penalty(lambda c: logits_of(c).mean(1) / 0), "under square roots"),
    (
        "trains_the_discriminator",
        penalty(lambda c: c.real.square().mean((1, 2, 3))),
        "gives the discriminator no gradient",
    ),
    (
        "trains_the_discriminator",
        penalty(lambda c: logits_of(c).detach().square().mean(1)),
        r"without detach\(\)",
    ),
    (
        "trains_the_discriminator",
        penalty(lambda c: (logits_of(c) - logits_of(c).detach()).abs().sqrt().mean(1)),
        "a gradient that is not finite",
    ),
]


@pytest.mark.parametrize(("check", "thing", "message"), PENALTIES)
def test_a_wrong_penalty_fails(check, thing, message):
    with registered(ganzoo.penalties, thing):
        fails(check, PenaltySubject("wrong"), message)


@pytest.mark.parametrize("name", ["penalty-every", "lambda", "0-gp"])
def test_a_penalty_with_an_invalid_name_fails(name):
    with registered(ganzoo.penalties, penalty(), name):
        fails("is_an_option", PenaltySubject(name), "is not an option of losses")


def test_a_right_penalty_passes():
    with registered(ganzoo.penalties, penalty()):
        subject = PenaltySubject("wrong")
        outcomes = {check.__name__: examine(check, subject).verdict for check in subject.checks}
    assert outcomes.pop("imports_quietly") == "not checked"
    assert set(outcomes.values()) == {"ok"}, outcomes


# ---- datasets


class Items(torch.utils.data.Dataset):
    """Correct items: 8 images of 4x4, in three classes."""

    def __init__(self):
        rng = torch.Generator().manual_seed(0)
        self.images = torch.randint(256, (8, 1, 4, 4), generator=rng, dtype=torch.uint8)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index], torch.tensor(index % 3)


SPEC = {"image": ImageSpec(4, 4, 1), "classes": 3, "license": "cc0-1.0", "origin": "drawn here"}


def holds(items=Items, **spec):
    def wrong(root: Path | None) -> tuple[Items, DataSpec]:
        return items(), DataSpec(**SPEC | spec)

    return wrong


class Floats(Items):
    def __getitem__(self, index):
        image, label = super().__getitem__(index)
        return image / 255, label


class Lists(Items):
    def __getitem__(self, index):
        return list(super().__getitem__(index))


class Flipping(Items):
    def __getitem__(self, index):
        image, label = super().__getitem__(index)
        return (image.flip(-1) if torch.rand(()) < 0.5 else image), label


class ChangesWhenReopened(Items):
    count = 0

    def __init__(self):
        super().__init__()
        ChangesWhenReopened.count += 1
        self.images = self.images + ChangesWhenReopened.count


class Locked(Items):
    def __init__(self):
        super().__init__()
        self.change = lambda image: image


class OfTheProcess(Items):
    def __init__(self):
        super().__init__()
        self.owner = os.getpid()

    def __getitem__(self, index):
        image, label = super().__getitem__(index)
        return (image if os.getpid() == self.owner else 255 - image), label


def alone(root: Path | None) -> Items:
    return Items()


def read_a_list(root: Path | None) -> tuple[Items, DataSpec]:
    (Path() if root is None else root).joinpath("list.txt").read_text()
    return Items(), DataSpec(**SPEC)


# Check, fault, message.
DATASETS = [
    ("takes_named_arguments", plays(Game), r"takes \(\) by position, .*\(root\)"),
    ("opens", alone, "returns Items, but must return a torch dataset and its DataSpec"),
    ("opens", holds(functools.partial(TensorDataset, torch.empty(0))), "has no items"),
    ("has_items_as_specified", holds(Floats), r"images of uint8 \(1, 4, 4\), .* float32"),
    ("has_items_as_specified", holds(image=ImageSpec(8, 8, 1)), r"uint8 \(1, 8, 8\), .*4, 4"),
    ("has_items_as_specified", holds(classes=2), r"2 classes, but its labels are \[0, 1, 2\]"),
    ("has_items_as_specified", holds(Lists), "items of list, but .* needs tuples of 2"),
    (
        "has_items_as_specified",
        holds(condition=ImageSpec(4, 4, 1)),
        "items of 2 parts, but its DataSpec needs tuples of 3: image, label, condition",
    ),
    ("names_its_origin", holds(origin=" "), r"has no origin.*DataSpec\(\.\.\., origin="),
    ("is_the_same_twice", holds(Flipping), "other items when it is read again"),
    ("is_the_same_twice", holds(ChangesWhenReopened), "other items when it is opened again"),
    ("is_read_by_workers", holds(Locked), "cannot be pickled for .* no open file, lambda"),
    ("is_read_by_workers", holds(OfTheProcess), "other items in worker processes"),
    (
        "reports_missing_files",
        read_a_list,
        r"opened in an empty folder, raises FileNotFoundError",
    ),
]


@pytest.mark.parametrize(("check", "thing", "message"), DATASETS)
def test_a_wrong_dataset_fails(check, thing, message):
    torch.manual_seed(0)
    with registered(ganzoo.datasets, thing):
        fails(check, Dataset("wrong"), message)


def test_a_right_dataset_passes():
    with registered(ganzoo.datasets, holds()):
        subject = Dataset("wrong")
        outcomes = {check.__name__: examine(check, subject).verdict for check in subject.checks}
    assert outcomes.pop("imports_quietly") == "not checked"
    assert set(outcomes.values()) == {"ok"}, outcomes


def test_a_dataset_without_a_licence_warns():
    with registered(ganzoo.datasets, holds(license=None)):
        subject = Dataset("wrong")
        check = next(c for c in subject.checks if c.__name__ == "names_its_origin")
        with pytest.warns(UserWarning, match="dataset wrong has no licence"):
            assert examine(check, subject).verdict == "ok"


def test_a_dataset_with_missing_files_fails(tmp_path):
    def wrong(root: Path | None) -> tuple[Items, DataSpec]:
        raise DataNotFoundError("no list: --data DIR")

    with registered(ganzoo.datasets, wrong):
        opens = Dataset.checks[4]
        assert opens.__name__ == "opens"
        assert examine(opens, Dataset("wrong")).verdict == "not checked"
        fails("opens", Dataset("wrong", root=tmp_path), "DataNotFoundError: no list: --data DIR")


# ---- what a distribution registers


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    imports._side_effects.cache_clear()
    return tmp_path / "site"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def sagn(): ...", r'sagan = "acme_net\w*:sagan" does not load: AttributeError: .*sagan'),
        ("import einops_none", "does not load: ModuleNotFoundError: No module named 'einops_none'"),
        ("sagan = 3", "does not load: it is int, not a function"),
    ],
)
def test_a_failing_entry_point_fails(site, code, message):
    module = f"acme_net{abs(hash(code))}"
    install(site, "acme-gans", {"architectures": {"sagan": f"{module}:sagan"}}, **{module: code})
    subject = Architecture("sagan")
    fails("loads", subject, message)
    for check in subject.checks[1:]:
        outcome = examine(check, subject)
        if check is not imports.imports_quietly and check is not registration.has_matching_name:
            assert outcome.verdict == "not checked", (check, outcome)


@pytest.mark.parametrize(
    ("name", "target", "right"),
    [
        ("sagan", "sagan", True),
        ("wgan-gp", "wgan_gp", True),
        ("dcgan-1.5", "dcgan_1_5", True),
        ("sagan", "sagan_network", False),
        ("wgan-gp", "wgan", False),
    ],
)
def test_a_check_uses_the_registered_name(site, name, target, right):
    install(site, "acme-names", {"losses": {name: f"acme_names:{target}"}}, acme_names="")
    outcome = examine(registration.has_matching_name, LossSubject(name, distribution="acme-names"))
    assert (outcome.verdict == "ok") is right, outcome


class Versioned(CheckedPlugin):
    """A name that the registry does not have yet."""

    registry = ganzoo.losses
    entry = ganzoo.registry.entries.Entry("sagan@1", "acme-gans", "1.0", "acme_gans:sagan_1")


def test_a_version_is_part_of_a_name():
    assert examine(registration.has_matching_name, Versioned("sagan@1")).verdict == "ok"


IMPORTS = {
    "fetches": (
        "import socket\nsocket.create_connection(('example.org', 80))",
        "uses the network .*getaddr",
    ),
    "connects": (
        "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\nexcept OSError:\n    pass",
        "uses the network",
    ),
    "computes": (
        "import torch\ntorch.zeros(1, device='cuda')",
        "initialises CUDA|raises RuntimeError: Found no NVIDIA",
    ),
    "leaves": ("raise SystemExit(3)", "raises SystemExit: 3"),
}


def test_effects_of_imports_are_reported(site, monkeypatch):
    """One new interpreter imports all modules, each after a failing or a quiet one."""
    monkeypatch.setattr(imports, "run_watch", run_new_interpreter)
    quiet = "import socket, ganzoo.games\nprint('hello')\nsocket.socketpair()"
    code = {name: text for name, (text, _) in IMPORTS.items()} | {"quiet": quiet}
    points = {name: f"acme_{name}:{name}" for name in code}
    files = {f"acme_{name}": text for name, text in code.items()}
    install(site, "acme-loud", {"losses": points}, **files)
    for name, (_, message) in IMPORTS.items():
        fails("imports_quietly", LossSubject(name), message)
    assert examine(imports.imports_quietly, LossSubject("quiet")).verdict == "ok"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (  # as after CUDA's first use, also on a machine without CUDA
            "import torch\ntorch.cuda.is_initialized = lambda: True",
            "acme_loud, the module of loss loud, initialises CUDA when it is imported: do so",
        ),
        ("import os\nos._exit(3)", "ends the process with status 3"),
    ],
)
def test_an_import_that_changes_the_process_fails(site, code, message):
    install(site, "acme-loud", {"losses": {"loud": "acme_loud:loud"}}, acme_loud=code)
    fails("imports_quietly", LossSubject("loud"), message)


RECIPE = 'images = 64\narchitecture = "mlp"\nloss = "{loss}"\ndataset = "digits"\n'


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("mine.toml", RECIPE.format(loss="hinge"), None),
        ("mine.toml", RECIPE.format(loss="hinje"), "UnknownNameError: .*Did you mean 'hinge'"),
        (
            "mine.toml",
            RECIPE.format(loss="hinge") + "[optimizer]\nlrr = 1\n",
            "RecipeError: .*'lr'",
        ),
        ("other.toml", RECIPE.format(loss="hinge"), "trains models with the name 'other'"),
    ],
)
def test_a_recipe(site, tmp_path, file, content, message):
    module = f"acme_recipe{abs(hash((file, content)))}"
    code = f"from pathlib import Path\nmine = Path(__file__).with_name({file!r})\n"
    install(site, "acme-recipes", {"recipes": {"mine": f"{module}:mine"}}, **{module: code})
    (site / file).write_text(content)
    if message is None:
        assert [examine(check, Recipe("mine")).verdict for check in Recipe.checks] == ["ok"] * 4
    else:
        fails("is_complete", Recipe("mine"), message)


def test_a_model(site, bundle):
    code = "from pathlib import Path\ntiny = Path(__file__).with_name('tiny-bundle')\n"
    install(site, "acme-models", {"models": {"tiny": "acme_models:tiny"}}, acme_models=code)
    shutil.copytree(bundle, site / "tiny-bundle")
    assert [examine(check, Model("tiny")).verdict for check in Model.checks] == ["ok"] * 4
    (site / "tiny-bundle" / "model.safetensors").write_bytes(b"damaged")
    fails("is_intact", Model("tiny"), "BundleError: .*does not match its checksum")


# ---- metrics and trackers


def metric_of(value, **declaration):
    """Return a metric with these values."""

    def compute(sets):
        return value() if callable(value) else value

    compute.__doc__ = SOURCE
    return ganzoo.Metric(compute, **{"better": {"gap": "lower"}} | declaration)


METRICS = [
    (
        "names_its_source",
        ganzoo.Metric(lambda sets: {"gap": 1.0}, {"gap": "lower"}),
        "metric wrong has no link to its source",
    ),
    (
        "has_unique_value_names",
        metric_of({"recall": 1.0}, better={"recall": "lower"}),
        "metric wrong and precision-recall of torch-ganzoo .* both have the value recall",
    ),
    ("computes", metric_of({}), "returns no value"),
    (
        "computes",
        metric_of({"gab": 1.0}),
        "returns 'gab', but does not declare which are better",
    ),
    ("computes", metric_of({"gap": float("nan")}), "returns gap=nan: return a finite number"),
    ("computes", metric_of({"gap": "1"}), "returns gap='1': return a finite number"),
    (
        "computes",
        metric_of({"gap": 1.0}, settings=lambda sets: 3),
        "settings that are not a string",
    ),
    ("computes", metric_of(lambda: 1 / 0), "ZeroDivisionError"),
    (
        "repeats",
        metric_of(lambda: {"gap": random.random()}),
        "returns other values for the same",
    ),
]


@pytest.mark.parametrize(("check", "metric", "message"), METRICS)
def test_a_wrong_metric_fails(check, metric, message):
    with registered(ganzoo.metrics, metric):
        fails(check, Metric("wrong"), message)


def test_a_metric_that_refuses_tiny_sets_is_skipped():
    refuses = metric_of({"gap": 1.0}, refuses=lambda extractor, data: "it is for music")
    with registered(ganzoo.metrics, refuses):
        outcomes = [examine(check, Metric("wrong")) for check in Metric.checks[-2:]]
    assert {outcome.verdict for outcome in outcomes} == {"not checked"}
    assert "8x8x1: it is for music; " in outcomes[0].sentence


class Mute(ganzoo.Tracker):
    """A tracker that logs nothing."""


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (lambda: 3, "returns int, but must return a ganzoo.Tracker"),
        (Mute, "tracker wrong logs nothing: override one of log_scalars, log_images, "),
    ],
)
def test_a_wrong_tracker_fails(factory, message):
    with registered(ganzoo.trackers, factory):
        fails("builds", Tracker("wrong"), message)


def with_a_reserved_option(model, draw, *, seed: int = 0):
    return ganzoo.Codes(draw.normal(model.latent_dim), draw.y)


SAMPLERS = [
    ("draws", with_a_reserved_option, "has the option 'seed', which is an argument of"),
    ("draws", lambda model, draw: (draw.normal(6),), "returned tuple, not ganzoo.Codes"),
    (
        "draws",
        lambda model, draw: ganzoo.Codes(styles=model.map(draw.normal(6), draw.y)),
        r"styles of shape \(8, 6\), not \(images, layers, dim\) = \(8, 4, 6\)",
    ),
    (
        "draws_in_parts",
        lambda model, draw: ganzoo.Codes(draw.normal(6)[::-1], draw.y),
        "draws other z for image 3 of a seed",
    ),
]


@pytest.mark.parametrize(("check", "sampler", "message"), SAMPLERS)
def test_a_wrong_sampler_fails(check, sampler, message):
    with registered(ganzoo.samplers, sampler):
        fails(check, Sampler("wrong"), message)


# ---- extractors, monitors and export targets


class Means(ganzoo.Extractor):
    """Mean levels of channels, with faults on request."""

    def __init__(self, dim=3, classes=(), sha256="0" * 64, fault=None):
        super().__init__(channels=3, size=(4, 4), dim=dim, classes=classes, sha256=sha256)
        self.fault = fault

    def forward(self, images):
        means = images.float().mean((2, 3))
        features = self.fault(means) if self.fault else means
        return Extracted(features, None)


EXTRACTORS = [
    ("builds", lambda: 3, "returns int, but must return a ganzoo.Extractor"),
    ("builds", lambda: Means(sha256="none"), "has sha256='none': pass the SHA-256"),
    ("extracts", lambda: Means(dim=4), "declares dim=4, but returns 3 features"),
    ("extracts", lambda: Means(classes=("a", "b")), "has 2 classes, but returns no logits"),
    ("extracts", lambda: Means(fault=lambda x: x[:1]), "return one row per image"),
    ("extracts", lambda: Means(fault=lambda x: x / 0), "features that are not finite"),
    (
        "is_batch_independent",
        lambda: Means(fault=lambda x: x - x.mean(0)),
        "returns other features for an image alone than in a batch",
    ),
]


@pytest.mark.parametrize(("check", "factory", "message"), EXTRACTORS)
def test_a_wrong_extractor(check, factory, message):
    with registered(ganzoo.extractors, factory):
        fails(check, Extractor("wrong"), message)


def test_an_extractor_without_its_weights_is_not_checked():
    def absent():
        raise ExtractorError("no weights. Download them.")

    with registered(ganzoo.extractors, absent):
        outcomes = [examine(check, Extractor("wrong")) for check in Extractor.checks[-3:]]
    assert {outcome.verdict for outcome in outcomes} == {"not checked"}
    assert outcomes[0].sentence == "it is not available: no weights. Download them."


class Quiet(ganzoo.Monitor):
    """A monitor that reports nothing."""

    name = "quiet"

    def check(self, line):
        return ""


class Needy(Quiet):
    needs = ("gradient_norm",)


class Nodding(Quiet):
    def check(self, line):
        return False


class Writing(Quiet):
    def check(self, line):
        line["seen"] = True
        return ""


@pytest.fixture(scope="module")
def trainings():
    return Monitor("mode-collapse").trainings


MONITORS = [
    ("builds", lambda: 3, "returns int, but must return a ganzoo.Monitor"),
    ("needs_entries_of_the_log", Needy, "needs gradient_norm, which no line of the log has"),
    ("describes", Nodding, "returns False for a line of the log: return text"),
    ("describes", Writing, "changes the line that it reads"),
]


@pytest.mark.parametrize(("check", "monitor", "message"), MONITORS)
def test_a_wrong_monitor(trainings, check, monitor, message):
    subject = Monitor("wrong")
    subject.trainings = trainings
    with registered(ganzoo.monitors, lambda training: monitor()):
        fails(check, subject, message)


def test_a_monitor_that_fits_no_training_is_not_checked(trainings):
    subject = Monitor("wrong")
    subject.trainings = trainings
    with registered(ganzoo.monitors, lambda training: None):
        outcomes = [examine(check, subject).verdict for check in Monitor.checks[-3:]]
    assert outcomes == ["ok", "not checked", "not checked"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (lambda bundle, out: out, "returns .*: return a ganzoo.exporters.targets.TargetFiles"),
        (lambda bundle, out: TargetFiles([out]), "returns .*, but did not write it"),
    ],
)
def test_a_wrong_export_target(target, message):
    with registered(ganzoo.export_targets, target):
        fails("describes_itself", ExportTarget("wrong"), "has no docstring")
        fails("writes", ExportTarget("wrong"), message)


# ---- checks themselves


def holds_always(subject):
    """It holds."""


def holds_never(subject):
    """It does not hold."""
    raise ConformanceError("it is 4, and must be 3: write 3.")


def breaks(subject):
    """It breaks."""
    raise KeyError("left\nright")


def does_not_apply(subject):
    """It does not apply."""
    raise NotChecked("there are none.")


@pytest.mark.parametrize(
    ("check", "expected", "verdict", "sentence"),
    [
        (holds_always, None, "ok", "It holds."),
        (holds_never, None, "FAILED", "it is 4, and must be 3: write 3."),
        (holds_never, "the paper has 4", "expected failure", "the paper has 4"),
        (breaks, None, "FAILED", "KeyError: 'left\\nright'"),
        (does_not_apply, "never", "not checked", "there are none."),
        (
            holds_always,
            "the paper has 4",
            "FAILED",
            "holds_always passes, but is expected to fail because the paper has 4: remove it from "
            "the expected failures.",
        ),
    ],
)
def test_results_of_a_check_are_reported(check, expected, verdict, sentence):
    outcome = examine(check, None, expected)
    assert (outcome.verdict, outcome.sentence) == (verdict, sentence)


def test_expected_failures_must_name_existing_checks():
    check_expected(["exports"], ["exports", "trains"])
    with pytest.raises(
        ConformanceError, match="expected failure 'export' names no check.*Did you mean 'exports'"
    ):
        check_expected(["export"], ["exports", "trains"])


def test_every_check_has_a_failing_case_and_a_docstring():
    tables = (ARCHITECTURES, LOSSES, PENALTIES, DATASETS, METRICS, SAMPLERS, EXTRACTORS, MONITORS)
    tested = {check for table in tables for check, _, _ in table}
    tested |= set(re.findall(r'\bfails\(\s*"(\w+)"', Path(__file__).read_text()))
    assert {check.__name__ for check in checks()} - tested == set()
    sentences = [check.__doc__.splitlines()[0] for check in checks()]
    assert all(sentence.endswith(".") for sentence in sentences)
    assert len(set(sentences)) == len(sentences)
