"""What `viplab run --on-failure` does with the lab when a trial fails: somebody may look around before it goes.

The trial is over by then, since only what it has measured says whether it failed: its faults are healed.
"""

from __future__ import annotations

import pty
import shlex
import sys
import tempfile
from collections.abc import Callable
from functools import partial

from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.errors import InputError, OnFailure
from viplab.lab import background_lab
from viplab.lab.lab import Lab
from viplab.lab.owner import Owner, this_process
from viplab.progress import note
from viplab.run_folder import TrialFolder

_AFTERWARDS = "the trial is over: faults that lasted are healed, and daemons have gone on since"

AfterTrial = Callable[[TrialFolder, Lab], bool]
"""Called in the lab after each trial; whether the run goes on."""


def go_on(folder: TrialFolder, lab: Lab) -> bool:
    """What to call after each trial where nobody wants to look."""
    return True


def after_trial(how: OnFailure) -> AfterTrial:
    """What to call after each trial; to be asked for by the process that will open the lab.

    Raises:
        InputError: it asks for a shell and there is no terminal, or the place of the lab that is kept is taken.
    """
    if how is OnFailure.SHELL:
        if not sys.stdin.isatty():
            raise InputError("--on-failure shell: standard input is no terminal; `keep` needs none")
        return _shell
    if (there := background_lab.find()) is not None:
        raise InputError(f"--on-failure keep: a lab is up already (process {there.pid}); `viplab down` ends it")
    return partial(_keep, this_process())


def failure(folder: TrialFolder) -> str | None:
    """Why a trial failed or was broken off, None where it did neither."""
    try:
        summary = view_trial(read_trial(folder)).summary
        broken = [str(event.model_dump()["message"]) for event in folder.events() if event.event == "error"]
    except InputError as error:
        return str(error)
    return summary.reason if summary.verdict == "fail" else next(iter(broken), None)


def _shell(folder: TrialFolder, lab: Lab) -> bool:
    if (why := failure(folder)) is None:
        return True
    note(f"{folder.name}: {why}")
    note(_AFTERWARDS)
    note(f"a shell in the lab: {', '.join(lab.hosts)} get you onto a host (`A`, `A ip address`); `exit` goes on")
    with tempfile.NamedTemporaryFile("w", suffix=".bashrc") as file:
        for name, guest in lab.hosts.items():
            file.write(f'{name}() {{ {shlex.join(guest.shell)} "$@"; }}\n')
        file.write(f"PS1='viplab {folder.name}> '\n")
        file.flush()
        # A terminal of its own: after a shell that had ours nobody in here could take it back.
        pty.spawn(["bash", "--rcfile", file.name, "-i"])
    return True


def _keep(owner: Owner, folder: TrialFolder, lab: Lab) -> bool:
    if (why := failure(folder)) is None:
        return True
    note(f"{folder.name}: {why}")
    note(_AFTERWARDS)
    note(f"the lab is kept: `viplab ssh {next(iter(lab.hosts))}` gets you in, `viplab down` or Ctrl-C ends lab and run")
    background_lab.stay(lab, owner)
    return False
