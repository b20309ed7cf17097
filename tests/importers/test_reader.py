"""Checkpoints are read without executing anything: the numbers are torch's own."""

import argparse
import collections
import hashlib
import io
import json
import pickle
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError

from ganzoo.cli import main
from ganzoo.errors import ImportFileError
from ganzoo.importers import open_checkpoint
from ganzoo.importers.unpickle import Unpickler
from helpers.processes import run_new

DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32),
    *(torch.int16, torch.int8, torch.uint8, torch.bool),
]


def network():
    return torch.nn.Sequential(
        torch.nn.ConvTranspose2d(3, 4, 4), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2)
    )


def save(path, value, zipped=True):
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    return path


def same(checkpoint, expected):
    assert list(checkpoint.tensors) == list(expected), "in the file's order"
    for name, tensor in expected.items():
        stored = checkpoint.tensors[name]
        assert stored.dtype.name == str(tensor.dtype).removeprefix("torch.")
        actual = torch.from_numpy(stored.read())
        wide = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
        assert actual.dtype == wide.dtype
        assert torch.equal(actual, wide)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_has_the_tensors_of_torch(tmp_path, zipped):
    state = network().state_dict()
    same(open_checkpoint(save(tmp_path / "a.pth", state, zipped)), state)


@pytest.mark.parametrize("zipped", [True, False])
def test_every_dtype_and_layout(tmp_path, zipped):
    whole = torch.arange(24).reshape(4, 6)
    state = {str(dtype): whole.to(dtype) for dtype in DTYPES}
    state |= {"transposed": whole.t(), "part": whole[1:3, 2:4], "scalar": torch.tensor(3)}
    state |= {"empty": torch.empty(0, 3), "parameter": torch.nn.Parameter(torch.ones(2))}
    state["channels_last"] = torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last)
    file = save(tmp_path / "a.pth", state, zipped)
    same(open_checkpoint(file), {k: v.detach() for k, v in state.items()})


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_pickled_module_has_the_paths_of_its_state_dict(tmp_path, protocol):
    net = network()
    file = tmp_path / "network.pkl"
    file.write_bytes(pickle.dumps({"G_ema": net, "kimg": 25}, protocol))
    checkpoint = open_checkpoint(file)
    same(checkpoint.under("G_ema"), net.state_dict())
    assert checkpoint.values["kimg"] == 25
    assert checkpoint.values["G_ema.0.stride"] == (1, 1)
    assert checkpoint.classes["G_ema.1"].last == "BatchNorm2d"
    assert checkpoint.container == "pickle"


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_and_options_of_pickles(tmp_path, protocol):
    options = argparse.Namespace(size=64, names=["a", "b"], nested={"x": None})
    value = {
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "scalar": np.float64(0.5),
        "options": options,
        "ordered": collections.OrderedDict(b=1, a=(2, 3)),
        "set": {1},
    }
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(value, protocol))
    checkpoint = open_checkpoint(tmp_path / "a.pkl")
    assert np.array_equal(checkpoint.tensors["array"].read(), value["array"])
    assert np.array_equal(checkpoint.tensors["fortran"].read(), value["fortran"])
    assert checkpoint.values["scalar"] == 0.5
    assert checkpoint.values["options.size"] == 64
    assert checkpoint.values["options.names"] == ("a", "b")
    assert checkpoint.values["ordered.a"] == (2, 3)
    assert checkpoint.classes["options"].last == "Namespace"


class Named:
    """Pickles with keyword arguments, from protocol 4 on."""

    def __new__(cls, size=0):
        return super().__new__(cls)

    def __getnewargs_ex__(self):
        return (), {"size": 3}


def no_weights():
    """What a program may save beside its weights, and no weight can be."""
    attributed = torch.ones(2)
    attributed.learning_rate = 0.5
    return {
        "random": np.random.RandomState(0).get_state(),
        "names": np.array(["cat", "dog"]),
        "name": np.str_("cat"),
        "objects": np.array([None, "a"], object),
        "dates": np.array(["2020-01-01"], "M8[D]"),
        "rows": np.zeros(2, [("a", "f4"), ("b", "i4")]),
        "big-endian": np.zeros(2, ">f4"),
        "complex": torch.ones(2, dtype=torch.complex64),
        "unsigned": torch.ones(2, dtype=torch.uint32),
        "float8": torch.ones(2).to(torch.float8_e4m3fn),
        "sparse": torch.eye(2).to_sparse(),
        "storage": torch.ones(2).untyped_storage(),
        "attributed": attributed,
        "pairs": {(0, "cat"): 1},
    }


