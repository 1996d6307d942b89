"""Mutations of the captures: their clock, what is in them, who sent it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from viplab.capture.dissect import decode
from viplab.capture.frames import Advert, Arp, Echo, Meaning, Neighbour
from viplab.capture.index import Frame
from viplab.capture.pcap import Pcap
from viplab.ground_truth import wire
from viplab.ground_truth.mutations.mutation import Change, Mutation, lines_of, write_lines
from viplab.run_folder import TrialFolder
from viplab.types import FORMER_NETWORKS, NetworkName

S, MS = 1_000_000_000, 1_000_000
Frames = list[tuple[int, bytes]]
Edit = Callable[[Frames, TrialFolder], Frames]


def _on(network: NetworkName, edit: Edit, *, recounted: bool = False) -> Change:
    """A change of one capture; `recounted` changes the count in the timeline with it."""

    def change(folder: TrialFolder) -> None:
        path = folder.capture(network)
        before = [(frame.time_ns, frame.raw) for frame in Pcap(path, folder.path)]
        after = edit(before, folder)
        if after == before:
            return
        head = wire.pcap_bytes([])
        path.write_bytes(head + b"".join(wire.pcap_bytes([frame])[len(head) :] for frame in after))
        if recounted:
            lines = lines_of(folder)
            for line in lines:
                name = str(line.get("network"))
                if line["event"] == "capture_stopped" and FORMER_NETWORKS.get(name, name) == network:
                    line["packets"] = len(after)
            write_lines(folder, lines)

    return change


def _stamped(moved: Callable[[int, int, int], int]) -> Edit:
    """Stamps made anew from (stamp, first stamp, last stamp)."""

    def edit(frames: Frames, folder: TrialFolder) -> Frames:
        if not frames:
            return frames
        first, last = frames[0][0], frames[-1][0]
        return [(moved(time_ns, first, last), raw) for time_ns, raw in frames]

    return edit


def _shift(by_ns: int) -> Edit:
    return _stamped(lambda at, first, last: at + by_ns)


def _jump(by_ns: int, place: float = 0.5) -> Edit:
    return _stamped(lambda at, first, last: at + (by_ns if at > first + (last - first) * place else 0))


def _drift(ppm: int) -> Edit:
    return _stamped(lambda at, first, last: at + (at - first) * ppm // 1_000_000)


def _rounded(to_ns: int) -> Edit:
    return _stamped(lambda at, first, last: at // to_ns * to_ns)


def _without(wanted: Callable[[Meaning, TrialFolder], bool]) -> Edit:
    def edit(frames: Frames, folder: TrialFolder) -> Frames:
        return [frame for frame, meaning in _meant(frames) if meaning is None or not wanted(meaning, folder)]

    return edit


def _meant(frames: Frames) -> Iterator[tuple[tuple[int, bytes], Meaning | None]]:
    for number, (time_ns, raw) in enumerate(frames, 1):
        yield (time_ns, raw), next(decode([Frame(number, time_ns, len(raw), raw)]), None)


def _only(which: Callable[[list[Advert], TrialFolder], Advert | None]) -> Edit:
    """Without one advert."""

    def edit(frames: Frames, folder: TrialFolder) -> Frames:
        adverts = [meaning for _, meaning in _meant(frames) if isinstance(meaning, Advert)]
        gone = which(adverts, folder)
        return [frame for frame in frames if gone is None or frame[0] != gone.time_ns]

    return edit


def _last_of_old(adverts: list[Advert], folder: TrialFolder) -> Advert | None:
    return next((old for old, new in pairwise(adverts) if old.src_ip != new.src_ip), None)


def _first_of_new(adverts: list[Advert], folder: TrialFolder) -> Advert | None:
    return next((new for old, new in pairwise(adverts) if old.src_ip != new.src_ip), None)


def _takeover_jump(by_ns: int) -> Edit:
    def edit(frames: Frames, folder: TrialFolder) -> Frames:
        first = _first_of_new([meaning for _, meaning in _meant(frames) if isinstance(meaning, Advert)], folder)
        return [(at + (by_ns if first and at >= first.time_ns else 0), raw) for at, raw in frames]

    return edit


def _exchanged(network: NetworkName) -> Edit:
    """A's addresses for B's, everywhere in the frames."""

    def edit(frames: Frames, folder: TrialFolder) -> Frames:
        stations = folder.info().stations
        pairs: list[tuple[bytes, bytes]] = []
        if network == "public":
            pairs.append((wire.mac_bytes(stations["A"].public_mac), wire.mac_bytes(stations["B"].public_mac)))
        else:
            macs = stations["A"].interconnect_mac, stations["B"].interconnect_mac
            ips = stations["A"].interconnect_ip, stations["B"].interconnect_ip
            pairs.append((wire.mac_bytes(str(macs[0])), wire.mac_bytes(str(macs[1]))))
            pairs.append((wire.ip_bytes(str(ips[0])), wire.ip_bytes(str(ips[1]))))
        return [(at, _swapped(raw, pairs)) for at, raw in frames]

    return edit


def _swapped(raw: bytes, pairs: list[tuple[bytes, bytes]]) -> bytes:
    for one, other in pairs:
        held = bytes(255 for _ in one[:-1]) + b"\xfe"
        raw = raw.replace(one, held).replace(other, one).replace(held, other)
    return raw


def _gratuitous(meaning: Meaning, folder: TrialFolder) -> bool:
    return isinstance(meaning, Arp | Neighbour) and meaning.gratuitous


def _answer(meaning: Meaning, folder: TrialFolder) -> bool:
    return isinstance(meaning, Echo) and not meaning.request


def _during(seconds: tuple[float, float], wanted: Callable[[Meaning], bool]) -> Edit:
    """Without some frames of a stretch after the last fault."""

    def edit(frames: Frames, folder: TrialFolder) -> Frames:
        fault_ns = max(line["t_ns"] for line in lines_of(folder) if line["event"] == "fault_injected")
        begin, end = (fault_ns + round(second * S) for second in seconds)
        return [
            frame
            for frame, meaning in _meant(frames)
            if not (begin <= frame[0] < end and meaning is not None and wanted(meaning))
        ]

    return edit


def _held_answers(frames: Frames, folder: TrialFolder) -> Frames:
    held = [(at + 300 * MS if m is not None and _answer(m, folder) else at, raw) for (at, raw), m in _meant(frames)]
    return sorted(held, key=lambda frame: frame[0])


def _half(frames: Frames, folder: TrialFolder) -> Frames:
    return frames[: len(frames) // 2]


def _second_half(frames: Frames, folder: TrialFolder) -> Frames:
    return frames[len(frames) // 2 :]


def _twice(apart_ns: int) -> Edit:
    return lambda frames, folder: [(at + n * apart_ns, raw) for at, raw in frames for n in (0, 1)]


def _gone(network: NetworkName) -> Change:
    return lambda folder: folder.capture(network).unlink()


_CLOCK: tuple[tuple[str, Edit], ...] = (
    ("1 s later", _shift(S)),
    ("1 s earlier", _shift(-S)),
    ("0.1 s later", _shift(100 * MS)),
    ("0.1 s earlier", _shift(-100 * MS)),
    ("jumps by 0.2 s halfway", _jump(200 * MS)),
    ("jumps back by 0.2 s halfway", _jump(-200 * MS)),
    ("jumps by 0.2 s after a quarter", _jump(200 * MS, 0.25)),
    ("is 2 % fast", _drift(20_000)),
    ("is 2 % slow", _drift(-20_000)),
    ("counts tenths of a second", _rounded(100 * MS)),
)
_CONTENT: tuple[tuple[str, Edit], ...] = (
    ("emptied but for its header", lambda frames, folder: []),
    ("ends after half of its frames", _half),
    ("begins after half of its frames", _second_half),
    ("every frame doubled", _twice(0)),
    ("every frame doubled, 10 µs later", _twice(10_000)),
    ("every second frame gone", lambda frames, folder: frames[::2]),
    ("in the opposite order", lambda frames, folder: frames[::-1]),
)
_PUBLIC: tuple[tuple[str, Edit], ...] = (
    ("all gratuitous ARP gone", _without(_gratuitous)),
    ("all ARP gone", _without(lambda meaning, folder: isinstance(meaning, Arp))),
    ("all answers gone", _without(_answer)),
    ("answers gone for a second", _during((6, 7), lambda m: isinstance(m, Echo) and not m.request)),
    ("requests and answers gone for a second", _during((6, 7), lambda m: isinstance(m, Echo))),
    ("answers stamped 0.3 s later", _held_answers),
    ("A and B exchanged", _exchanged("public")),
)
_INTERCONNECT: tuple[tuple[str, Edit], ...] = (
    ("last advert of the old master gone", _only(_last_of_old)),
    ("first advert of the new master gone", _only(_first_of_new)),
    (
        "adverts of B gone",
        _without(lambda m, folder: isinstance(m, Advert) and m.src_ip == folder.info().stations["B"].interconnect_ip),
    ),
    ("adverts of priority 0 gone", _without(lambda m, folder: isinstance(m, Advert) and not m.priority)),
    ("jumps by 0.2 s at the takeover", _takeover_jump(200 * MS)),
    ("jumps back by 0.2 s at the takeover", _takeover_jump(-200 * MS)),
    ("A and B exchanged", _exchanged("interconnect")),
)
# Whoever takes frames away may correct their number as well; the rest must then tell.
_RECOUNTED = ("ends after half of its frames", "every frame doubled, 10 µs later", "every second frame gone")


def _of(network: NetworkName, edits: tuple[tuple[str, Edit], ...], *, recounted: bool = False) -> Iterator[Mutation]:
    also = ", and the count with it" if recounted else ""
    for name, edit in edits:
        yield Mutation(f"capture on {network}", name + also, _on(network, edit, recounted=recounted))


MUTATIONS: tuple[Mutation, ...] = (
    *_of("public", (*_CLOCK, *_CONTENT, *_PUBLIC)),
    Mutation("capture on public", "gone", _gone("public")),
    *_of("public", tuple(edit for edit in _CONTENT if edit[0] in _RECOUNTED), recounted=True),
    *_of("public", _PUBLIC[:5], recounted=True),
    *_of("interconnect", (*_CLOCK, *_CONTENT, *_INTERCONNECT)),
    Mutation("capture on interconnect", "gone", _gone("interconnect")),
    *_of("interconnect", tuple(edit for edit in _CONTENT if edit[0] in _RECOUNTED), recounted=True),
    *_of("interconnect", _INTERCONNECT[:4], recounted=True),
    *_of("mgmt", (*_CLOCK[:4], *_CONTENT[:1])),
    *_of("mgmt", _CONTENT[:1], recounted=True),
    Mutation("capture on mgmt", "gone", _gone("mgmt")),
)
