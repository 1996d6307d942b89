"""Runs a program of the machine and turns its failure into one line."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from viplab.errors import HostError, LabError
from viplab.lab.waiting import limit_s


def run(
    args: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 600,
    log: Path | None = None,
    stdin: str = "",
) -> str:
    """Run a program to its end and return its standard output.

    Args:
        args: Program and arguments; no shell is involved.
        env: Environment instead of the caller's.
        timeout_s: Seconds after which it is killed, on a machine of usual speed.
        log: Where to keep the whole output when it fails.
        stdin: What it reads.

    Raises:
        HostError: the program is not installed.
        LabError: it failed or took too long; the message ends with the last line that it printed.
    """
    name, timeout_s = Path(str(args[0])).name, limit_s(timeout_s)
    try:
        done = subprocess.run(
            [str(arg) for arg in args],
            check=False,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            env=env,
            timeout=timeout_s,
        )
    except FileNotFoundError:
        raise HostError(f"{name}: not installed; `viplab doctor` says how to get it") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{name}: no end after {timeout_s:g} s; it was killed") from None
    if done.returncode != 0:
        if log is not None:
            log.write_text(done.stdout + done.stderr, encoding="utf-8")
        lines = (done.stderr or done.stdout).strip().splitlines()
        last = lines[-1].strip() if lines else "it printed nothing"
        where = f" (all of its output: {log})" if log is not None else ""
        raise LabError(f"{name}: failed with status {done.returncode}: {last}{where}")
    return done.stdout