@pytest.mark.parametrize("part", no_weights())
def test_other_parts_of_a_file_do_not_matter(tmp_path, part):
    state, rest = {"weight": torch.rand(2, 3)}, {part: no_weights()[part]}
    files = [save(tmp_path / f"{zipped}.pth", {"net": state} | rest, zipped) for zipped in (0, 1)]
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"net": state} | rest, 5))
    for file in (*files, tmp_path / "a.pkl"):
        same(open_checkpoint(file).under("net"), state)


def test_an_object_with_keyword_arguments_is_inert(tmp_path):
    content = pickle.dumps({"weight": np.ones(2), "options": Named()}, 4)
    (tmp_path / "a.pkl").write_bytes(content)
    checkpoint = open_checkpoint(tmp_path / "a.pkl")
    assert checkpoint.values["options.args.0.size"] == 3
    assert checkpoint.classes["options"].last == "Named"


def test_numbers_that_are_no_weights_are_listed_but_not_read(tmp_path):
    state = {"a": torch.ones(2, dtype=torch.complex64), "b": torch.ones(2)}
    safetensors.torch.save_file(state, tmp_path / "a.safetensors")
    for file in (save(tmp_path / "a.pth", state), tmp_path / "a.safetensors"):
        checkpoint = open_checkpoint(file)
        assert checkpoint.tensors["a"].dtype.name == "complex64"
        with pytest.raises(ImportFileError, match="of type complex64, which ganzoo does not"):
            checkpoint.tensors["a"].read()
        assert checkpoint.tensors["b"].read().tolist() == [1, 1]
    with pytest.raises(ImportFileError, match="without tensors"):
        open_checkpoint(save(tmp_path / "b.pth", {"a": state["a"]}))


def test_safetensors_and_a_folder_with_its_config(tmp_path):
    state = {"a.weight": torch.rand(2, 3), "b": torch.rand(4).bfloat16()}
    safetensors.torch.save_file(state, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"latent_dim": 100}')
    checkpoint = open_checkpoint(tmp_path)
    same(checkpoint, state)
    assert checkpoint.config == {"latent_dim": 100}
    assert checkpoint.file == "model.safetensors"


def test_it_needs_no_torch(tmp_path):
    file = save(tmp_path / "a.pth", network().state_dict())
    code = (
        "import sys; from pathlib import Path\n"
        "from ganzoo.importers import open_checkpoint\n"
        "assert len(open_checkpoint(Path(sys.argv[1])).tensors) == 9\n"
        "assert 'torch' not in sys.modules\n"
    )
    assert run_new("-c", code, file).returncode == 0


