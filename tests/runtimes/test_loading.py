"""Networks are built without initial values and get the exact weights of a bundle."""

import hashlib
import threading

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import ganzoo
from ganzoo.nn.uninitialised import Uninitialised
from ganzoo.registry import architectures, models
from ganzoo.runtimes.build import build, find_architecture
from ganzoo.runtimes.torch import wrap
from ganzoo.spec import Component
from helpers.processes import run_new
from helpers.recipes import tiny


def test_a_load_imports_no_compiler_and_gives_the_same_images():
    code = """
import hashlib, sys, ganzoo
model = ganzoo.load("dcgan-mnist", runtime="torch")
print(hashlib.sha256(model.sample(4, seed=3).numpy().tobytes()).hexdigest())
assert "torch._dynamo" not in sys.modules

import torch
from ganzoo.errors import GanzooError
from ganzoo.registry import architectures
from ganzoo.nn.uninitialised import Uninitialised
image, built = ganzoo.ImageSpec(32, 32, 3), set()
for entry in architectures.entries():
    if entry.name == "spandrel":  # its library imports torchvision, which imports the compiler
        continue
    for data in (ganzoo.DataSpec(image, classes=5), ganzoo.DataSpec(image, condition=image)):
        try:
            with torch.device("meta"), Uninitialised():
                architectures.make(entry, data)
        except GanzooError:  # of images of another size or kind
            continue
        built.add(entry.name)
        assert "torch._dynamo" not in sys.modules, entry
        assert "sympy" not in sys.modules, entry
assert {"dcgan", "mlp", "resnet"} <= built
"""
    result = run_new("-c", code)
    assert result.returncode == 0, result.stderr
    spec = ganzoo.info("dcgan-mnist")
    # Built with initial values, as in training, before the weights are loaded.
    network = architectures.make(
        architectures.entry(spec.architecture), spec.data, **spec.arguments
    )["generator"]
    weights = load_file(models.get("dcgan-mnist") / "model.safetensors")
    network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    images = wrap(spec, network).sample(4, seed=3).numpy()
    assert result.stdout.strip() == hashlib.sha256(images.tobytes()).hexdigest()


class Own(nn.Module):
    """A generator that initialises its weights itself and computes buffers."""

    def __init__(self):
        super().__init__()
        self.layer = nn.utils.parametrizations.weight_norm(nn.Linear(4, 256))
        self.drawn = nn.Parameter(torch.randn(256) / 3)
        self.drawn.data.normal_().mul_(2)
        self.filled = nn.Parameter(torch.empty(256))
        for fill in (nn.init.ones_, nn.init.uniform_):
            fill(self.filled)
        nn.init.orthogonal_(self.layer.bias.data.view(16, 16))
        self.register_buffer("steps", torch.arange(256) / 256)
        self.register_buffer("table", torch.ones(256, device="cpu").normal_(), persistent=True)

    def forward(self, z):
        x = self.layer(z) + self.drawn * self.steps + self.filled + self.table
        return x.tanh().view(-1, 1, 16, 16)


def own(data, *, latent_dim: int = 4):
    critic = nn.Sequential(nn.Flatten(), nn.Linear(256, 1), nn.Flatten(0))
    return {"generator": Own(), "discriminator": critic}


def test_an_architecture_can_initialise_itself(tmp_path):
    architectures.register("own")(own)
    try:
        recipe = tiny(architecture=Component("own"), images=16)
        run = ganzoo.train(recipe, out=tmp_path / "run", progress=False)
        saved = load_file(run.bundle / "model.safetensors")
        loaded = ganzoo.load(run.bundle, runtime="torch").network.state_dict()
    finally:
        architectures.unregister("own")
    assert saved.keys() == loaded.keys()
    assert all(torch.equal(saved[name], loaded[name]) for name in saved)
    assert torch.equal(loaded["steps"], torch.arange(256) / 256)
    assert loaded["table"].std() > 0.5
    assert loaded["drawn"].std() > 1


FILLS = [
    nn.init.normal_,
    nn.init.kaiming_normal_,
    nn.init.xavier_uniform_,
    nn.init.ones_,
    torch.Tensor.normal_,
    lambda tensor: tensor.fill_(3.0),
]


def test_results_without_values_have_torchs_shapes():
    ones, row, matrix = torch.ones(3, 1), torch.ones(4), torch.ones(3, 4)
    computations = [
        lambda a, b, m: a * b - 1,
        lambda a, b, m: (2.0 / 3) * (a / b).cos() + m,
        lambda a, b, m: -b.sqrt(),
        lambda a, b, m: torch.stack([a, a], 1),
        lambda a, b, m: torch.stack([a, a]),
        lambda a, b, m: torch.mv(m, b) / torch.vdot(b, b),
        lambda a, b, m: torch.rand(2, 3) + torch.eye(2, 3) + torch.randn(3),
        lambda a, b, m: torch.eye(3),
        lambda a, b, m: torch.randn((2, 3)),
        lambda a, b, m: nn.functional.normalize(a, dim=0),
    ]
    for compute in computations:
        with torch.device("meta"), Uninitialised():
            result = compute(*(tensor.to("meta") for tensor in (ones, row, matrix)))
        assert result.is_meta
        assert result.shape == compute(ones, row, matrix).shape


@pytest.mark.parametrize("fill", FILLS)
def test_only_meta_tensors_stay_uninitialised(fill):
    filled, meta = torch.zeros(8, 8), torch.empty(8, 8, device="meta")
    with Uninitialised():
        assert fill(meta) is meta
        fill(filled)
    assert filled.all()


def test_spectral_normalisation_computes_nothing_on_the_meta_device():
    code = """
import sys, ganzoo, torch
from ganzoo.nn import add_spectral_norm
from ganzoo.nn.uninitialised import Uninitialised
with torch.device("meta"), Uninitialised():
    layer = add_spectral_norm(torch.nn.Linear(3, 2))
assert "torch._dynamo" not in sys.modules
real = add_spectral_norm(torch.nn.Linear(3, 2)).state_dict()
assert {k: v.shape for k, v in layer.state_dict().items()} == {k: v.shape for k, v in real.items()}
"""
    result = run_new("-c", code)
    assert result.returncode == 0, result.stderr


def test_other_threads_are_unaffected():
    """Another thread builds a network with weights while this one builds others without."""
    bundle = ganzoo.bundle.open_bundle(models.get("dcgan-mnist"))
    layers = []
    with torch.device("meta"), Uninitialised():
        thread = threading.Thread(target=lambda: layers.append(nn.Linear(3, 3)))
        thread.start()
        thread.join()
    (layer,) = layers
    assert not layer.weight.is_meta
    assert layer.weight.std() > 0
    network = build(bundle.spec, "generator", find_architecture(bundle, "generator"))
    assert all(tensor.is_meta for tensor in network.state_dict().values())
