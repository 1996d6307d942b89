"""Every kind of fault, in one table: what it is called, given, done and undone by, and what it does to a master.

The scenario's steps, the injector, analysis, the reports and the live view read the table and name no kind themselves.
Nothing here imports a lab or does anything at import: what acts takes a guest as an argument. To add a kind write a
`FaultKind` into the file of its family, or let another package bring it by an entry point of the group `viplab.faults`.
"""

from viplab.faults.injection import InGuest, Injection, OnBridge, OnGuest
from viplab.faults.kind import Change, Effect, FaultKind, Manner, Part, Sign
from viplab.faults.registry import UnknownFaultError, fault_kind, known, register
from viplab.faults.target import ClientTarget, HostTarget, LinkTarget, ReturnTarget, Target

__all__ = [
    "Change",
    "ClientTarget",
    "Effect",
    "FaultKind",
    "HostTarget",
    "InGuest",
    "Injection",
    "LinkTarget",
    "Manner",
    "OnBridge",
    "OnGuest",
    "Part",
    "ReturnTarget",
    "Sign",
    "Target",
    "UnknownFaultError",
    "fault_kind",
    "known",
    "register",
]
