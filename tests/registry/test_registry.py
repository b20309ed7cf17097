import fnmatch
import functools
from importlib import metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ganzoo
from ganzoo.errors import (
    AmbiguousNameError,
    BrokenPluginError,
    MissingPluginError,
    NameSyntaxError,
    UnknownNameError,
)
from ganzoo.registry.distributions import Distribution, normalise
from ganzoo.registry.entries import entry_of
from ganzoo.registry.names import parse_registered
from ganzoo.registry.signatures import arguments_of
from helpers.distributions import install
from helpers.processes import run_new

GOOD = "from ganzoo.games import AdversarialLoss, Criterion\ndef mine():\n    'A loss.'\n    return 7\n"


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_builtin_parts_have_entry_points():
    entry = ganzoo.losses.entry("wgan-gp")
    assert entry.distribution == "torch-ganzoo"
    assert entry.target == "ganzoo.builtin.losses.adversarial:wgan_gp"
    assert ganzoo.losses.get("wgan-gp").__name__ == "wgan_gp"
    assert ganzoo.losses.get("torch-ganzoo:wgan-gp") is ganzoo.losses.get("wgan-gp")


def test_a_third_party_plugin_is_found(site):
    install(site, "acme-gans", {"losses": {"acme": "acme_loss:mine"}}, acme_loss=GOOD)
    assert "acme" in ganzoo.losses.names()
    assert ganzoo.losses.get("acme")() == 7
    assert ganzoo.losses.entry("acme").requirement == ("acme-gans>=1.2",)


def test_listing_imports_no_plugin(site):
    install(site, "loud", {"losses": {"loud": "loud_loss:x"}}, loud_loss="raise SystemExit('ran')")
    assert "loud" in ganzoo.losses.names("lo*")


@given(st.text("abcdgnmist-*?[]", max_size=8))
def test_wildcards_follow_shell_syntax(pattern):
    names = ganzoo.architectures.names()
    assert ganzoo.architectures.names(pattern) == [
        n for n in names if fnmatch.fnmatchcase(n, pattern)
    ]


WORDS = st.from_regex(r"[a-z_][a-z0-9_]{0,8}(\.[a-z_]{1,8})?", fullmatch=True)
SPACE = st.sampled_from(["", " ", "\t"])


@given(WORDS, WORDS, st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)), SPACE)
def test_an_entry_points_value_is_an_object_and_extras(module, attribute, extras, space):
    value = f"{module}{space}:{space}{attribute}{space}"
    if extras:
        value += f"[{f',{space}'.join(extras)}]{space}"
    entry = entry_of(metadata.EntryPoint("x", value, "ganzoo.losses"), Distribution("a", "1"))
    assert entry.target == f"{module}:{attribute}"
    assert entry.extras == tuple(extras)
    assert not entry.trouble


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_entry_point_can_be_listed(name, value):
    entry = entry_of(metadata.EntryPoint(name, value, "ganzoo.losses"), Distribution("a", "1"))
    assert entry.name == name
    if not entry.trouble:
        assert parse_registered(f"a:{name}").name == name
        assert entry.target.count(":") == 1


@given(st.from_regex(r"[A-Za-z0-9]+([-_.]+[A-Za-z0-9]+)*", fullmatch=True))
def test_a_distributions_name_is_normalised_as_pip_does(name):
    from packaging.utils import canonicalize_name

    assert normalise(name) == canonicalize_name(name)


def test_a_mistyped_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError) as error:
        ganzoo.architectures.get("dcgann")
    assert str(error.value) == (
        "no architecture named 'dcgann'. Did you mean 'dcgan'? Installed: "
        f"{', '.join(sorted(ganzoo.architectures.names()))}."
    )
    assert isinstance(error.value, KeyError)
    with pytest.raises(UnknownNameError) as error:
        ganzoo.architectures.get("zzz")
    assert "Did you mean" not in str(error.value)
    with pytest.raises(NameSyntaxError):
        ganzoo.architectures.get("DC GAN")


def test_a_missing_plugin_names_its_distribution():
    with pytest.raises(MissingPluginError, match="pip install acme-gans") as error:
        ganzoo.losses.get("acme-gans:sagan")
    assert isinstance(error.value, ImportError)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import einops_that_is_absent", "No module named 'einops_that_is_absent'"),
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        ("x = 1", "has no attribute 'mine'"),
        ("mine = 3", "it is int, not a function"),
    ],
)
def test_a_broken_plugin_is_an_error(site, code, reason):
    module = f"broken_{abs(hash(code))}"
    install(site, "broken", {"losses": {"bad": f"{module}:mine"}}, **{module: code})
    with pytest.raises(BrokenPluginError) as error:
        ganzoo.losses.get("bad")
    text = str(error.value)
    assert f"broken 1.2   (ganzoo.losses: bad = {module}:mine)" in text
    assert reason in text
    assert ganzoo.losses.get("lsgan"), "another plugin must not suffer"