def test_the_command_lists_the_content(tmp_path, capsys):
    file = save(tmp_path / "a.pth", {"g": {"weight": torch.ones(2, 3)}, "step": 4})
    assert main(["import", str(file), "--inspect"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == [
        "a.pth",
        f"container zip archive of torch.save, {file.stat().st_size:,} bytes",
    ]
    assert lines[2] == f"sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert lines[4:6] == ["values 1", "tensors 1, 6 numbers"]
    assert lines[6].startswith("format no importer recognises a.pth")
    assert lines[7:] == ["", "g.weight float32 2x3"]


# ---- files that must do no harm


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.call


def ran(*arguments):
    raise AssertionError("a checkpoint executed something")


HARMFUL = {
    "call": lambda: pickle.dumps(Calls(ran, "x")),
    "call in a state": lambda: pickle.dumps({"weight": Calls(ran), "a": SimpleNamespace(b=1)}),
    "eval": lambda: pickle.dumps(Calls(eval, "1 / 0")),
    "huge bytearray": lambda: pickle.dumps(Calls(bytearray, 10**12)),
    "extension": lambda: b"\x80\x02\x82\x01.",
    "reference": lambda: b"\x80\x02X\x01\x00\x00\x00aQ.",
    "unknown protocol": lambda: b"\x80\x09N.",
    "frame": lambda: b"\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00N.",
    "odd dictionary": lambda: b"}(K\x01u.",
    "list as a key": lambda: b"}]K\x01s.",
    "state of a list": lambda: b"]}b.",
    "state of a name": lambda: b"cos\nsystem\n}b.",
    "memo": lambda: b"h\x07.",
    "underflow": lambda: b"0.",
    "mark": lambda: b"(.",
    "no end": lambda: b"\x80\x02N",
    "objects": lambda: pickle.dumps(np.array([ran, None])),
    "deep": lambda: b"]" * 5_000 + b"a" * 4_999 + b".",
    "text": lambda: b"hello world\n",
    "nothing": lambda: b"",
    "after its end": lambda: pickle.dumps({"a": np.ones(3)}) + b"more",
}


@pytest.mark.parametrize("kind", HARMFUL)
def test_a_harmful_file_is_refused_and_inert(tmp_path, kind):
    (tmp_path / "a.pkl").write_bytes(HARMFUL[kind]())
    with pytest.raises(ImportFileError, match=r"a\.pkl"):
        open_checkpoint(tmp_path / "a.pkl")


def test_a_name_that_would_run_is_named(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"cposix\nsystem\n(S'touch x'\ntR.")
    with pytest.raises(
        ImportFileError, match=r"It names posix\.system; nothing of it was executed"
    ):
        open_checkpoint(tmp_path / "a.pkl")


@pytest.mark.parametrize("module", ["dnnlib.tflib.network", "tfutil"])
def test_a_network_for_tensorflow_is_named(tmp_path, module):
    """The pickles of the first StyleGAN2 have arrays, but nothing that an importer could use."""
    variables = pickle.dumps({"variables": [("4x4/Const", np.ones((2, 3), np.float32))]}, 2)[2:-1]
    network = b"c" + module.encode() + b"\nNetwork\n)\x81" + variables + b"b"
    (tmp_path / "network.pkl").write_bytes(b"\x80\x02(" + network + b"t.")
    with pytest.raises(ImportFileError, match=r"network\.pkl: .*TensorFlow.* legacy\.py --source="):
        open_checkpoint(tmp_path / "network.pkl")


# 2**60 lists, if they were written out; the last one is on the stack.
BOMB = b"]q\x00" + b"".join(
    b"0](h" + bytes([k]) + b"h" + bytes([k]) + b"eq" + bytes([k + 1]) for k in range(60)
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"."),
        (b"cnumpy\ndtype\n", b"\x85R" + b"K\x00\x85cnumpy._core.multiarray\n_reconstruct\n."),
        (b"ctorch.storage\n_load_from_bytes\n", b"\x85R."),
        (b"ccollections\nOrderedDict\n", b"\x85R."),
        (b"}", b"}s."),
        (b"ctorch\nSize\n", b"\x85R."),
        (b"", b"Q."),
        (
            b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n}X\x07\x00\x00\x00version",
            b"s\x85R.",
        ),
    ],
)
def test_lists_of_lists_are_not_written_out(tmp_path, before, after):
    (tmp_path / "a.pkl").write_bytes(before + BOMB + after)
    with pytest.raises(ImportFileError) as error:
        open_checkpoint(tmp_path / "a.pkl")
    assert len(str(error.value)) < 500


def rewritten(path, change):
    """Write the archive of torch.save again, with a change of its entries."""
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in change(entries).items():
            archive.writestr(name, content)
    return path


def root_of(entries):
    return next(name for name in entries if name.endswith("data.pkl")).removesuffix("data.pkl")


