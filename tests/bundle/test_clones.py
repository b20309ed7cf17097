"""Bundles as git, git-lfs and the Hub's client leave them on a disk."""

import hashlib
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import ganzoo
from ganzoo import cards
from ganzoo.bundle import amend_bundle, open_bundle, read_checksums
from ganzoo.bundle.summary import read_summary
from ganzoo.errors import BundleError, CardError, CheckpointError, ImageFileError
from ganzoo.sampling.image_files import read_image
from ganzoo.training.checkpoint import load_checkpoint
from helpers.bundles import rehash

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git(*arguments, cwd):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True)


def commit(folder):
    git("init", "-q", ".", cwd=folder)
    git("add", "-A", cwd=folder)
    git("commit", "-qm", "x", cwd=folder)


@pytest.fixture
def snapshot(bundle, tmp_path):
    """The folder that the Hub's client returns: its files are links to blobs."""
    repository = tmp_path / "models--org--name"
    folder = repository / "snapshots" / COMMIT
    (repository / "blobs").mkdir(parents=True)
    for file in [p for p in bundle.rglob("*") if p.is_file()]:
        blob = repository / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
        shutil.copyfile(file, blob)
        link = folder / file.relative_to(bundle)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return folder


def test_a_snapshot_of_the_hubs_client_is_a_bundle(snapshot, bundle, tmp_path):
    for runtime in ("onnx", "torch"):
        images = ganzoo.load(snapshot, runtime=runtime).sample(2).numpy()
        assert (images == ganzoo.load(bundle, runtime=runtime).sample(2).numpy()).all()
    assert read_summary(open_bundle(snapshot)) == read_summary(open_bundle(bundle))
    assert cards.check(snapshot) == [
        p.replace(str(bundle), str(snapshot)) for p in cards.check(bundle)
    ]
    out = ganzoo.export(snapshot, tmp_path / "out", figures=False)
    assert not any(p.is_symlink() for p in out.rglob("*"))


def test_a_snapshot_is_never_changed(snapshot):
    before = {p: p.read_bytes() for p in snapshot.rglob("*") if p.is_file()}
    opened = open_bundle(snapshot)
    advice = f"Copy it first: cp -rL {snapshot} ./copy"
    for change in (
        lambda: amend_bundle(opened, opened.spec, {"README.md": "# mine"}),
        lambda: cards.write(snapshot),
        lambda: ganzoo.export(snapshot, figures=False),
    ):
        with pytest.raises(BundleError, match=advice):
            change()
    assert {p: p.read_bytes() for p in snapshot.rglob("*") if p.is_file()} == before
    copy = snapshot.parent.parent.parent / "copy"
    subprocess.run(["cp", "-rL", snapshot, copy], check=True)
    assert cards.write(copy)


@pytest.mark.parametrize("target", ["outside", "link", "other"])
def test_a_snapshot_links_only_to_its_own_blobs(snapshot, tmp_path, target):
    (tmp_path / "secret").write_bytes((snapshot / "samples.png").read_bytes())
    places = {
        "outside": tmp_path / "secret",
        "link": snapshot.parent.parent / "blobs" / ("0" * 64),
        "other": tmp_path / "models--org--other" / "blobs" / ("0" * 64),
    }
    place = places[target]
    if target != "outside":
        place.parent.mkdir(parents=True, exist_ok=True)
    if target == "link":
        place.symlink_to(tmp_path / "secret")
    elif target == "other":
        shutil.copyfile(tmp_path / "secret", place)
    (snapshot / "samples.png").unlink()
    (snapshot / "samples.png").symlink_to(place)
    with pytest.raises(BundleError, match=r"samples\.png is a link that leads outside"):
        open_bundle(snapshot)


@pytest.mark.parametrize("parts", ["models--org--name/copies", "org--name/snapshots"])
def test_links_to_blobs_need_the_layout_of_a_snapshot(snapshot, tmp_path, parts):
    blobs = snapshot.parent.parent / "blobs"
    if parts.startswith("org"):
        shutil.copytree(blobs, tmp_path / "org--name" / "blobs")
    moved = shutil.move(snapshot, tmp_path / parts / COMMIT)
    with pytest.raises(BundleError, match="a link that leads outside"):
        open_bundle(Path(moved))


def test_git_keeps_the_bytes_of_a_bundle(bundle, tmp_path):
    assert (bundle / ".gitattributes").read_text() == "* -text\n"
    assert ".gitattributes" not in read_checksums(bundle)
    commit(bundle)
    git("-c", "core.autocrlf=true", "clone", "-q", bundle, tmp_path / "clone", cwd=tmp_path)
    assert ganzoo.load(tmp_path / "clone", runtime="onnx").sample(1)


def test_an_amended_bundle_gets_attributes_and_keeps_its_own(bundle):
    opened = open_bundle(bundle)
    (bundle / ".gitattributes").unlink()
    amend_bundle(opened, opened.spec, {"README.md": "# x\n"})
    assert (bundle / ".gitattributes").read_text() == "* -text\n"
    (bundle / ".gitattributes").write_text("*.onnx filter=lfs\n")
    amend_bundle(opened, opened.spec, {"README.md": "# y\n"})
    assert (bundle / ".gitattributes").read_text() == "*.onnx filter=lfs\n"


