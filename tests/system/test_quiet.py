"""Threads that hide output or set the environment do not disturb others."""

import logging
import os
import sys
import threading
import warnings

from ganzoo.system.dependencies import environment
from ganzoo.system.quiet import ignored_warnings, quiet


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


def test_the_environment_comes_back_whichever_thread_ends_last(monkeypatch):
    monkeypatch.setenv("SET", "before")
    monkeypatch.delenv("UNSET", raising=False)
    before = dict(os.environ)
    overlap(environment(SET="1", UNSET="1"), environment(SET="1", UNSET="1"))
    assert dict(os.environ) == before