ARCHIVES = {
    "a short storage": (
        lambda e: e | {root_of(e) + "data/0": e[root_of(e) + "data/0"][:-4]},
        "has 12 bytes; its tensors need 16",
    ),
    "an absent storage": (
        lambda e: {k: v for k, v in e.items() if not k.endswith("data/0")},
        "'0' is missing",
    ),
    "big-endian": (lambda e: e | {root_of(e) + "byteorder": b"big"}, "big-endian"),
    "another archive": (lambda e: {"a.npy": b""}, "zip archive that torch.save did not write"),
    "two pickles": (lambda e: e | {"other/data.pkl": b"N."}, "has 2 files data.pkl"),
    "TorchScript": (lambda e: e | {root_of(e) + "constants.pkl": b"N."}, "TorchScript"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_wrong_archive_is_refused(tmp_path, kind):
    change, says = ARCHIVES[kind]
    file = rewritten(save(tmp_path / "a.pth", {"weight": torch.ones(4)}), change)
    with pytest.raises(ImportFileError, match=says):
        open_checkpoint(file)


def test_an_archive_of_two_lists_is_refused(tmp_path):
    file = save(tmp_path / "a.pth", {"weight": torch.ones(4)})
    rewritten(file, lambda entries: entries)
    content = bytearray(file.read_bytes())
    content[content.index(b"PK\3\4") + 14] ^= 1  # a checksum, before the content
    file.write_bytes(content)
    with pytest.raises(ImportFileError, match="its header differs from the zip's list of members"):
        open_checkpoint(file)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("view", [torch._neg_view, lambda x: torch.complex(x, x).conj().imag])
def test_numbers_that_torch_negates_are_refused(tmp_path, zipped, view):
    file = save(tmp_path / "a.pth", {"weight": view(torch.ones(4))}, zipped)
    assert torch.load(file)["weight"].tolist() == [-1] * 4
    with pytest.raises(ImportFileError, match=r"negates or conjugates .*resolve_neg"):
        open_checkpoint(file)


def test_a_storage_of_two_types_is_refused(tmp_path):
    """Torch reads it once, so both tensors get the numbers of the first type."""

    def change(entries):
        name = root_of(entries) + "data.pkl"
        before, second = entries[name].split(b"IntStorage")
        return entries | {name: before + b"IntStorage" + second.replace(b"\x001q", b"\x000q")}

    values = {"a": torch.ones(4), "b": torch.ones(4, dtype=torch.int32)}
    file = save(tmp_path / "a.pth", values)
    same(open_checkpoint(file), values)
    with pytest.raises(ImportFileError, match="storage '0' has two types or lengths"):
        open_checkpoint(rewritten(file, change))


def test_two_archives_in_one_file_are_refused(tmp_path):
    """Torch reads the first and Python's zipfile the last."""
    first, second, both = (tmp_path / name / "a.pt" for name in "abc")
    for number, file in enumerate((first, second, both)):
        file.parent.mkdir()
        save(file, {"weight": torch.full((4,), float(number))})
    end = 22  # bytes of the record at the end of an archive
    both.write_bytes(first.read_bytes()[:-end] + second.read_bytes())
    assert torch.load(both)["weight"].tolist() == [0] * 4
    with pytest.raises(ImportFileError, match="begins after other bytes"):
        open_checkpoint(both)


class Table(dict):
    """A dictionary of a class of its own, as frameworks have them."""


class Row(list):
    """A list of a class of its own."""


@pytest.mark.parametrize("protocol", range(6))
def test_the_content_of_classes_that_extend_others_is_read(tmp_path, protocol):
    ones = np.ones(3, np.float32)
    file = tmp_path / "a.pkl"
    file.write_bytes(pickle.dumps({"net": Table(weight=ones), "row": Row([2 * ones])}, protocol))
    checkpoint = open_checkpoint(file)
    assert checkpoint.tensors["net.weight"].read().tolist() == [1, 1, 1]
    assert checkpoint.tensors["row.0"].read().tolist() == [2, 2, 2]


FOUR = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}


@pytest.mark.parametrize(
    "header",
    [
        {"a": FOUR, "b": FOUR | {"shape": [2], "data_offsets": [8, 16]}},
        {"a": FOUR | {"shape": [2], "data_offsets": [0, 8]}},
        {"a": FOUR | {"shape": [2], "data_offsets": [8, 16]}},
        {"a": FOUR | {"data_offsets": [0.0, 16.0]}},
        {"a": FOUR | {"data_offsets": ["0", "16"]}},
        {"a": FOUR | {"data_offsets": [False, 16]}},
    ],
)
def test_safetensors_that_the_library_refuses_are_refused(tmp_path, header):
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + np.arange(4, dtype="<f4").tobytes()
    with pytest.raises(SafetensorError):
        safetensors.torch.load(content)
    file = tmp_path / "a.safetensors"
    file.write_bytes(content)
    with pytest.raises(ImportFileError, match="Get the file again"):
        open_checkpoint(file)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((1, (4,), (1,)), "reaches beyond the 4 numbers"),
        ((0, (5,), (1,)), "reaches beyond the 4 numbers"),
        ((0, (-4,), (1,)), "whole number from 0"),
        ((0, (4,), (-1,)), "whole number from 0"),
        ((-1, (4,), (1,)), "has offset -1"),
        ((0, (2, 2), (1,)), "2 dimensions and 1 strides"),
        ((0, (1,) * 17, (1,) * 17), "no valid shape"),
        ((0.0, (4,), (1,)), "has offset 0.0"),
    ],
)
def test_a_tensor_stays_within_its_storage(tmp_path, arguments, says):
    offset, shape, strides = arguments
    call = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n("
    pid = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    pid += b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
    rest = (pickle.dumps(value, 2)[2:-1] for value in (offset, shape, strides, False, None))

    def change(entries):
        return entries | {root_of(entries) + "data.pkl": call + pid + b"".join(rest) + b"tR."}

    file = rewritten(save(tmp_path / "a.pth", {"weight": torch.ones(4)}), change)
    with pytest.raises(ImportFileError, match=says):
        open_checkpoint(file)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_tensor_that_repeats_numbers_is_refused_where_it_is_needed(tmp_path, zipped):
    state = {"a": torch.ones(1).expand(2**20), "b": torch.ones(2)}
    tensors = open_checkpoint(save(tmp_path / "a.pth", state, zipped)).tensors
    assert tensors["b"].read().tolist() == [1, 1]
    with pytest.raises(ImportFileError, match="repeats the 1 numbers .* tensor.contiguous()"):
        tensors["a"].read()


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "git -C .* lfs pull"),
        (b"<!doctype html>", "a web page"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"PK\x03\x04broken", "incomplete or damaged"),
        (b'{"latent_dim": 100}', "a JSON file. Pass the file of the weights"),
        (b"\x89PNG\r\n\x1a\n", "not a checkpoint, or is damaged. ganzoo reads"),
        (b"# A heading\n", "not a checkpoint, or is damaged. ganzoo reads pickles, files of torch"),
        (b"Import a file\n", "not a checkpoint, or is damaged. ganzoo reads"),
        (b"Version 2\n.\nThe end\n", "not a checkpoint, or is damaged. ganzoo reads"),
        (b")class of images\nand more\na", "not a checkpoint, or is damaged. ganzoo reads"),
    ],
)
def test_other_files_are_named(tmp_path, start, says):
    (tmp_path / "a.pth").write_bytes(start + b" " * 300)
    with pytest.raises(ImportFileError, match=says):
        open_checkpoint(tmp_path / "a.pth")


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text()
    | st.binary()
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
)


