"""What the command line prints: foreign text, other encodings, streams that are closed or full."""

import io
import os
import subprocess
import sys
import unicodedata
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ganzoo
from ganzoo import cli
from ganzoo.cli import main
from ganzoo.errors import GanzooError, OutputError, printable
from ganzoo.registry import find_recipe
from ganzoo.system import terminal
from ganzoo.training.log import Log
from helpers.bundles import change_config
from helpers.processes import run_cli, run_new

HOSTILE = "\x1b[2J\x1b]0;title\x07\x1b[31mAll fine\r\u202eenif\u2066\x9b2J\x00"
ESCAPED = r"\x1b[2J\x1b]0;title\x07\x1b[31mAll fine\r\u202eenif\u2066\x9b2J\x00"


def test_control_characters_are_escaped():
    assert printable(HOSTILE) == ESCAPED
    text = "Fréchet\u00a0é 数字\t\u3000\n\N{GREEK SMALL LETTER ALPHA}"
    assert printable(text) == text
    assert str(GanzooError(HOSTILE)) == ESCAPED


@given(st.text())
def test_any_text_is_printable_and_printable_text_stays(text):
    output = printable(text)
    assert printable(output) == output
    assert not {unicodedata.category(c) for c in output if c not in "\n\t"} & {"Cc", "Cf", "Cs"}


def fail():
    raise RuntimeError(HOSTILE)


def test_a_program_that_runs_a_command_keeps_its_hooks(monkeypatch):
    hooks = warnings.showwarning, sys.excepthook
    assert main(["--version"]) == 0
    monkeypatch.setitem(cli.COMMANDS, "info", fail)
    with pytest.raises(RuntimeError):
        main(["info"])
    assert (warnings.showwarning, sys.excepthook) == hooks