def test_an_ambiguous_name_is_an_error(site):
    install(site, "one", {"losses": {"twin": "one_loss:mine"}}, one_loss=GOOD)
    install(site, "two", {"losses": {"twin": "two_loss:mine"}}, two_loss=GOOD.replace("7", "8"))
    with pytest.raises(AmbiguousNameError, match="'one:twin' or 'two:twin'"):
        ganzoo.losses.get("twin")
    assert ganzoo.losses.get("two:twin")() == 8
    assert ganzoo.losses.names("twin") == ["twin"]


def test_any_callable_with_keyword_only_parameters_is_a_factory():
    def loss(*, margin: "float" = 1.0, slope: float = 0.2): ...

    class Made:
        def __init__(self, *, dim: int = 3): ...

    for factory, expected in (
        (loss, {"margin": (float, 1.0), "slope": (float, 0.2)}),
        (functools.partial(loss, margin=2.0), {"margin": (float, 2.0), "slope": (float, 0.2)}),
        (Made, {"dim": (int, 3)}),
    ):
        arguments = arguments_of(factory)
        assert {k: (a.annotation, a.default) for k, a in arguments.items()} == expected


def test_the_environment_variable_disables_plugins(site, monkeypatch):
    install(site, "Acme_Gans", {"losses": {"acme": "acme_loss2:mine"}}, acme_loss2=GOOD)
    for switch, admitted in [("", False), ("other", False), ("other, acme-gans", True)]:
        monkeypatch.setenv("GANZOO_PLUGINS", switch)
        assert ("acme" in ganzoo.losses) is admitted
        assert "lsgan" in ganzoo.losses


def test_objects_can_be_registered_in_a_process():
    @ganzoo.losses.register("mine")
    def mine():
        return 1

    try:
        assert ganzoo.losses.get("mine") is mine
        assert ganzoo.losses.entry("mine").requirement == ()

        @ganzoo.losses.register("mine")  # a notebook's cell, run again
        def mine():
            return 2

        assert ganzoo.losses.get("mine")() == 2
        with pytest.raises(AmbiguousNameError, match="under another name"):

            @ganzoo.losses.register("mine")
            def other(): ...
    finally:
        ganzoo.losses.unregister("mine")
    assert "mine" not in ganzoo.losses
    with pytest.raises(AmbiguousNameError, match="'wgan-gp' is already .* of torch-ganzoo"):
        ganzoo.losses.register("wgan-gp")(lambda: None)


def test_a_shipped_model_loads_if_a_plugin_reuses_its_architectures_name(site):
    install(site, "usurper", {"architectures": {"dcgan": "usurper_net:mine"}}, usurper_net=GOOD)
    with pytest.raises(AmbiguousNameError):
        ganzoo.architectures.get("dcgan")
    assert ganzoo.load("dcgan-mnist", runtime="torch").sample(1)


def test_decorated_and_entry_point_is_one_registration(site):
    code = "import ganzoo\n@ganzoo.losses.register('both')\ndef both():\n    return 1\n"
    install(site, "both-ways", {"losses": {"both": "both_loss:both"}}, both_loss=code)
    try:
        assert ganzoo.losses.get("both")() == 1
        assert ganzoo.losses.get("both")() == 1
        assert len(ganzoo.losses.entries("both")) == 1
    finally:
        ganzoo.losses.unregister("both")


def test_import_and_listing_are_light():
    code = """
import sys, ganzoo
light = set(sys.modules)
assert ganzoo.list_models("dcgan-*") == ["dcgan-fashion", "dcgan-mnist", "dcgan-paper-mnist"]
from ganzoo.cli import main
assert main(["list"]) == 0
for module in ("torch", "onnxruntime", "ganzoo.builtin", "sklearn", "huggingface_hub"):
    assert module not in sys.modules, module
for module in ("numpy", "PIL", "pydantic", "tyro"):
    assert module not in light, module
"""
    result = run_new("-c", code)
    assert result.returncode == 0, result.stderr
    assert "dcgan-mnist" in result.stdout
