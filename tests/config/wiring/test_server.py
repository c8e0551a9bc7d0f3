"""Starting Granian in place of this process."""

import os
import sys

import pytest

from config.wiring import server

pytestmark = pytest.mark.once


class Replaced(Exception):
    """The process would be another program now."""


@pytest.fixture
def become_server(monkeypatch):
    """Return the environment in which the server would start."""

    def replace(program, arguments):
        assert program == arguments[0] == sys.executable
        raise Replaced

    monkeypatch.setattr(os, "execv", replace)

    def start():
        with pytest.raises(Replaced):
            server.become_server(workers=1)
        return dict(os.environ)

    return start


def test_the_servers_threads_share_one_heap(become_server, monkeypatch):
    # Set and removed, so that it is as before when the test is over.
    monkeypatch.setenv("MALLOC_ARENA_MAX", "")
    monkeypatch.delenv("MALLOC_ARENA_MAX")

    assert become_server()["MALLOC_ARENA_MAX"] == "1"


def test_another_number_of_heaps_is_the_operators_choice(become_server, monkeypatch):
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")

    assert become_server()["MALLOC_ARENA_MAX"] == "4"
