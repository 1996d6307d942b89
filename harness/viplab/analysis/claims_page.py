"""Makes docs/claims.md of the reference file: how each claim of the article is judged."""

from __future__ import annotations

from viplab.analysis.checks import Check
from viplab.analysis.claims import Claim, PuzzleText, Reference

MEANING = {
    "P1": "the set-up check of that claim held (so P1 to P10)",
    "P1_detail": "what that check saw (so P1_detail to P10_detail)",
    "ping_sent": "requests of the ping each second, by its transcript",
    "ping_received": "replies, by its transcript",
    "ping_lost": "the difference",
    "ping_lost_run": "longest run of consecutive lost sequence numbers",
    "ping_lost_seqs": "the lost sequence numbers",
    "ping_rtt_ms": "min/avg/max/mdev as ping printed them",
    "ping_sent_first": "requests between the headline fault and the next one, by the capture",
    "ping_lost_first": "those of them that were not answered",
    "lab": "what the hosts are: `libvirt` for guests, `netns` for namespaces",
    "subject": "what was tested, with its version",
    "priority_a": "configured priority of A",
    "priority_b": "configured priority of B",
    "priorities_equal": "whether they are equal",
    "skew_s": "skew time of the host that took over",
    "fault": "the headline fault",
    "old_master": "who advertised before the fault",
    "new_master": "who began to advertise after it; `none` where nobody else did",
    "outage_low_s": "lowest outage that the model predicts",
    "outage_high_s": "highest outage that the model predicts",
    "outage_error_s": "how far the outage lies outside that window; 0 within",
    "expected_down_interval_s": "master down interval of the host that took over",
    "down_interval_measured_s": "that, plus the deadline excess",
    "detection_s": "fault to first advert of the new master",
    "deadline_excess_s": "how late that advert was against its deadline",
    "announce_s": "first advert to first gratuitous ARP of the new master",
    "client_switch_s": "first gratuitous ARP to the client's neighbour change",
    "outage_s": "sum of the gaps in answers, by time stamp",
    "outage_loss_s": "requests lost, times the interval between requests",
    "recovered_s": "fault to the first request from which on none is lost for 5 s",
    "failover_s": "loss of the master to the new one's first answer",
    "reversion_s": "return of a host to its first answer",
    "dual_owner_s": "time with more than one owner",
    "x_s": "last advert before the fault to the fault",
    "priority_zero": "adverts of priority 0 of the old master after the fault",
    "client_before": "host in the client's neighbour table at the fault",
    "client_after": "the same when the headline fault's time is over",
    "arp_before": "host in `arp -an` before the steps",
    "arp_after": "host in `arp -an` after the steps",
    "garp_to": "MAC that the first gratuitous ARP of the new master was sent to",
    "garp_burst": "gratuitous ARPs of the new master within 2 s of the first",
    "second_burst_s": "first gratuitous ARP to the first one of the next burst",
    "first_reply_seq": "first request of the ping each second that the new master answered",
    "first_reply_ms": "its round-trip time, by the capture",
    "neighbours_ms": "median round-trip time of up to four replies before and four after it",
    "others_max_ms": "slowest of all other replies",
    "resolution_seen": "the new master asked by ARP for the client before that reply",
    "resolution_ms": "its ARP request to the client's answer",
    "resolution_in_trip": "both of these lie within that round trip",
    "client_asked": "the client had sent the new master an ARP request of its own before",
}

_HEAD = """# How each claim is judged

Written from `results/reference/article.yaml` by `nox -s docs`; do not edit.

Source: {source}.

A claim is **reproduced** where all of its checks hold, and **differs** where one does not. It is *explained* where a
known cause is given for the daemon's family and that cause's own checks hold on the measured values: an explanation is
never given by name alone. It is **undecided** where a check could not be measured, or where the trial itself is
undecided (docs/run-folder.md). It is **inapplicable** where there is nothing of the kind to look at, as its own
condition says. Over several trials of a scenario the worst decided one speaks, and says how many agree.

A check compares a named measure (listed at the end) with a value or, after an `@`, with another measure; a measure of
another scenario of the same subject is written `SCENARIO/first_reply_ms`, and a comparison with a scenario that is not
part of the run is left out. A check of log lines asks for messages of one host after a fault, in that order; a time is
the distance to the line before, give or take the resolution of the stamps.

The run's exit status is 1 where a claim differs unexplained or a trial failed, else 2 where a claim or a trial is
undecided, else 0. Claims of scenarios that were not run have no result, and inapplicable ones no say.
"""


def claims_page(reference: Reference) -> str:
    """The page as Markdown."""
    parts = [_HEAD.format(source=reference.source), "## Claims\n"]
    parts += [_claim(claim) for claim in reference.claims]
    parts += ["## Puzzles\n", "The first answer whose checks all hold is given; else the puzzle is undecided.\n"]
    parts += [_puzzle(puzzle) for puzzle in reference.puzzles]
    parts += ["## Measures\n", "| name | what it is |\n|---|---|"]
    parts += [f"| `{name}` | {meaning} |" for name, meaning in MEANING.items()]
    parts.append("\nNames that begin with `second_` are those of a trial's second fault.\n")
    return "\n".join(parts)


def _claim(claim: Claim) -> str:
    lines = [f"### {claim.id}: {claim.text}\n", f"Scenario `{claim.scenario}`. The article: {claim.article}.\n"]
    if claim.applies:
        lines += ["Applies where", *_checks(claim.applies), ""]
    lines += ["Reproduced when", *_checks(claim.check)]
    for explanation in claim.explanations:
        whom = f" for {explanation.family}" if explanation.family else ""
        lines += [f"\nA difference is explained{whom} when", *_checks(explanation.when)]
    return "\n".join([*lines, ""])


def _puzzle(puzzle: PuzzleText) -> str:
    scenarios = ", ".join(f"`{name}`" for name in puzzle.scenarios)
    lines = [f"### {puzzle.number}. {puzzle.title}\n", f"{puzzle.question} (Needs {scenarios}.)"]
    for answer in puzzle.answers:
        whom = f" for {answer.family}" if answer.family else ""
        lines += [f"\nAnswered{whom} when", *_checks(answer.when), f"\n> {answer.answer}"]
    return "\n".join([*lines, ""])


def _checks(checks: list[Check]) -> list[str]:
    return ["", *(f"- {check}" for check in checks)]
