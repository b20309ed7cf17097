"""A model hub on loopback with the Hub's protocol, for its real client, with planned faults.

Spaces are its repositories "spaces/org/name", datasets "datasets/org/name".

A test plans faults by method and path; each affects one matching request.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_atokenforthetests"
LARGE = (".safetensors", ".onnx")  # files in the Hub's large file storage
SIGNATURE = "Signature=signedandsecret"

Fault = Callable[["Handler"], bool]


def blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass
class Commit:
    files: dict[str, bytes]
    title: str = "initial commit"
    oid: str = ""


@dataclass
class Repository:
    name: str
    private: bool = False
    gated: bool = False
    disabled: bool = False
    commits: list[Commit] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], title: str = "", branch: str = "main") -> str:
        """Add a commit to a branch and return its hash."""
        oid = hashlib.sha1(f"{self.name} {len(self.commits)} {title}".encode()).hexdigest()
        self.commits.append(Commit(files, title, oid))
        self.branches[branch] = oid
        return oid

    def find(self, revision: str) -> Commit | None:
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        return next((commit for commit in self.commits if commit.oid == oid), None)

    @property
    def head(self) -> Commit:
        commit = self.find("main")
        assert commit
        return commit


class HubServer:
    """The server; `requests` are those it had, as "METHOD path", `faults` those to come."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.storage: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.authorized: list[bool] = []
        self.ranges: list[str] = []  # requested byte ranges
        self.agents: set[str] = set()
        self.faults: list[tuple[str, re.Pattern[str], Fault]] = []
        self.released = threading.Event()  # releases hanging requests
        self.waiting = threading.Event()  # a request hangs
        self.lock = threading.RLock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.hub = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def storage_endpoint(self) -> str:
        """The URL of the storage, on another host than the endpoint, like the Hub's."""
        return f"http://localhost:{self.port}"

    def add(self, name: str, files: dict[str, bytes], **how: Any) -> Repository:
        repository = Repository(name, **how)
        repository.commit({".gitattributes": b"*.onnx filter=lfs\n"}, "initial commit")
        repository.commit({**repository.head.files, **files}, "by hand")
        self.repositories[name] = repository
        return repository

    def plan(self, request: str, *faults: Fault) -> None:
        """Plan faults for the next requests that match "METHOD path", a regular expression."""
        self.faults += [(request, re.compile(request), fault) for fault in faults]

    def reset(self) -> None:
        """Clear requests and planned faults."""
        self.released.set()
        self.released, self.waiting = threading.Event(), threading.Event()
        self.requests.clear()
        self.ranges.clear()
        self.authorized.clear()
        self.faults.clear()

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A head and a body are two writes: together, the second would wait for the client's late ACK.
    disable_nagle_algorithm = True
    hub: HubServer
    body: bytes
    dropped = False  # the answer is not to be sent
    spoil: Callable[[bytes], bytes] | None = None  # of the content of a file
    cut: int | None = None  # bytes of a content after which the connection breaks
    closes = False  # and is not reset
    etag: str | None = None
    commit: str | None = None  # reported instead of the real commit

    def do_GET(self) -> None:
        self.hub = self.server.hub  # type: ignore[attr-defined]
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        self.dropped, self.spoil, self.cut, self.etag, self.commit = False, None, None, None, None
        self.closes = False
        path = unquote(self.path)
        request = f"{self.command} {path}"
        with self.hub.lock:
            self.hub.requests.append(request)
            self.hub.authorized.append("Authorization" in self.headers)
            self.hub.agents.add(self.headers.get("User-Agent", ""))
            fault = next((f for f in self.hub.faults if f[1].search(request)), None)
            if fault:
                self.hub.faults.remove(fault)
        if fault and fault[2](self):
            return
        address = urlsplit(self.path)
        parts = [unquote(part) for part in address.path.strip("/").split("/")]
        with self.hub.lock:
            self._route(parts, parse_qs(address.query))

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *arguments: Any) -> None:
        pass

    # Responses of the routes.

    def answer(
        self, status: int, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        if self.dropped:
            return self.break_off()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return None
        if self.cut is not None:
            self.wfile.write(content[: self.cut])
            self.wfile.flush()
            time.sleep(0.05)  # so that the client has read it
            return self.close_early() if self.closes else self.break_off()
        self.wfile.write(content)
        return None

    def json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        kind = {"Content-Type": "application/json", **(headers or {})}
        self.answer(status, json.dumps(value).encode(), kind)

    def refuse(self, status: int, code: str = "", message: str = "", **headers: str) -> None:
        extra = {"X-Error-Code": code} if code else {}
        if message:
            extra["X-Error-Message"] = message
        extra |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.json(status, {"error": message or str(status)}, extra)

    def close_early(self) -> None:
        """Close the connection cleanly, before the whole response was sent."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def break_off(self) -> None:
        """Reset the connection."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    # The protocol.

    def _route(self, parts: list[str], query: dict[str, list[str]]) -> None:
        bearer = self.headers.get("Authorization")
        if bearer and bearer != f"Bearer {TOKEN}":
            return self.refuse(401, message="Invalid credentials in Authorization header")
        match self.command, parts:
            case "HEAD" | "GET", [""]:
                return self.answer(200)
            case "GET", ["api", "whoami-v2"]:
                if not bearer:
                    return self.refuse(401, message="Invalid username or password.")
                return self.json(200, {"name": "org", "type": "user", "orgs": [], "auth": {}})
            case "POST", ["api", "validate-yaml"]:
                return self.json(200, {"errors": [], "warnings": []})
            case "POST", ["api", "repos", "create"]:
                return self._create()
            case "GET", ["api", "models"]:
                return self._list(query)
            case _, ["api", "models", org, name, *rest]:
                return self._about(f"{org}/{name}", rest)
            case _, ["api", "spaces", org, name, *rest]:
                return self._about(f"spaces/{org}/{name}", rest)
            case _, ["api", "datasets", org, name, *rest]:
                return self._about(f"datasets/{org}/{name}", rest)
            case "POST", [org, git, "info", "lfs", "objects", "batch"]:
                return self._batch(f"{org}/{git.removesuffix('.git')}")
            case "PUT", ["storage", oid]:
                self.hub.storage[oid] = self.body
                return self.answer(200)
            case "POST", ["storage", "verify"]:
                request = json.loads(self.body)
                there = self.hub.storage.get(request["oid"])
                return self.answer(200 if there and len(there) == request["size"] else 404)
            case "GET" | "HEAD", ["storage", oid]:
                return self._send(self.hub.storage[oid], {"ETag": f'"{oid}"'})
            case "GET" | "HEAD", ["spaces", org, name, "resolve", revision, *path]:
                return self._resolve(f"spaces/{org}/{name}", revision, "/".join(path))
            case "GET" | "HEAD", ["datasets", org, name, "resolve", revision, *path]:
                return self._resolve(f"datasets/{org}/{name}", revision, "/".join(path))
            case "GET" | "HEAD", [org, name, "resolve", revision, *path]:
                return self._resolve(f"{org}/{name}", revision, "/".join(path))
        return self.refuse(404, message="Not Found")

    def _open(self, name: str, *, writing: bool = False) -> Repository | None:
        """The repository, None after a refusal."""
        bearer = "Authorization" in self.headers
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not bearer) or (writing and not bearer):
            # Like the Hub: anonymous users do not learn which repositories exist.
            self.refuse(404 if bearer else 401, "RepoNotFound", "Repository not found")
            return None
        if repository.disabled:
            self.refuse(403, message="Access to this resource is disabled.")
            return None
        if repository.gated and not writing:
            self.refuse(403 if bearer else 401, "GatedRepo", f"Access to {name} is restricted.")
            return None
        return repository

    def _create(self) -> None:
        request = json.loads(self.body)
        name = f"{request.get('organization') or 'org'}/{request['name']}"
        if request.get("organization") not in (None, "org"):
            return self.refuse(403, message="You don't have the rights to create a model there")
        if request.get("type") == "space":
            if request.get("sdk") not in ("gradio", "docker", "static"):
                return self.refuse(400, message="A Space needs an sdk")
            name = f"spaces/{name}"
        entry = {"url": f"{self.hub.endpoint}/{name}", "name": name, "id": name}
        if name in self.hub.repositories:
            return self.json(409, {"error": "You already created this model repo", **entry})
        private = request.get("private") or request.get("visibility") == "private"
        repository = Repository(name, private=bool(private))
        repository.commit({".gitattributes": b"*.onnx filter=lfs\n"}, "initial commit")
        self.hub.repositories[name] = repository
        return self.json(200, entry)

    def _list(self, query: dict[str, list[str]]) -> None:
        assert query["filter"] == ["ganzoo"]
        entries = [
            {"id": r.name, "downloads": 7, "lastModified": "2026-01-02T03:04:05.000Z", "tags": []}
            for r in self.hub.repositories.values()
            if b"library_name: ganzoo" in r.head.files.get("README.md", b"")
        ]
        return self.json(200, entries)

    def _about(self, name: str, rest: list[str]) -> None:
        writing = bool(rest) and rest[0] in {"preupload", "commit", "branch", "tag"}
        repository = self._open(name, writing=writing)
        if repository is None:
            return None
        if rest == ["refs"]:
            return self.json(
                200,
                {
                    kind: [
                        {"name": k, "ref": f"refs/{k}", "targetCommit": v} for k, v in refs.items()
                    ]
                    for kind, refs in (
                        ("branches", repository.branches),
                        ("tags", repository.tags),
                        ("converts", {}),
                    )
                },
            )
        if rest[:1] == ["branch"]:
            if rest[1] in repository.branches:
                return self.refuse(409, message="Branch already exists")
            repository.branches[rest[1]] = repository.head.oid
            return self.json(200, {})
        commit = repository.find(rest[1] if len(rest) > 1 else "main")
        if commit is None:
            return self.refuse(404, "RevisionNotFound", "Invalid rev id")
        match self.command, rest[:1]:
            case "GET", [] | ["revision"]:
                return self.json(
                    200,
                    {
                        "id": name.removeprefix("spaces/").removeprefix("datasets/"),
                        "sha": commit.oid,
                        "private": repository.private,
                        "siblings": [{"rfilename": path} for path in commit.files],
                        "tags": [],
                    },
                )
            case "GET", ["tree"]:
                return self.json(200, [_entry(*file) for file in sorted(commit.files.items())])
            case "POST", ["preupload"]:
                return self._preupload(commit)
            case "POST", ["commit"]:
                return self._commit(repository, rest[1], commit)
            case "POST", ["tag"]:
                tag = json.loads(self.body)["tag"]
                if tag in repository.tags:
                    return self.refuse(409, message="Tag already exists")
                repository.tags[tag] = commit.oid
                return self.json(200, {})
        return self.refuse(404, message="Not Found")

    def _preupload(self, commit: Commit) -> None:
        files = []
        for item in json.loads(self.body)["files"]:
            path = item["path"]
            content = commit.files.get(path)
            large = path.endswith(LARGE)
            oid = None
            if content is not None:
                oid = hashlib.sha256(content).hexdigest() if large else blob_id(content)
            mode = "lfs" if large else "regular"
            files.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return self.json(200, {"files": files})

    def _batch(self, name: str) -> None:
        if self._open(name, writing=True) is None:
            return None
        objects = []
        for item in json.loads(self.body)["objects"]:
            entry: dict[str, Any] = {"oid": item["oid"], "size": item["size"]}
            if item["oid"] not in self.hub.storage:
                storage = f"{self.hub.storage_endpoint}/storage"
                entry["actions"] = {
                    "upload": {"href": f"{storage}/{item['oid']}?{SIGNATURE}"},
                    "verify": {"href": f"{self.hub.endpoint}/storage/verify"},
                }
            objects.append(entry)
        return self.json(200, {"transfer": "basic", "objects": objects})

    def _commit(self, repository: Repository, branch: str, head: Commit) -> None:
        if branch not in repository.branches:
            return self.refuse(404, "RevisionNotFound", "Invalid rev id")
        lines = [json.loads(line) for line in self.body.splitlines()]
        files, title = dict(head.files), ""
        for line in lines:
            value = line["value"]
            match line["key"]:
                case "header":
                    title = value["summary"]
                    if value.get("parentCommit") not in (None, head.oid):
                        return self.refuse(412, message="A commit has happened since.")
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    files[value["path"]] = self.hub.storage[value["oid"]]
                case "deletedFile":
                    del files[value["path"]]
        oid = repository.commit(files, title, branch)
        url = f"{self.hub.endpoint}/{repository.name}/commit/{oid}"
        return self.json(200, {"success": True, "commitOid": oid, "commitUrl": url})

    def _resolve(self, name: str, revision: str, path: str) -> None:
        repository = self._open(name)
        if repository is None:
            return None
        commit = repository.find(revision)
        if commit is None:
            return self.refuse(404, "RevisionNotFound", "Invalid rev id")
        headers = {"X-Repo-Commit": self.commit or commit.oid}
        content = commit.files.get(path)
        if content is None:
            return self.refuse(404, "EntryNotFound", "Entry not found", **headers)
        if not path.endswith(LARGE):
            return self._send(content, headers | {"ETag": f'"{self.etag or blob_id(content)}"'})
        oid = hashlib.sha256(content).hexdigest()
        self.hub.storage[oid] = content
        linked = {
            "X-Linked-Etag": f'"{self.etag or oid}"',
            "X-Linked-Size": str(len(content)),
            "Location": f"{self.hub.storage_endpoint}/storage/{oid}?{SIGNATURE}",
        }
        return self.answer(302, b"", headers | linked)

    def _send(self, content: bytes, headers: dict[str, str]) -> None:
        byte_range = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if self.spoil and self.command == "GET":
            content = self.spoil(content)
        headers |= {"Accept-Ranges": "bytes"}
        if byte_range and self.command == "GET":
            self.hub.ranges.append(byte_range[0])
            start, end = int(byte_range[1]), int(byte_range[2] or len(content) - 1)
            part = content[start : end + 1]
            span = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(content)}"}
            return self.answer(206, part, headers | span)
        return self.answer(200, content, headers | {"Content-Length": str(len(content))})


