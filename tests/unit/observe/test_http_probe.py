"""The HTTP prober against servers on the loopback that answer as they are told, each request exactly once."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from viplab.observe import http_probe
from viplab.observe.http_probe import Asker
from viplab.types import HttpRequest

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nB\n"
HERE = "127.0.0.1"
VIA_A = ANSWER.replace(b"\r\n\r\n", b"\r\nVia: 1.1 A\r\n\r\n")


@contextmanager
def server(answer: Callable[[socket.socket, bytes], object]) -> Iterator[int]:
    """Calls `answer` with the connection and what was asked, once a request."""

    def serve(line: socket.socket) -> None:
        with line, suppress(OSError):
            while asked := line.recv(4096):
                if answer(line, asked) is None:
                    return

    def accept() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(line,), daemon=True).start()

    with socket.create_server((HERE, 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def asked(
    port: int,
    requests: int,
    interval_ns: int = 1_000_000,
    until: Callable[[list[HttpRequest]], bool] | None = None,
    kept: int = 1,
) -> list[HttpRequest]:
    """What came of so many requests of either kind, or of as many as there were when `until` held."""
    lines: list[HttpRequest] = []

    def write(line: dict[str, Any]) -> None:
        lines.append(HttpRequest.model_validate(line))
        asker.stopped = until is not None and until(lines)

    asker = Asker((HERE, port), HERE, interval_ns, write, kept)
    asker.until_stopped(requests)
    assert asker.account()["sent"] == len(lines)
    return lines


def answered(connection: str, times: int) -> Callable[[list[HttpRequest]], bool]:
    return lambda lines: sum(line.error is None for line in of(connection, lines)) >= times


def of(connection: str, lines: list[HttpRequest]) -> list[HttpRequest]:
    return [line for line in lines if line.connection == connection]


def well(line: socket.socket, _: bytes) -> bool:
    line.sendall(ANSWER)
    return True


def reset(line: socket.socket, _: bytes) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_each_number_is_asked_once_over_a_new_connection_and_due_an_interval_after_the_last() -> None:
    with server(well) as port:
        lines = of("new", asked(port, 10**5, until=answered("new", 20)))
    assert len({line.n for line in lines}) == len(lines)
    assert len({line.due_ns - line.n * 1_000_000 for line in lines}) == 1
    done = [line for line in lines if line.error is None]
    assert {line.host for line in done} == {"B"}
    assert all(line.connect_ns is not None and line.connect_ns <= line.total_ns for line in done)
    assert all(line.sent_ns >= line.due_ns - 1_000_000 for line in lines)


def test_the_kept_connection_is_one_and_asks_in_order() -> None:
    seen: dict[str, set[tuple[str, int]]] = {"new": set(), "kept": set()}

    def remember(line: socket.socket, request: bytes) -> bool:
        seen["kept" if request.startswith(b"GET /kept/") else "new"].add(line.getpeername())
        return well(line, request)

    with server(remember) as port:
        lines = of("kept", asked(port, 10**5, until=answered("kept", 20)))
    assert len(seen["kept"]) == 1
    assert len(seen["new"]) > 1
    numbers = [line.n for line in lines]
    assert numbers == sorted(set(numbers))
    assert [line.n for line in lines if line.connect_ns is not None] == [0]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reset, "reset"),
        (lambda line, _: None, "closed"),
        (lambda line, _: line.sendall(b"HTTP/1.1 404 Not Found\r\n\r\nno\n"), "garbled"),
        (lambda line, _: line.sendall(b"x" * 5000), "garbled"),
    ],
)
def test_what_stands_in_an_answer_s_place_is_named_and_a_broken_connection_is_not_made_again(
    answer: Callable[[socket.socket, bytes], object], error: str
) -> None:
    with server(answer) as port:
        lines = asked(port, 10**5, until=lambda lines: {"new", "kept"} == {line.connection for line in lines})
    assert of("new", lines)[0].error == error
    assert [(line.n, line.error) for line in of("kept", lines)] == [(0, error)]
    assert all(line.host is None for line in lines)


def test_connections_that_are_kept_take_turns_and_one_that_breaks_leaves_the_others() -> None:
    def answer(line: socket.socket, said: bytes) -> bool | None:
        asked_again = (found := re.match(rb"GET /kept/(\d+) ", said)) and int(found[1]) > 1 and int(found[1]) % 3 == 1
        return None if asked_again else well(line, said)

    def others_went_on(lines: list[HttpRequest]) -> bool:
        broken = [line.n for line in lines if line.error == "closed"]
        return bool(broken) and {line.line for line in of("kept", lines) if line.n > broken[0]} == {0, 2}

    with server(answer) as port:
        lines = of("kept", asked(port, 400, until=others_went_on, kept=3))
    assert all(line.line == line.n % 3 for line in lines)
    assert {line.n for line in lines if line.connect_ns is not None} == {0, 1, 2}
    ((broken, error),) = [(line.n, line.error) for line in lines if line.error not in (None, "unanswered")]
    assert error == "closed"
    assert max(line.n for line in lines if line.line == 1) == broken


def test_a_balancer_s_own_name_counts_and_not_that_of_the_host_behind_it() -> None:
    with server(lambda line, _: line.sendall(VIA_A) or True) as port:
        lines = asked(port, 200, until=answered("new", 3))
    assert {line.host for line in lines if line.error is None} == {"A"}


def test_a_port_where_nobody_listens_refuses() -> None:
    with socket.create_server((HERE, 0)) as closed:
        port = closed.getsockname()[1]
    lines = asked(port, 3, 20_000_000)
    assert {line.error for line in lines if line.n < 2} == {"refused"}  # nobody waits for the fate of the last one


def test_a_new_connection_is_given_up_and_the_kept_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_probe, "_TIMEOUT_NS", 30_000_000)
    with server(lambda line, _: True) as port:
        lines = asked(port, 8, 20_000_000)
    first = of("new", lines)[0]
    assert (first.n, first.error) == (0, "timeout")
    assert first.total_ns >= 30_000_000
    assert [(line.n, line.error) for line in of("kept", lines)] == [(0, "unanswered")]


def test_no_more_are_under_way_than_the_limit_and_the_others_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_probe, "IN_FLIGHT", 3)
    monkeypatch.setattr(http_probe, "_TIMEOUT_NS", 10**12)
    lines: list[dict[str, Any]] = []
    with server(lambda line, _: True) as port:
        asker = Asker((HERE, port), HERE, 1_000_000, lines.append)
        asker.until_stopped(10)
    # Three new ones and the kept one.
    assert (asker.account()["sent"], asker.account()["withheld"]) == (4, 7)
    assert {line["error"] for line in lines} == {"unanswered"}


def test_a_stop_is_heard_and_leaves_no_request_without_a_line() -> None:
    with server(lambda line, _: True) as port:
        lines = asked(port, 10**5, until=lambda lines: len(lines) >= 1)
    assert {line.error for line in lines} <= {"timeout", "unanswered"}
    assert len(lines) < 10**4
