"""What a scenario asks for that a daemon or a lab cannot do honestly: said once, and never a fail."""

from __future__ import annotations

from viplab.errors import NotSupportedError
from viplab.faults import Need
from viplab.lab.lab import LabKind
from viplab.scenario.model import Scenario
from viplab.subjects.assignment import Assignment


def not_supported(scenario: Scenario, assignment: Assignment, lab: LabKind) -> str | None:
    """Why this scenario is not done with these daemons in this lab, in one line; None where it is."""
    lacking = {
        Need.MACHINES: [] if lab.machines else [lab.name],
        Need.CLOCKS: [] if lab.clock == "own" else [lab.name],
        Need.PARENT: [subject.name for subject in assignment.subjects if not subject.has_parent],
        Need.RELOAD: [subject.name for subject in assignment.subjects if not subject.reloads],
    }
    for kind in scenario.faults:
        for need in sorted(kind.needs, key=lambda need: need.name):
            if lacking[need]:
                return f"{kind.name} needs {need.value}, and {lacking[need][0]} has none"
    try:
        for host in scenario.daemons:
            assignment.on(host).configuration(scenario, host)
        assignment.protocol(scenario)
        assignment.advert_interface(scenario)
        assignment.virtual_mac(scenario)
    except NotSupportedError as error:
        return str(error)
    return None