def _entry(path: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content)}
    if path.endswith(LARGE):
        oid = hashlib.sha256(content).hexdigest()
        pointer = f"version 1\noid sha256:{oid}\nsize {len(content)}\n".encode()
        lfs = {"oid": oid, "size": len(content), "pointerSize": len(pointer)}
        return entry | {"oid": blob_id(pointer), "lfs": lfs}
    return entry | {"oid": blob_id(content)}


# Faults: each returns whether it has answered the request.


def status(code: int, **headers: str) -> Fault:
    """Answer with an error status."""

    def fault(handler: Handler) -> bool:
        handler.refuse(code, message=f"planned {code}", **headers)
        return True

    return fault


def reset(handler: Handler) -> bool:
    """Reset the connection before the request is processed."""
    handler.break_off()
    return True


def lost(handler: Handler) -> bool:
    """Process the request, and reset the connection without an answer."""
    handler.dropped = True
    return False


def cut(after: int) -> Fault:
    """Reset the connection in the middle of a file."""

    def fault(handler: Handler) -> bool:
        handler.cut = after
        return False

    return fault


def closed(after: int) -> Fault:
    """Close the connection in the middle of a file, like a proxy at its limit."""

    def fault(handler: Handler) -> bool:
        handler.cut, handler.closes = after, True
        return False

    return fault