def test_line_endings_that_git_changed_are_named_and_the_advice_works(bundle, tmp_path):
    (bundle / ".gitattributes").unlink()
    commit(bundle)
    git("-c", "core.autocrlf=true", "clone", "-q", bundle, tmp_path / "clone", cwd=tmp_path)
    text = r"only in its line endings, which git changed to CRLF .*: (git .*) URL$"
    for read in (ganzoo.load, ganzoo.info, cards.write, cards.check):
        with pytest.raises(BundleError, match=text) as error:
            read(tmp_path / "clone")
    advice = str(error.value).partition("again: ")[2].removesuffix(" URL")
    git(*shlex.split(advice)[1:], str(bundle), str(tmp_path / "again"), cwd=tmp_path)
    assert ganzoo.load(tmp_path / "again", runtime="onnx").sample(1)


def test_another_change_is_not_taken_for_line_endings(bundle):
    config = (bundle / "config.json").read_bytes()
    (bundle / "config.json").write_bytes(config.replace(b"\n", b"\r\n") + b" ")
    with pytest.raises(BundleError, match="was damaged or changed"):
        open_bundle(bundle)


@pytest.mark.parametrize("name", ["model.onnx", "model.safetensors", "config.json", "SHA256SUMS"])
def test_a_pointer_of_git_lfs_is_named(bundle, name):
    content = (bundle / name).read_bytes()
    (bundle / name).write_text(
        "version https://git-lfs.github.com/spec/v1\n"
        f"oid sha256:{hashlib.sha256(content).hexdigest()}\nsize {len(content)}\n"
    )
    text = f"{name} is a git-lfs pointer, not .* run `git lfs install` and `git -C .* lfs pull`"
    for read in (ganzoo.load, cards.write):
        with pytest.raises(BundleError, match=text):
            read(bundle)


def test_the_card_may_be_edited_at_any_time(bundle):
    (bundle / "README.md").write_text((bundle / "README.md").read_text() + "\nMore.\n")
    assert ganzoo.load(bundle, runtime="onnx").sample(1)
    assert ganzoo.export(bundle, figures=False) == bundle
    assert "More." in (bundle / "README.md").read_text()
    assert (
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=bundle).returncode
        == 0
    )


def test_an_older_bundle_whose_checksums_list_the_card_loads(bundle):
    sums = (bundle / "SHA256SUMS").read_text() + f"{'0' * 64}  README.md\n"
    (bundle / "SHA256SUMS").write_text(sums)
    assert open_bundle(bundle)
    (bundle / "README.md").unlink()
    assert open_bundle(bundle)
    cards.write(bundle)
    assert "README.md" not in read_checksums(bundle)


def test_a_card_that_is_a_link_or_a_pipe_is_refused(bundle, tmp_path):
    (tmp_path / "key").write_text("private")
    (bundle / "README.md").unlink()
    (bundle / "README.md").symlink_to(tmp_path / "key")
    with pytest.raises(BundleError, match="a link that leads outside"):
        open_bundle(bundle)
    (bundle / "README.md").unlink()
    os.mkfifo(bundle / "README.md")
    with pytest.raises(BundleError, match="not a regular file"):
        open_bundle(bundle)


def test_a_card_has_a_limit(bundle):
    (bundle / "README.md").write_bytes(b"x" * (2**18 + 1))
    assert "has 262,145 bytes; the limit is 262,144" in cards.check(bundle)[0]
    with pytest.raises(CardError, match="the limit is 262,144"):
        cards.write(bundle)


def test_only_listed_files_are_read(bundle, tmp_path):
    (tmp_path / "private.png").write_bytes(b"private")
    (bundle / "samples.png").unlink()
    (bundle / "samples.png").symlink_to(tmp_path / "private.png")
    (bundle / "training" / "log.jsonl").unlink()
    (bundle / "training" / "log.jsonl").symlink_to(tmp_path / "private.png")
    rehash(bundle)
    lines = (bundle / "SHA256SUMS").read_text().splitlines(keepends=True)
    lines_left = [x for x in lines if "samples.png" not in x and "log.jsonl" not in x]
    (bundle / "SHA256SUMS").write_text("".join(lines_left))
    opened = open_bundle(bundle)
    assert not opened.holds("samples.png")
    out = ganzoo.export(bundle, tmp_path / "out", figures=False)
    assert not any(b"private" in p.read_bytes() for p in out.rglob("*") if p.is_file())


def test_other_files_that_git_lfs_left_as_pointers_are_named_too(tmp_path):
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    for name in ("a.png", "000000000064.safetensors"):
        (tmp_path / name).write_text(text)
    with pytest.raises(ImageFileError, match=r"a\.png is a git-lfs pointer.* lfs pull"):
        read_image(tmp_path / "a.png")
    with pytest.raises(CheckpointError, match="is a git-lfs pointer.* lfs pull"):
        load_checkpoint(tmp_path)
    assert (tmp_path / "000000000064.safetensors").read_text() == text, (
        "neither renamed nor removed"
    )