@given(PLAIN, st.integers(0, 5))
@settings(deadline=None)
def test_plain_values_are_those_of_pickle(value, protocol):
    assert Unpickler().read(io.BytesIO(pickle.dumps(value, protocol))) == value


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    state = {"g": network().state_dict(), "args": argparse.Namespace(size=3), "a": np.ones(2)}
    save(folder / "zip.pth", state)
    save(folder / "legacy.pth", state, zipped=False)
    (folder / "a.pkl").write_bytes(pickle.dumps(state | {"net": network()}, 4))
    return [file.read_bytes() for file in sorted(folder.iterdir())]


@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_a_damaged_file_is_read_or_refused(files, tmp_path_factory, data):
    content = bytearray(data.draw(st.sampled_from(files)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    file = tmp_path_factory.getbasetemp() / "damaged.pth"
    file.write_bytes(content)
    try:
        checkpoint = open_checkpoint(file)
        for tensor in checkpoint.tensors.values():
            tensor.read()
    except ImportFileError:
        pass


RECORD = b"\x80\x02c__main__\nX\n)R"  # an object without attributes
SHARED = {
    "a state of pairs of pairs": RECORD + b"N" + b"2\x86" * 60 + b"b.",
    "a key of pairs of pairs": RECORD + b"N" + b"2\x86" * 60 + b"Ns.",
    "a list at many places": b"\x80\x02](K\x00"
    + b"2" * 2_000
    + b"eq\x00("
    + b"h\x00" * 2_000
    + b"l.",
    "calls of calls": b"\x80\x02N"
    + b"q\x00ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nNh\x00Nt"
    b"Rq\x00" * 3_000 + b".",
}


@pytest.mark.parametrize("kind", SHARED)
def test_a_small_pickle_of_shared_values_ends_soon(tmp_path, kind):
    """Nested 60 times, two references each would be 2**60 values."""
    file = tmp_path / "a.pkl"
    file.write_bytes(SHARED[kind])
    with pytest.raises(ImportFileError) as refusal:
        open_checkpoint(file)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 500
