"""The runs of this machine in a browser: read-only, on loopback only, from the standard library's server.

What a run folder holds came from guests. So nothing but the report's own pages is ever sent as HTML, a path leads to a
regular file inside its run's folder, with no link on the way, or nowhere, and requests that name another host than this
one are refused: a page out there that makes its name point at 127.0.0.1 (DNS rebinding) reads nothing here.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

from viplab.analysis.summary import Summary
from viplab.errors import HostError, InputError
from viplab.regular_files import open_regular
from viplab.report import run_index
from viplab.report.text import visible
from viplab.run_folder import RunFolder

ADDRESS = "127.0.0.1"
_PAGE = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_READABLE = {".txt", ".log", ".json", ".jsonl", ".yaml", ".conf", ".html"}
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""For files on disk: a page's own policy, by the hash of its own style sheet, applies besides."""

Runs = Callable[[], list[RunFolder]]


class RefusedError(Exception):
    """A request that gets an error: its status, and the reason as a sentence."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def server(runs: Runs, port: int) -> ThreadingHTTPServer:
    """A server that answers on loopback; `runs` gives the runs, newest first, at each request.

    Raises:
        HostError: the port is taken, or not ours to take.
    """
    try:
        return _Server((ADDRESS, port), partial(_Handler, runs))
    except OSError as error:
        raise HostError(f"{ADDRESS}:{port}: {error.strerror}; --port chooses another, 0 any that is free") from None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say what did not work in one line; one who went away before the answer is no matter."""
        error = sys.exception()
        if not isinstance(error, OSError):
            sys.stderr.write(f"viplab: a request could not be answered ({type(error).__name__}: {error})\n")


class _Handler(BaseHTTPRequestHandler):
    """One request. Only GET and HEAD have a method here; the base class answers 501 to all others."""

    server_version = "viplab"
    sys_version = ""
    timeout = 30

    def __init__(self, runs: Runs, *args: object) -> None:
        self._runs = runs
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer with a page or a file."""
        try:
            self._check_host()
            self._answer()
        except RefusedError as refusal:
            self._send(f"{refusal}\n", _TEXT, refusal.status)
        except InputError as error:
            self._send(f"{visible(str(error))}\n", _TEXT, HTTPStatus.NOT_FOUND)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the one who reads is the one who asked."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses, in plain text and with our headers."""
        self._send(f"{message or HTTPStatus(code).phrase}\n", _TEXT, HTTPStatus(code))

    def _check_host(self) -> None:
        port = self.connection.getsockname()[1]
        if self.headers.get("Host", "") not in (f"{ADDRESS}:{port}", f"localhost:{port}"):
            raise RefusedError(HTTPStatus.FORBIDDEN, f"this server is http://{ADDRESS}:{port}/ and nothing else")

    def _answer(self) -> None:
        try:
            url = urlsplit(self.path)
        except ValueError:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "this is no address; / lists the runs") from None
        parts = [unquote(part) for part in url.path.split("/")[1:]]
        match parts:
            case [""]:
                self._send(run_index.index_page([run_index.indexed(run) for run in self._runs()]), _PAGE)
            case ["compare"]:
                asked = parse_qs(url.query)
                base, new = (self._summary(asked.get(name, [""])[-1]) for name in ("base", "new"))
                self._send(run_index.comparison_page(base, new), _PAGE)
            case ["runs", name, *path]:
                self._send_file(self._run(name), path)
            case _:
                raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such page; / lists the runs")

    def _run(self, name: str) -> RunFolder:
        for run in self._runs():
            if run.path.name == name:
                return run
        raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such run; / lists those that are here")

    def _summary(self, name: str) -> Summary:
        found = run_index.read_summary(self._run(name))
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"run {visible(name)} has no summary; `viplab analyze` writes it")
        return found

    def _send_file(self, run: RunFolder, parts: list[str]) -> None:
        path = run.path.joinpath(*parts)
        file = _opened(run.path, path, parts)
        if file is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such file in this run")
        is_page = path == run.report or (path.suffix == ".html" and path.parent == run.site)
        kind = _PAGE if is_page else _TEXT if path.suffix in _READABLE else "application/octet-stream"
        with file:
            self._head(HTTPStatus.OK, kind, os.fstat(file.fileno()).st_size, _REPORT_POLICY)
            if self.command != "HEAD":
                shutil.copyfileobj(file, self.wfile)

    def _send(self, text: str, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        body = text.encode(errors="backslashreplace")
        self._head(status, kind, len(body), f"{run_index.served_policy()}; frame-ancestors 'none'")
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: HTTPStatus, kind: str, size: int, policy: str) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(size)),
            ("Content-Security-Policy", policy),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()


def _opened(root: Path, path: Path, parts: list[str]) -> BinaryIO | None:
    """The regular file that a path of plain names leads to inside the folder, None where there is none or a link."""
    if any(part in ("", ".", "..") or "/" in part or "\\" in part or "\0" in part for part in parts):
        return None
    try:
        return open_regular(root, path)
    except InputError:
        return None
