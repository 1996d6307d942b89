"""Where the time of one fault went: a bar a phase, each as it was measured beside how long it should take."""

from __future__ import annotations

from viplab.analysis.fault_metrics import OneFault
from viplab.analysis.timing_model import delayed_ns, window_ns
from viplab.analysis.views import WaterfallItem, between
from viplab.faults import Manner
from viplab.subjects.family import Terms

_NS = 1_000_000_000
_Seconds = tuple[float, float]
"""At the least, at the most."""
_Phase = tuple[str, str, int | None, int | None, _Seconds | None]
"""A bar: name, label, beginning, end, and how long it should take."""


def waterfall(one: OneFault, outage_window_s: _Seconds | None, zero_ns: int) -> list[WaterfallItem]:
    """Lay out the phases of a fault after which another host is master; none where there is no such host.

    Args:
        one: the fault, with who took over and when what happened.
        outage_window_s: how long the outage should be.
        zero_ns: the trial's zero.
    """
    if one.taker is None or one.new_master is None:
        return []
    announcement, moments, longest = one.record.family.announcement, one.moments, one.longest_run
    rows: list[_Phase] = [
        *(_by_adverts(one) if one.advertises else _by_announcement(one)),
        (
            "client_switch",
            f"{announcement} to the client's neighbour change",
            moments.first_garp_ns,
            moments.neighbour_change_ns,
            (0.0, 0.0),
        ),
        (
            "answer",
            "neighbour change to first answer",
            moments.neighbour_change_ns,
            moments.first_answer_ns,
            (0.0, one.record.interval_s),
        ),
        (
            "outage",
            "no answers",
            longest.start_ns if longest else None,
            longest.end_ns if longest else None,
            outage_window_s,
        ),
    ]
    return [
        WaterfallItem.model_validate(
            {
                "name": name,
                "label": label,
                "start_s": between(zero_ns, start_ns),
                "end_s": between(zero_ns, end_ns),
                "expected_s": expected,
            }
        )
        for name, label, start_ns, end_ns, expected in rows
    ]


def _by_adverts(one: OneFault) -> list[_Phase]:
    """Until the address is announced, where adverts tell who is master."""
    assert one.taker is not None and one.new_master is not None
    moments, interval = one.moments, one.taker.advert_int_s
    return [
        ("wait", "last advert to fault", one.advert_before_ns(), one.fault.at_ns, (0.0, interval)),
        (
            "detection",
            "fault to first advert of the new master",
            one.fault.at_ns,
            moments.first_advert_ns,
            _expected_detection_s(one),
        ),
        _announced(one, interval),
    ]


def _announced(one: OneFault, interval: float) -> _Phase:
    moments, announcement = one.moments, one.record.family.announcement
    if one.record.announces_first(one.new_master):
        said = f"first {announcement} to first advert"
        return "announce", said, moments.first_garp_ns, moments.first_advert_ns, (interval, interval)
    assert one.new_master is not None
    model = one.record.timing[one.new_master]
    expected = None if isinstance(model, str) else (model.announce_adverts * interval,) * 2
    return "announce", f"first advert to first {announcement}", moments.first_advert_ns, moments.first_garp_ns, expected


def _by_announcement(one: OneFault) -> list[_Phase]:
    """Until the address is announced, by who sends no adverts."""
    return [("detection", "fault to first gratuitous ARP", one.fault.at_ns, one.moments.first_garp_ns, None)]


def _expected_detection_s(one: OneFault) -> _Seconds | None:
    """How long it should be from the fault to the first advert; None where it is not known what it counts from."""
    assert one.taker is not None and one.new_master is not None
    model = one.record.timing[one.new_master]
    if isinstance(model, str) or one.kind.manner is Manner.LATER or one.outranked(one.taker):
        return None
    if one.kind.returns:
        low_ns, high_ns = delayed_ns(window_ns(model.return_detection, one.taker, None, one.protocol), one.taker)
    else:
        terms = Terms(skews=1) if one.zeros else Terms(downs=1, less_x=True)
        low_ns, high_ns = window_ns(terms, one.taker, one.x_interval_ns(), one.protocol)
    return low_ns / _NS, high_ns / _NS + model.held_back_s