def late(seconds: float) -> Fault:
    """Answer late."""

    def fault(handler: Handler) -> bool:
        time.sleep(seconds)
        return False

    return fault


def hang(handler: Handler) -> bool:
    """Do not answer until the server is reset."""
    released = handler.hub.released
    handler.hub.waiting.set()
    released.wait(60)
    handler.break_off()
    return True


def hang_after(count: int) -> Fault:
    """Send the beginning of a file, and then nothing until the server is reset."""

    def fault(handler: Handler) -> bool:
        released = handler.hub.released
        content = handler.hub.storage[urlsplit(handler.path).path.rpartition("/")[2]]
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:count])
        handler.wfile.flush()
        handler.hub.waiting.set()
        released.wait(60)
        handler.break_off()
        return True

    return fault


def flip(handler: Handler) -> bool:
    """Change one bit of a file of the same length; a hexadecimal digit can stay one."""
    return _flip(handler, 0b0000_0001)


def flip_to_binary(handler: Handler) -> bool:
    """Change one bit of a text file, so that it is not UTF-8."""
    return _flip(handler, 0b1000_0000)


def _flip(handler: Handler, bit: int) -> bool:
    handler.spoil = lambda content: (
        content[: len(content) // 2]
        + bytes([content[len(content) // 2] ^ bit])
        + content[len(content) // 2 + 1 :]
    )
    return False


def with_etag(etag: str) -> Fault:
    """Report another ETag of a file."""

    def fault(handler: Handler) -> bool:
        handler.etag = etag
        return False

    return fault


def of_commit(commit: str) -> Fault:
    """Report another commit of a file."""

    def fault(handler: Handler) -> bool:
        handler.commit = commit
        return False

    return fault


def strange(value: Any) -> Fault:
    """Answer with JSON that the protocol does not have."""

    def fault(handler: Handler) -> bool:
        handler.json(200, value)
        return True

    return fault


def echo(handler: Handler) -> bool:
    """Answer with an error that quotes the request and its token."""
    handler.refuse(403, message=f"not with Authorization: {handler.headers['Authorization']}")
    return True


def portal(handler: Handler) -> bool:
    """Answer every request with a login page, like a captive portal."""
    handler.answer(200, b"<html>Log in</html>", {"Content-Type": "text/html"})
    return True
