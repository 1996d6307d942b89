"""What a scenario asks for that a daemon or a lab cannot do honestly: said once, and never a fail."""

from __future__ import annotations

from viplab.errors import NotSupportedError
from viplab.faults import Need
from viplab.lab.lab import LabKind
from viplab.scenario.model import Scenario
from viplab.subjects.subject import Subject


def not_supported(scenario: Scenario, subject: Subject, lab: LabKind) -> str | None:
    """Why this scenario is not done with this daemon in this lab, in one line; None where it is."""
    offered = {
        Need.MACHINES: (lab.machines, lab.name),
        Need.CLOCKS: (lab.clock == "own", lab.name),
        Need.PARENT: (subject.has_parent, subject.name),
        Need.RELOAD: (subject.reloads, subject.name),
    }
    for kind in scenario.faults:
        for need in sorted(kind.needs, key=lambda need: need.name):
            there, whose = offered[need]
            if not there:
                return f"{kind.name} needs {need.value}, and {whose} has none"
    try:
        for host in scenario.daemons:
            subject.configuration(scenario, host)
    except NotSupportedError as error:
        return str(error)
    return None
