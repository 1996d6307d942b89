"""Mutations of what programs wrote: the ping's transcript, the guests' logs, the record of HTTP requests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from viplab.ground_truth.mutations.mutation import Change, Mutation
from viplab.run_folder import TrialFolder

S = 1_000_000_000
Lines = list[str]
Requests = list[dict[str, Any]]
_REPLY = re.compile(r"icmp_(?:req|seq)=(\d+)")
_LOGS = ("messages.log", "precise.log")


def _transcript(edit: Callable[[Lines], Lines]) -> Change:
    def change(folder: TrialFolder) -> None:
        lines = folder.ping.read_text(encoding="utf-8").splitlines(keepends=True)
        folder.ping.write_text("".join(edit(lines)), encoding="utf-8")

    return change


def _replies(edit: Callable[[list[str]], list[str]]) -> Callable[[Lines], Lines]:
    """The replies made anew, the rest as it is."""

    def change(lines: Lines) -> Lines:
        replies = [line for line in lines if _REPLY.search(line)]
        return [lines[0], *edit(replies), *(line for line in lines[1:] if not _REPLY.search(line))]

    return change


def _renumbered(replies: list[str]) -> list[str]:
    return [_REPLY.sub(lambda match: match[0].replace(match[1], str(int(match[1]) + 3)), line) for line in replies]


def _slower(replies: list[str]) -> list[str]:
    return [reply.replace("time=", "time=9") for reply in replies]


def _fewer(lines: Lines, by: int) -> Lines:
    return [re.sub(r"(\d+) received", lambda match: f"{int(match[1]) - by} received", line) for line in lines]


def _three_fewer(lines: Lines) -> Lines:
    return _fewer(_replies(lambda replies: replies[3:])(lines), 3)


_PING: tuple[tuple[str, Change], ...] = (
    ("gone", lambda folder: folder.ping.unlink()),
    ("emptied", _transcript(lambda lines: [])),
    ("its second half cut off", _transcript(lambda lines: lines[: len(lines) // 2])),
    ("its statistics cut off", _transcript(lambda lines: lines[:-4])),
    ("its last line cut off", _transcript(lambda lines: lines[:-1])),
    ("three replies gone", _transcript(_replies(lambda replies: replies[3:]))),
    ("three replies gone, and the count with them", _transcript(_three_fewer)),
    ("replies renumbered", _transcript(_replies(_renumbered))),
    ("replies took longer", _transcript(_replies(_slower))),
    ("replies twice", _transcript(_replies(lambda replies: [*replies, *replies]))),
    ("statistics say two fewer", _transcript(lambda lines: _fewer(lines, 2))),
)


def _log(host: str, edit: Callable[[Lines], Lines]) -> Change:
    def change(folder: TrialFolder) -> None:
        for name in _LOGS:
            path = folder.host(host, name)
            if path.exists():
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                path.write_text("".join(edit(lines)), encoding="utf-8")

    return change


def _later(seconds: int) -> Callable[[Lines], Lines]:
    def moved(line: str) -> str:
        stamp, _, rest = line.partition(" ")
        try:
            return f"{(datetime.fromisoformat(stamp) + timedelta(seconds=seconds)).isoformat()} {rest}"
        except ValueError:
            return line

    return lambda lines: [moved(line) for line in lines]


def _logs_exchanged(folder: TrialFolder) -> None:
    for name in _LOGS:
        a, b = folder.host("A", name), folder.host("B", name)
        if a.exists() and b.exists():
            a_text, b_text = a.read_bytes(), b.read_bytes()
            a.write_bytes(b_text)
            b.write_bytes(a_text)


_LOG: tuple[tuple[str, Change], ...] = (
    ("of B emptied", _log("B", lambda lines: [])),
    ("of B ends halfway", _log("B", lambda lines: lines[: len(lines) // 2])),
    ("of B without the line that says master", _log("B", lambda lines: [x for x in lines if "MASTER STATE" not in x])),
    ("of B 3 s later", _log("B", _later(3))),
    ("of A and B exchanged", _logs_exchanged),
)


def _http(edit: Callable[[Requests], Requests]) -> Change:
    def change(folder: TrialFolder) -> None:
        if folder.http.exists():
            requests = [json.loads(line) for line in folder.http.read_text(encoding="utf-8").splitlines()]
            folder.http.write_text("".join(json.dumps(one) + "\n" for one in edit(requests)), encoding="utf-8")

    return change


def _http_gone(folder: TrialFolder) -> None:
    folder.http.unlink(missing_ok=True)


def _failed(request: dict[str, Any]) -> dict[str, Any]:
    return request | {"error": "timeout", "host": None, "connect_ns": None}


def _answered(request: dict[str, Any]) -> dict[str, Any]:
    return request | {"error": None, "host": request["host"] or "B"}


def _moved(by_ns: int) -> Callable[[Requests], Requests]:
    return lambda requests: [
        one | {"due_ns": one["due_ns"] + by_ns, "sent_ns": one["sent_ns"] + by_ns} for one in requests
    ]


def _exchanged(requests: Requests) -> Requests:
    other = {"A": "B", "B": "A", None: None}
    return [one | {"host": other[one["host"]]} for one in requests]


_HTTP: tuple[tuple[str, Change], ...] = (
    ("gone", _http_gone),
    ("its second half cut off", _http(lambda requests: requests[: len(requests) // 2])),
    ("every second request gone", _http(lambda requests: requests[::2])),
    ("every request twice", _http(lambda requests: [one for one in requests for _ in range(2)])),
    ("1 s later", _http(_moved(S))),
    ("1 s earlier", _http(_moved(-S))),
    ("every request answered", _http(lambda requests: [_answered(one) for one in requests])),
    ("the last forty failed", _http(lambda requests: [*requests[:-40], *(_failed(one) for one in requests[-40:])])),
    ("A and B exchanged", _http(_exchanged)),
)


def _of(part: str, changes: tuple[tuple[str, Change], ...]) -> Iterator[Mutation]:
    for name, change in changes:
        yield Mutation(part, name, change)


MUTATIONS = (*_of("ping's transcript", _PING), *_of("log", _LOG), *_of("http.jsonl", _HTTP))
