"""One limit of time for all tries of an operation, counted by the requests that the server gets."""

import hashlib
import re
import shutil
from collections import Counter

import pytest

from ganzoo.errors import HubError
from ganzoo.hub import budget
from helpers import hub_server
from helpers.bundles import finish_card
from helpers.hub_client import IMPATIENT, SELECTIVE, HubClient
from helpers.hub_server import TOKEN

pytestmark = pytest.mark.enable_socket

FAULTS = 40  # more than any number of tries
TRIES = 4


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    client = HubClient(server.endpoint, tmp_path_factory.mktemp("client"), HF_TOKEN=TOKEN)
    client.run(IMPATIENT)
    yield client
    client.stop()


@pytest.fixture(scope="module")
def hasty(server, tmp_path_factory):
    """A client that waits for half a second in all, if `limit` names the request."""
    folder, limit = tmp_path_factory.mktemp("hasty"), {"GANZOO_HUB_TIMEOUT": "0.5"}
    client = HubClient(server.endpoint, folder, HF_TOKEN=TOKEN, HF_HUB_ETAG_TIMEOUT="9", **limit)
    client.run(IMPATIENT + SELECTIVE)
    yield client
    client.stop()


@pytest.fixture
def bundle(tiny_bundle, tmp_path):
    path = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    finish_card(path)
    return path


@pytest.fixture
def repository(server, tiny_bundle, request):
    server.reset()
    paths = (p for p in tiny_bundle.rglob("*") if p.is_file())
    files = {p.relative_to(tiny_bundle).as_posix(): p.read_bytes() for p in paths}
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    return server.add(f"org/{name}", files)


def tries(server, request, faults=FAULTS):
    """Return how many of the planned faults happened."""
    return faults - sum(fault[0] == request for fault in server.faults)


def expect_limit(answer, seconds="15"):
    assert "HubError" in (answer.error or []), answer.err
    limit = f"ganzoo gives up after {seconds} seconds without progress; GANZOO_HUB_TIMEOUT sets"
    assert limit in answer.text


@pytest.mark.parametrize(
    "request_",
    ["POST .*/preupload/", "POST .*/commit/", "PUT /storage", "POST .*/batch", "GET .*/tree/"],
)
def test_a_server_that_fails_for_long_is_pushed_to_four_times(
    server, repository, client, bundle, request_
):
    server.storage.clear()  # what is stored already is not sent
    server.plan(request_, *[hub_server.status(500)] * FAULTS)
    expect_limit(client.push(bundle, f"{repository.name}-new"))
    if request_.startswith("PUT"):  # of two files at the same time; one may fail before the other
        sent = Counter(request for request in server.requests if request.startswith("PUT"))
        assert TRIES <= sum(sent.values()) == tries(server, request_)
        assert max(sent.values()) <= TRIES
        request_ = "POST .*/batch"
    assert sum(bool(re.match(request_, request)) for request in server.requests) == TRIES


@pytest.mark.parametrize("fault", [hub_server.status(503), hub_server.reset])
def test_a_server_that_fails_for_long_is_searched_four_times(server, repository, client, fault):
    server.plan("GET .*/api/models", *[fault] * FAULTS)
    expect_limit(client.run("from ganzoo.hub import search; search()"))
    assert tries(server, "GET .*/api/models") == TRIES


@pytest.mark.parametrize("request_", ["HEAD .*config", "GET .*SHA256SUMS"])
@pytest.mark.parametrize("fault", [hub_server.status(500), hub_server.reset])
def test_what_always_fails_is_asked_for_four_times(server, repository, client, request_, fault):
    server.plan(request_, *[fault] * FAULTS)
    expect_limit(client.load(f"hf://{repository.name}"))
    assert tries(server, request_) == TRIES


@pytest.mark.parametrize(
    ("fault", "count"), [(hub_server.cut(0), TRIES), (hub_server.closed(0), 1)]
)
def test_a_download_that_always_breaks_off_ends_in_time(server, repository, hasty, fault, count):
    """If the connection is closed, the client waits a second, which is longer than the limit."""
    hasty.limit("no request")
    server.plan("GET /storage/", *[fault] * FAULTS)
    expect_limit(hasty.load(f"hf://{repository.name}"), "0.5")
    assert tries(server, "GET /storage/") == count


def test_a_download_that_breaks_off_later_each_time_goes_on(server, repository, client):
    server.plan("GET /storage/", *[hub_server.cut(1000)] * 3)
    assert client.load(f"hf://{repository.name}").error is None
    assert server.faults == []


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        ("HEAD .*config", hub_server.hang),
        ("GET .*SHA256SUMS", hub_server.hang),
        ("GET /storage/", hub_server.hang),
        ("GET /storage/", hub_server.hang_after(1000)),
    ],
)
def test_a_server_that_does_not_answer(server, repository, hasty, request_, fault):
    server.plan(request_, fault)
    hasty.limit(request_)
    expect_limit(hasty.load(f"hf://{repository.name}"), "0.5")
    assert server.faults == []


@pytest.mark.parametrize("request_", ["GET .*/whoami", "POST .*/create", "POST .*/commit/"])
def test_a_push_that_is_not_answered(server, repository, hasty, bundle, request_):
    server.plan(request_, *[hub_server.hang] * FAULTS)
    hasty.limit(request_)
    expect_limit(hasty.push(bundle, f"{repository.name}-new"), "0.5")
    assert tries(server, request_) == 1


def test_requests_of_other_threads_stay_as_they_are(server, repository, hasty):
    """The session belongs to the whole process: its other users wait as long as they like."""
    server.plan("GET .*/other", hub_server.late(1))
    hasty.limit("GET .*/other")
    answer = hasty.run(
        "import threading\n"
        "from huggingface_hub import get_session\n"
        "from ganzoo.hub.client import connect\n"
        "begin, statuses = threading.Event(), []\n"
        "def request():\n"
        "    begin.wait(30)\n"
        f"    statuses.append(get_session().get('{server.endpoint}/other', timeout=9).status_code)\n"
        "thread = threading.Thread(target=request)\n"
        "thread.start()\n"
        "with connect():\n"
        "    begin.set()\n"
        "    thread.join()\n"
        "value = statuses\n"
    )
    assert answer.value == [404], answer.err


def test_the_client_asks_for_nothing_of_its_own_accord(server, repository, client):
    assert client.load(f"hf://{repository.name}").error is None
    assert not [request for request in server.requests if "agent" in request]


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan"])
def test_a_limit_that_is_no_time(monkeypatch, text):
    monkeypatch.setenv("GANZOO_HUB_TIMEOUT", text)
    with pytest.raises(HubError, match=f"GANZOO_HUB_TIMEOUT is '{text}'.* Set one, such as 60"):
        budget.limit()


def test_only_new_bytes_are_progress(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])
    limit = budget.Budget(10)
    now[0] = 6
    limit.reach("GET /file", 500)
    assert limit.left == 10
    now[0] = 12
    limit.reach("GET /file", 500)
    assert limit.left == 4, "an earlier try got as far"
    limit.reach("GET /other", 1)
    assert limit.left == 10
    now[0] = 30
    assert limit.left == 0
