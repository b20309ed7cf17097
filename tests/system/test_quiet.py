"""Threads that hide or record output, or set the environment, do not disturb others."""

import logging
import os
import sys
import threading
import warnings

import pytest

from ganzoo.system.dependencies import environment
from ganzoo.system.quiet import hidden_output, ignored_warnings, quiet, recorded_warnings


def speak(text):
    print(text)
    logging.getLogger("library").warning(text)


def test_only_the_calling_thread_is_quiet(capsys, caplog):
    with quiet():
        speak("hidden")
        warnings.warn("hidden", stacklevel=1)
        logging.getLogger("library").error("an error")
        other = threading.Thread(target=speak, args=["other"])
        other.start()
        other.join()
    speak("after")
    assert capsys.readouterr().out == "other\nafter\n"
    assert caplog.messages == ["an error", "other", "after"]


def test_hidden_output_is_that_of_the_calling_thread(capsys):
    with hidden_output():
        print("hidden")
        other = threading.Thread(target=print, args=["other"])
        other.start()
        other.join()
    print("after")
    assert capsys.readouterr().out == "other\nafter\n"


def test_a_closed_output_stays_closed(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with quiet():
        print("hidden", flush=True)
    assert sys.stdout is None


def overlap(first, second):
    """Enter the first block, then the second in another thread; leave the first, then the second."""
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with second:
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    with first:
        thread.start()
        entered.wait(0.1)
    leave.set()
    thread.join()


def test_filters_of_warnings_come_back_whichever_thread_ends_last():
    before = warnings.filters[:]
    overlap(ignored_warnings(), ignored_warnings())
    assert warnings.filters == before


@pytest.mark.parametrize("block", [ignored_warnings, quiet, recorded_warnings])
@pytest.mark.parametrize("action", ["default", "error"])
def test_warnings_of_other_threads_are_shown(block, action):
    errors = []

    def warn():
        try:
            warnings.warn("other", stacklevel=1)
        except UserWarning:
            errors.append("raised")

    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter(action)
        before = warnings.filters[:]
        with block():
            warnings.warn("own", stacklevel=1)
            other = threading.Thread(target=warn)
            other.start()
            other.join()
        assert warnings.filters == before
        warn()
    if action == "default":
        assert [str(w.message) for w in record] == ["other"], "once for each line"
    assert errors == ["raised"] * 2 * (action == "error")


def test_a_filter_that_another_thread_kept_matches_no_more():
    with warnings.catch_warnings(record=True) as record:
        with ignored_warnings():
            copy = warnings.filters[:]
        warnings.filters[:] = copy
        warnings.warn("later", stacklevel=1)
    assert [str(w.message) for w in record] == ["later"]


def test_a_hidden_warning_does_not_repeat_others_that_were_shown():
    def warn():
        warnings.warn("once", stacklevel=1)

    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("default")
        warn()
        with ignored_warnings():
            warnings.warn("hidden", stacklevel=1)
        warn()
    assert [str(w.message) for w in record] == ["once"]


def test_threads_record_their_own_warnings():
    show = warnings.showwarning
    records = {}
    barrier = threading.Barrier(4)

    def record(number):
        barrier.wait()
        with recorded_warnings() as outer:
            for _ in range(20):
                warnings.warn(f"of {number}", stacklevel=1)
            with recorded_warnings() as inner:
                warnings.warn(f"inner {number}", stacklevel=1)
        records[number] = [[str(w.message) for w in record] for record in (outer, inner)]

    threads = [threading.Thread(target=record, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert records == {k: [[f"of {k}"] * 20, [f"inner {k}"]] for k in range(4)}
    assert warnings.showwarning is show


def test_the_environment_comes_back_whichever_thread_ends_last(monkeypatch):
    monkeypatch.setenv("SET", "before")
    monkeypatch.delenv("UNSET", raising=False)
    before = dict(os.environ)
    overlap(environment(SET="1", UNSET="1"), environment(SET="1", UNSET="1"))
    assert dict(os.environ) == before
