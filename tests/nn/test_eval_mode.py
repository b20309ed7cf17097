"""A copy in eval mode shares the weights and leaves the module as it is."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import pytest
import torch
from torch import nn

from ganzoo.nn import in_eval_mode


class Network(nn.Module):
    """Reaches its layers in every way: as parts, in lists and dicts, and by a method."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.second = nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4))
        self.order = [self.first, (self.second, {"again": self.first})]
        self.last = self._last
        self.calls = 0

    def _last(self, x):
        return x if not self.training else x * torch.nan

    def forward(self, x):
        self.calls += 1
        first, (second, rest) = self.order
        return self.last(rest["again"](second(first(x))))


@pytest.fixture
def network():
    torch.manual_seed(0)
    module = Network()
    module(torch.randn(8, 4))  # statistics that differ from a batch's
    return module


X = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))


def run(module):
    with torch.no_grad():
        return in_eval_mode(module)(X)


def test_a_module_in_eval_mode_is_itself(network):
    network.eval()
    assert in_eval_mode(network) is network
    network.first[1].train()
    assert in_eval_mode(network) is not network, "one part in train mode is enough"


def test_a_module_in_train_mode_does_not_change(network):
    expected, network = run(network.eval()), network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    calls, modes = network.calls, [part.training for part in network.modules()]
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(run, [network] * 40):
            assert torch.equal(result, expected)
    assert network.calls == calls
    assert [part.training for part in network.modules()] == modes
    assert all(torch.equal(tensor, before[k]) for k, tensor in network.state_dict().items())


def test_weights_are_shared(network):
    copied = dict(in_eval_mode(network).state_dict(keep_vars=True))
    assert all(copied[k] is v for k, v in network.state_dict(keep_vars=True).items())


def test_a_compiled_module_is_copied_without_its_code(network):
    expected = run(network.eval())
    network.train().compile(backend="eager")
    assert torch.equal(run(network), expected)
    assert torch.equal(run(nn.Sequential(torch.compile(network, backend="eager"))), expected)
    assert network.training


class Parts(NamedTuple):
    norm: nn.Module
    other: str


class Hidden(nn.Module):
    """Reaches its layer by a named tuple, a set and a partial function."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.parts = Parts(self.norm, "x")
        self.all = {self.norm}
        self.apply_norm = partial(self.norm.forward)
        self.call = partial(self.norm)

    def forward(self, x):
        (norm,) = self.all
        return self.call(self.apply_norm(norm(self.parts.norm(x))))


def test_layers_in_named_tuples_sets_and_partial_functions_stay_as_they_are():
    module = Hidden()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    result = run(module.train())
    assert all(torch.equal(t, before[name]) for name, t in module.state_dict().items())
    assert torch.equal(result, run(module.eval()))


class Enclosing(nn.Module):
    """Reaches its layer by functions that enclose it, and counts its calls in a variable."""

    def __init__(self):
        super().__init__()
        norm = self.norm = nn.BatchNorm1d(4)
        calls = 0

        def count():
            return calls

        def normalise(x, *, again=norm):
            nonlocal calls
            calls += 1
            return again(norm(x))

        def repeat(x, times=2):
            return repeat(normalise(x), times - 1) if times else self.norm(x)

        self.count, self.apply_norm = count, [lambda x, function=repeat: function(x)]

    def forward(self, x):
        return self.apply_norm[0](x)


def test_layers_and_variables_that_functions_enclose_stay_as_they_are():
    module = Enclosing()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    result = run(module.train())
    assert all(torch.equal(t, before[name]) for name, t in module.state_dict().items())
    assert module.count() == 0
    copied = in_eval_mode(module)
    copied(X)
    assert (copied.count(), module.count()) == (2, 0), "functions share a variable"
    assert torch.equal(result, run(module.eval()))
