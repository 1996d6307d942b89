"""What a scenario asks for that a daemon or a lab cannot do honestly: said once, and never a fail."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from viplab.address_family import IPV4, IPV6
from viplab.errors import NotSupportedError
from viplab.faults import Need, Part, known
from viplab.lab.image import promised_packages
from viplab.lab.lab import LabKind
from viplab.lab.topology import make_host
from viplab.scenario.model import Scenario
from viplab.services import Service
from viplab.subjects.assignment import Assignment
from viplab.subjects.subject import Subject


def not_supported(scenario: Scenario, assignment: Assignment, lab: LabKind) -> str | None:
    """Why this scenario is not done with these daemons in this lab, in one line; None where it is."""
    try:
        for step in (*scenario.setup, *scenario.steps):
            if step.name == "heal":
                healed = known()[step.argument]
                if lacking := _lacking(healed.heal_needs, assignment.subjects, scenario, lab):
                    return f"heal: {healed.name} needs {lacking}"
            elif kind := known().get(step.name):
                target = step.argument
                struck = [assignment.on(target.host)] if kind.part is Part.DAEMON else assignment.subjects
                # A place in the advert interval is one where there are adverts.
                placed = {Need.ADVERTS} if getattr(target, "place", None) is not None else set()
                if lacking := _lacking(kind.needs | placed, struck, scenario, lab):
                    return f"{kind.name} needs {lacking}"
        for host in scenario.daemons:
            subject = assignment.on(host)
            asked = [*scenario.vrrp.asked, *(["keepalived_conf"] if scenario.own_configuration else [])]
            if beyond := [keyword for keyword in asked if keyword not in subject.keywords]:
                return f"{subject.name} has no {', '.join(beyond)}"
            subject.configuration(scenario, host)
        assignment.protocol(scenario)
        assignment.advert_interface(scenario)
        assignment.virtual_mac(scenario)
    except NotSupportedError as error:
        return str(error)
    for service in scenario.services():
        if absent := _absent(service, lab):
            return absent
    if beside := _beside_the_adverts(scenario, assignment):
        return f"{beside} is done to the network of {scenario.vrrp.interface}, and the adverts travel on another"
    return None


def _lacking(needs: Collection[Need], struck: Collection[Subject], scenario: Scenario, lab: LabKind) -> str | None:
    """What a fault needs and does not find: of the lab, or of the daemons that it strikes."""
    without = {
        Need.MACHINES: [] if lab.machines else [lab.name],
        Need.CLOCKS: [] if lab.clock == "own" else [lab.name],
        Need.ADVERTS: [subject.name for subject in struck if subject.protocol(scenario) == "none"],
        Need.PARENT: [subject.name for subject in struck if not subject.has_parent],
        Need.IPV4: [] if scenario.vrrp.family is IPV4 else [scenario.scenario],
        Need.IPV6: [] if scenario.vrrp.family is IPV6 else [scenario.scenario],
        Need.RELOAD: [subject.name for subject in struck if not subject.reloads],
    }
    for need in sorted(needs, key=lambda need: need.name):
        if without[need]:
            return f"{need.value}, and {without[need][0]} has none"
    return None


def _absent(service: Service, lab: LabKind) -> str | None:
    """What its hosts lack for a service: a lab without an image has the machine's own files."""
    if lab.image is None:
        names = ", ".join(service.packages)
        absent = next((path for path in service.present if not Path(path).exists()), None)
        return absent and f"there is no {absent} here; install {names}, or take another --lab"
    promised = promised_packages(lab.image)
    lacking = ", ".join(sorted(set(service.packages) - set(service.packages if promised is None else promised)))
    return lacking and f"the image {lab.image} has no package {lacking}; take another --lab"


def _beside_the_adverts(scenario: Scenario, assignment: Assignment) -> str | None:
    """A fault that is meant for the adverts' network, where these daemons send theirs on another; None if none is."""
    cards = make_host("A")
    meant = cards.interface(scenario.vrrp.interface).network
    if cards.interface(assignment.advert_interface(scenario)).network == meant:
        return None
    kinds = known()
    for step in (*scenario.setup, *scenario.steps):
        if (kind := kinds.get(step.name)) is None:
            continue
        named = getattr(step.argument, "interface", None)
        network = getattr(step.argument, "network", None) or getattr(kind.injection, "network", None)
        if meant in (network, cards.interface(named).network if named else None):
            return kind.name
    return None
