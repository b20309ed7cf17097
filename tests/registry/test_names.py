import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ganzoo
from ganzoo.errors import NameSyntaxError
from ganzoo.registry.names import (
    HubName,
    ZooName,
    parse_model_name,
    parse_registered,
    suggest_hub_name,
)

WORDS = st.from_regex(r"[a-z0-9]+([-._][a-z0-9]+)*", fullmatch=True)
PART = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", fullmatch=True)


@given(WORDS)
def test_a_registered_name_is_parsed_unchanged(name):
    assert parse_model_name(name) == ZooName(name)
    assert str(ZooName(name)) == name


@given(PART, WORDS)
def test_a_distribution_prefix_is_parsed(distribution, name):
    parsed = parse_registered(f"{distribution}:{name}")
    assert parsed == ZooName(name, distribution)
    assert parse_registered(str(parsed)) == parsed


@given(PART, PART, st.none() | st.from_regex(r"[A-Za-z0-9._/-]+", fullmatch=True))
def test_hub_names_round_trip(org, repo, revision):
    name = HubName(f"{org}/{repo}", revision)
    assert parse_model_name(str(name)) == name


@given(st.text())
def test_any_text_is_parsed_or_refused_with_one_error(text):
    with contextlib.suppress(NameSyntaxError):  # any other error would fail
        assert isinstance(parse_model_name(text), ZooName | HubName | Path)


@pytest.mark.parametrize("folder", ["./x", "../x", "/x/y", "runs/x", ".", "~/x"])
def test_folder_like_texts_are_folders(folder):
    assert parse_model_name(folder) == Path(folder).expanduser()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DCGAN",
        "a b",
        "-a",
        "a-",
        "a:",
        ":a",
        "hf://x",
        "hf://a/b/c",
        "hf://a/b@",
        "~no-such-user-here/x",
        "~\0",
        "./a\0b",
    ],
)
def test_other_texts_are_refused(text):
    with pytest.raises(NameSyntaxError):
        parse_model_name(text)


NAMES = [
    "https://hub.example/org/name",
    "https://hub.example/org/name/",
    "http://hub.example/models/org/name?tab=files#top",
    "https://hub.example/org/name/tree/main",
    "https://hub.example/org/name/blob/main/config.json",
    "https:/hub.example/org/name",
    "hub.example/org/name",
    "HF://org/name",
    "hf:/org/name",
    "hf:org/name",
    "hf://org/name/",
    "org/name",
    "org/name/",
]


@pytest.mark.parametrize("text", NAMES)
def test_what_means_a_repository_suggests_its_name(text):
    assert suggest_hub_name(text) == "hf://org/name"
    if ":" in text:
        with pytest.raises(NameSyntaxError, match="Did you mean 'hf://org/name'"):
            parse_model_name(text)


def test_a_revision_is_suggested_too():
    assert suggest_hub_name("https://hub.example/org/name/tree/v1.0") == "hf://org/name@v1.0"
    assert suggest_hub_name("org/name@v1") == "hf://org/name@v1"


@pytest.mark.parametrize("text", ["./org/name", "/org/name", "a/b/c", "name", "", "x" * 400 + "/y"])
def test_other_paths_suggest_nothing(text):
    assert suggest_hub_name(text) == ""


@given(PART, PART)
def test_a_suggestion_is_a_valid_name(org, repo):
    for text in (f"{org}/{repo}", f"https://hub.example/{org}/{repo}", f"HF://{org}/{repo}"):
        if name := suggest_hub_name(text):
            assert isinstance(parse_model_name(name), HubName)


@pytest.mark.parametrize("name", [None, 3, b"dcgan-mnist", ["dcgan-mnist"]])
def test_a_name_that_is_no_text_is_refused(name):
    for call in (ganzoo.load, ganzoo.info):
        with pytest.raises(NameSyntaxError, match=r"is not the name of a model\. Pass text"):
            call(name)
    for call in (
        ganzoo.train,
        ganzoo.losses.get,
        lambda name: ganzoo.load("gan-mnist").sample(sampler=name),
    ):
        with pytest.raises(NameSyntaxError, match=r"is not a name\. Pass text"):
            call(name)
