"""Every kind of fault, in one table: what it is called, given, done and undone by, and what it does to a master.

The scenario's steps, the injector, analysis, the reports and the live view read the table and name no kind themselves.
Nothing here imports a lab or does anything at import: what acts takes a guest as an argument. To add a kind write a
`FaultKind` into the file of its family, or let another package bring it by an entry point of the group `viplab.faults`.
"""

from viplab.faults.injection import (
    AtClient,
    ByStranger,
    InGuest,
    Injection,
    OnBridge,
    OnGuest,
    OnPort,
    VirtualRouter,
    Wires,
)
from viplab.faults.kind import Change, Effect, FaultKind, Heard, Manner, Need, Part, Sign
from viplab.faults.registry import UnknownFaultError, fault_kind, known, register
from viplab.faults.target import (
    ClientTarget,
    FileTarget,
    HostTarget,
    Lasting,
    LastingHostTarget,
    LastingLinkTarget,
    LinkTarget,
    NetworkTarget,
    ReturnTarget,
    Target,
)

__all__ = [
    "AtClient",
    "ByStranger",
    "Change",
    "ClientTarget",
    "Effect",
    "FaultKind",
    "FileTarget",
    "Heard",
    "HostTarget",
    "InGuest",
    "Injection",
    "Lasting",
    "LastingHostTarget",
    "LastingLinkTarget",
    "LinkTarget",
    "Manner",
    "Need",
    "NetworkTarget",
    "OnBridge",
    "OnGuest",
    "OnPort",
    "Part",
    "ReturnTarget",
    "Sign",
    "Target",
    "UnknownFaultError",
    "VirtualRouter",
    "Wires",
    "fault_kind",
    "known",
    "register",
]
