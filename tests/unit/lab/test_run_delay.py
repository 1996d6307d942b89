"""How long processes wait for a processor is read of all that a process has started, and of what is gone as nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from viplab.lab import run_delay
from viplab.lab.run_delay import descendants, run_delay_ns, stalled_ns

_PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"


def test_whatever_a_process_has_started_belongs_to_it() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None and parent.stdin is not None
        parent.stdout.readline()
        found = descendants(os.getpid())
        assert parent.pid in found
        assert len(descendants(parent.pid)) == 2
        assert run_delay_ns(descendants(parent.pid)) > 0
        parent.stdin.write(b"\n")
    assert descendants(parent.pid) == [parent.pid]
    assert run_delay_ns([parent.pid]) == 0


@pytest.mark.parametrize(
    ("said", "ns"),
    [
        ("some avg10=84.70 avg60=84.97 avg300=71.17 total=37157298128\nfull avg10=0.00 total=7\n", 37_157_298_128_000),
        ("", None),
        (None, None),
    ],
)
def test_how_long_anybody_waited_is_what_the_kernel_counts_or_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, ns: int | None
) -> None:
    if said is not None:
        (tmp_path / "cpu").write_text(said)
    monkeypatch.setattr(run_delay, "_PRESSURE", tmp_path / "cpu")
    assert stalled_ns() == ns
