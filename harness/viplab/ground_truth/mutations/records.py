"""Mutations of what the bench wrote down: the timeline, `trial.json`, the scenario."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from viplab.ground_truth.mutations.mutation import Change, Mutation, lines_of, write_lines
from viplab.run_folder import TrialFolder

S, MS = 1_000_000_000, 1_000_000
Line = dict[str, Any]
_OTHER = {"A": "B", "B": "A"}
_MOMENTS = ("t_ns", "before_ns", "after_ns", "realtime_ns")


def _timeline(edit: Callable[[list[Line]], list[Line]]) -> Change:
    def change(folder: TrialFolder) -> None:
        before = lines_of(folder)
        after = edit(before)
        if after != before:
            write_lines(folder, after)

    return change


def _each(kind: str, edit: Callable[[Line], Line]) -> Change:
    return _timeline(lambda lines: [edit(line) if line["event"] == kind else line for line in lines])


def _without(kind: str) -> Change:
    return _timeline(lambda lines: [line for line in lines if line["event"] != kind])


def _moved(by_ns: int) -> Callable[[Line], Line]:
    return lambda line: {
        key: value + by_ns if key in _MOMENTS and value is not None else value for key, value in line.items()
    }


def _set(**keys: Any) -> Callable[[Line], Line]:
    return lambda line: line | keys


def _steps_only(edit: Callable[[Line], Line]) -> Callable[[Line], Line]:
    return lambda line: edit(line) if line.get("phase", "steps") == "steps" else line


def _owners_exchanged(folder: TrialFolder) -> None:
    stations = folder.info().stations
    macs = {stations["A"].public_mac: stations["B"].public_mac, stations["B"].public_mac: stations["A"].public_mac}
    _each("owners", lambda line: line | {"macs": [macs.get(mac, mac) for mac in line["macs"]]})(folder)


def _both_own(folder: TrialFolder) -> None:
    macs = [folder.info().stations[host].public_mac for host in "AB"]
    _each("owners", _set(macs=macs))(folder)


def _hosts_exchanged(lines: list[Line]) -> list[Line]:
    return [line | {"host": _OTHER.get(str(line["host"]), line["host"])} if "host" in line else line for line in lines]


def _of_other(line: Line) -> Line:
    return line | {"host": _OTHER[line["host"]]}


def _fault_twice(lines: list[Line]) -> list[Line]:
    again = [_moved(S)(line) for line in lines if line["event"] == "fault_injected"]
    return sorted([*lines, *again], key=lambda line: int(line["t_ns"]))


_EVENTS: tuple[tuple[str, Change], ...] = (
    ("all of it 1 s later", _timeline(lambda lines: [_moved(S)(line) for line in lines])),
    ("all of it 0.2 s earlier", _timeline(lambda lines: [_moved(-200 * MS)(line) for line in lines])),
    ("ends halfway", _timeline(lambda lines: lines[: len(lines) // 2])),
    ("its first third gone", _timeline(lambda lines: lines[len(lines) // 3 :])),
    ("in the opposite order", _timeline(lambda lines: lines[::-1])),
    ("every line twice", _timeline(lambda lines: [line for line in lines for _ in range(2)])),
    ("A and B exchanged", _timeline(_hosts_exchanged)),
    ("fault 0.3 s earlier", _each("fault_injected", _steps_only(_moved(-300 * MS)))),
    ("fault 0.3 s later", _each("fault_injected", _steps_only(_moved(300 * MS)))),
    ("fault 30 s earlier", _each("fault_injected", _steps_only(_moved(-30 * S)))),
    ("fault gone", _without("fault_injected")),
    ("fault of another kind", _each("fault_injected", _steps_only(_set(kind="stop")))),
    ("fault of the other host", _each("fault_injected", _steps_only(_of_other))),
    ("fault twice", _timeline(_fault_twice)),
    ("marker of another name", _each("fault_injected", _set(marker="viplab:other"))),
    ("neighbour events gone", _without("neighbour")),
    ("neighbour events 0.1 s later", _each("neighbour", _moved(100 * MS))),
    ("neighbour events 1 s earlier", _each("neighbour", _moved(-S))),
    ("owner census gone", _without("owners")),
    ("owner census sees nobody", _each("owners", _set(macs=[]))),
    ("owner census sees both", _both_own),
    ("owner census exchanges A and B", _owners_exchanged),
    ("owner census 1 s later", _each("owners", _moved(S))),
    ("packet counts gone", _each("capture_stopped", _set(packets=None))),
    ("packet counts one more", _each("capture_stopped", lambda line: line | {"packets": line["packets"] + 1})),
    ("ends of the captures gone", _without("capture_stopped")),
    ("probe's account gone", _without("probe_stopped")),
    ("probe says that it sent fewer", _each("probe_stopped", lambda line: line | {"sent": line["sent"] // 2})),
    ("probe says another interval", _each("probe_stopped", lambda line: line | {"interval_s": 0.2})),
    ("HTTP probe's account gone", _without("http_stopped")),
    ("waits twice as long", _each("step_finished", lambda line: line | {"waited_s": line["waited_s"] * 2})),
    ("steps gone", _timeline(lambda lines: [line for line in lines if not line["event"].startswith("step_")])),
)  # fmt: skip


def _info(edit: Callable[[Line], Line]) -> Change:
    def change(folder: TrialFolder) -> None:
        path = folder.path / "trial.json"
        before = json.loads(path.read_text(encoding="utf-8"))
        after = edit(before)
        if after != before:
            path.write_text(json.dumps(after), encoding="utf-8")

    return change


def _stations_exchanged(keys: tuple[str, ...]) -> Callable[[Line], Line]:
    def edit(info: Line) -> Line:
        stations = info["stations"]
        a, b = stations["A"], stations["B"]
        exchanged = {"A": a | {key: b[key] for key in keys}, "B": b | {key: a[key] for key in keys}}
        return info | {"stations": stations | exchanged}

    return edit


def _nodes(edit: Callable[[str, Line, Line], Line]) -> Callable[[Line], Line]:
    return lambda info: (
        info | {"nodes": {host: edit(host, node, info["nodes"][_OTHER[host]]) for host, node in info["nodes"].items()}}
    )


_PUBLIC, _INTERCONNECT = ("public_mac", "public_ip"), ("interconnect_mac", "interconnect_ip")
_INFO: tuple[tuple[str, Change], ...] = (
    ("hosts exchanged, with all addresses", _info(_stations_exchanged(("hostname", *_PUBLIC, *_INTERCONNECT)))),
    ("public addresses of A and B exchanged", _info(_stations_exchanged(_PUBLIC))),
    ("MACs on public exchanged", _info(_stations_exchanged(("public_mac",)))),
    ("addresses on interconnect exchanged", _info(_stations_exchanged(_INTERCONNECT))),
    ("nodes of A and B exchanged", _info(_nodes(lambda host, node, other: other))),
    ("advert interval doubled", _info(_nodes(lambda host, node, other: node | {"advert_int_s": 2.0}))),
    ("priority of B changed", _info(_nodes(lambda host, node, other: node | {"priority": 1} if host == "B" else node))),
    (
        "probe interval ten times as long",
        _info(lambda info: info | {"probe_interval_s": info["probe_interval_s"] * 10}),
    ),
    ("probe interval halved", _info(lambda info: info | {"probe_interval_s": info["probe_interval_s"] / 2})),
    ("no probe", _info(lambda info: info | {"probe_source": None, "probe_interval_s": None})),
    ("probe from another address", _info(lambda info: info | {"probe_source": "192.168.122.99"})),
    ("another VIP", _info(lambda info: info | {"vip": "192.168.122.51"})),
    ("another virtual router", _info(lambda info: info | {"virtual_router_id": 52})),
    ("another family", _info(lambda info: info | {"family": _another(info["family"])})),
    ("other interfaces tracked", _info(lambda info: info | {"tracked": [] if info["tracked"] else ["eth1"]})),
    ("ping interval doubled", _info(lambda info: info | {"ping_interval_s": 2.0})),
    ("HTTP interval doubled", _info(lambda info: info | {"http_interval_s": info.get("http_interval_s") and 0.2})),
)


def _another(family: str) -> str:
    return "keepalived-2" if family == "keepalived-1.2.2" else "keepalived-1.2.2"


def _scenario(edit: Callable[[str], str]) -> Change:
    def change(folder: TrialFolder) -> None:
        path = folder.path / "scenario.yaml"
        path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")

    return change


_SCENARIO: tuple[tuple[str, Change], ...] = (
    ("gone", lambda folder: (folder.path / "scenario.yaml").unlink()),
    ("emptied", _scenario(lambda text: "")),
    ("of another fault", _scenario(lambda text: re.sub("kill:|link_down:|power_cut:", "stop:", text))),
    ("with other priorities", _scenario(lambda text: text.replace("priority: 101", "priority: 201"))),
)  # fmt: skip


def _of(part: str, changes: tuple[tuple[str, Change], ...]) -> Iterator[Mutation]:
    for name, change in changes:
        yield Mutation(part, name, change)


MUTATIONS = (*_of("timeline", _EVENTS), *_of("trial.json", _INFO), *_of("scenario", _SCENARIO))
