"""From the command that starts the first daemon of a trial to that daemon's first advert, by subject.

`python benchmarks/bench_guest_start.py RUN...` prints medians and extremes in seconds of runs whose set-up was done
anew each time, as with `--cold-start`. What a daemon waits before it claims is in them: with `--profile keepalived-2`
vipd waits as long as keepalived does, and what it is later is its start.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from pathlib import Path

from viplab.capture.dissect import decode
from viplab.capture.frames import Advert
from viplab.capture.pcap import Pcap
from viplab.run_folder import RunFolder, TrialFolder


def first_advert_s(trial: TrialFolder) -> float | None:
    """Seconds to the first advert; None where no daemon was started or none advertised."""
    started = (event.t_ns for event in trial.events() if str(event.get("step", "")).startswith("start: "))
    started_ns = next(started, None)
    if started_ns is None:
        return None
    seen = (one for one in decode(Pcap(trial.capture("interconnect"))))
    adverts = (one.time_ns for one in seen if isinstance(one, Advert) and one.time_ns > started_ns)
    return next(((at_ns - started_ns) / 1e9 for at_ns in adverts), None)


def main() -> None:
    """Print a line for each subject."""
    found: dict[str, list[float]] = defaultdict(list)
    for path in sys.argv[1:]:
        for trial in RunFolder(Path(path)).trials():
            if (taken_s := first_advert_s(trial)) is not None:
                found[str(trial.info().subject)].append(taken_s)
    for subject, values in found.items():
        least, most = min(values), max(values)
        median = statistics.median(values)
        sys.stdout.write(f"{subject:12} median {median:.3f} s, {least:.3f} to {most:.3f}, n = {len(values)}\n")


if __name__ == "__main__":
    main()