def test_messages_of_every_kind_are_escaped(bundle, capsys, tmp_path, monkeypatch):
    change_config(bundle, lambda config: config["provenance"].update(note=HOSTILE))
    assert main(["info", str(bundle)]) == 0
    change_config(bundle, lambda config: config.update({HOSTILE: 1}))
    assert main(["info", str(bundle)]) == 1
    assert main(["sample", f"./{HOSTILE.replace(chr(0), '')}"]) == 1
    monkeypatch.setitem(cli.COMMANDS, "info", lambda: warnings.warn(HOSTILE, stacklevel=1))
    assert main(["info"]) == 0
    monkeypatch.setitem(cli.COMMANDS, "info", fail)
    monkeypatch.setattr(sys, "argv", ["ganzoo", "info"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(RuntimeError) as fault:
        main()
    sys.excepthook(fault.type, fault.value, None)
    terminal.print_out(HOSTILE)
    terminal.print_error(HOSTILE)
    Log(tmp_path / "log.jsonl", 1, 0, progress=False).print(HOSTILE)
    output = capsys.readouterr()
    for text in (output.out, output.err):
        assert r"\x1b[2J" in text
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\r"} & set(text)


def test_the_help_of_a_recipe_is_escaped(tmp_path, capsys):
    recipe = find_recipe("dcgan-digits").to_toml()
    text = recipe.replace('description = "', 'description = "\\u001b[31m\\u202e', 1)
    assert text != recipe
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(SystemExit):
        main(["train", str(tmp_path / "r.toml"), "--help"])
    output = capsys.readouterr().out
    assert r"\x1b[31m\u202e" in output
    assert "\x1b[31m\u202e" not in output


class Stream(io.TextIOWrapper):
    def __init__(self, encoding):
        super().__init__(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize("encoding", ["latin-1", "cp932", "cp437", "ascii", "utf-8"])
def test_characters_that_an_encoding_lacks_are_escaped(encoding, monkeypatch):
    stream = Stream(encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    for command in (["--help"], ["plot", "--help"], ["sample", "--help"]):
        with pytest.raises(SystemExit):
            main(command)
    with terminal.usable_streams():
        terminal.print_out("数 é ─")
    assert stream.errors == "strict", "as it was"
    output = stream.buffer.getvalue()
    assert (r"\u6570" in output.decode(encoding)) == (encoding not in ("utf-8", "cp932"))


@pytest.mark.parametrize("encoding", ["ascii", "cp932"])
def test_the_help_of_a_recipe_in_another_encoding(encoding):
    output = run_new("-m", "ganzoo", "list", env={"PYTHONIOENCODING": encoding})
    assert (output.returncode, output.stderr) == (0, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("redirection", "command", "code", "message"),
    [
        (
            ">&-",
            "list",
            1,
            "error: standard output is closed, so the output of the command is lost",
        ),
        (
            ">/dev/full",
            "list",
            1,
            "error: cannot write to standard output: No space left on device",
        ),
        (">/dev/full", "--help", 1, "error: cannot write to standard output: No space left"),
        (">&-", "info nope", 1, "error: no model or component is named 'nope'"),
        (">&- 2>&-", "info nope", 1, ""),
        ("2>/dev/full", "info nope", 1, ""),
        ("2>&-", "info nope", 1, ""),
        ("<&-", "--version", 0, ""),
    ],
)
def test_a_closed_or_full_stream_is_one_line(redirection, command, code, message, unbuffered):
    result = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m ganzoo {command} {redirection}"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    assert result.returncode == code, result.stderr
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == bool(message)


def test_the_work_is_done_although_the_output_is_lost(tmp_path):
    """No file gets the number of a closed descriptor, which other output would go to."""
    command = f"exec {sys.executable} -m ganzoo sample dcgan-mnist --runtime onnx -n 4 -o o.png >&-"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("error: standard output is closed")
    expected = ganzoo.load("dcgan-mnist", runtime="onnx").sample(4).save(tmp_path / "e.png")
    assert (tmp_path / "o.png").read_bytes() == expected.read_bytes()


def test_a_reader_that_closes_the_pipe_is_no_error(monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with terminal.usable_streams():
            terminal.print_out("x" * 100_000)
        monkeypatch.undo()


def test_other_errors_of_a_pipe_are_raised():
    with pytest.raises(BrokenPipeError), terminal.usable_streams():
        raise BrokenPipeError
    with pytest.raises(OutputError, match="elsewhere"), terminal.usable_streams():
        raise OutputError("elsewhere")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["smaple"], "no command 'ganzoo smaple'. Did you mean 'sample'? Use one of list, info"),
        (["card", "wirte", "x"], "no command 'ganzoo card wirte'. Did you mean 'write'?"),
        (["plot", "umpa"], "no command 'ganzoo plot umpa'. Did you mean 'umap'?"),
        (["dcgan-mnist"], "no command 'ganzoo dcgan-mnist'. Use one of"),
    ],
)
def test_a_misspelt_command_gets_the_nearest_one(words, message, capsys):
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")


def test_docstrings_that_python_removes_are_shown():
    """`python -OO` removes docstrings and asserts."""
    new = run_new("-OO", "-m", "ganzoo", "train", "dcgan-digits", "--help")
    assert new.returncode == 0, new.stderr
    plain = run_cli("train", "dcgan-digits", "--help")
    assert new.stdout == plain.stdout


def test_warnings_as_errors_are_one_line(monkeypatch, capsys):
    monkeypatch.setitem(cli.COMMANDS, "info", lambda: warnings.warn("two are odd.", stacklevel=1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["info"]) == 1
    assert capsys.readouterr().err.startswith("error: two are odd. This is a warning, and warnings")


def test_a_current_folder_that_is_deleted(tmp_path, monkeypatch, capsys):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path / "folder")
    (tmp_path / "folder").rmdir()
    assert main(["sample", "dcgan-mnist", "--runtime", "onnx"]) == 1
    assert capsys.readouterr().err == (
        "error: the current folder does not exist any more. Change to another one, such as cd ~\n"
    )
