"""The label of what is ours on a libvirt that others use: it names the lab, and the process that the lab ends with."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from xml.etree import ElementTree

from viplab.lab.owner import Owner

NAMESPACE = "urn:viplab:label"
_TEXT = re.compile(r"viplab-([0-9a-f]{8})-(\d+)-(\d+)-([0-9a-f]{8})-(\d+)")


@dataclass(frozen=True)
class Label:
    """The label of one lab; networks and domains have it in their metadata, a pool, which has none, for its name."""

    lab: str
    """Eight hex digits, drawn for each lab."""
    owner: Owner

    @property
    def text(self) -> str:
        """All of it in one word: lab, process, start time, boot, PID namespace."""
        owner = self.owner
        return f"viplab-{self.lab}-{owner.pid}-{owner.born}-{owner.boot}-{owner.namespace}"

    @property
    def metadata(self) -> str:
        """The element that libvirt keeps with a network or a domain."""
        return f'<metadata><viplab:label xmlns:viplab="{NAMESPACE}">{self.text}</viplab:label></metadata>'

    def name(self, what: str) -> str:
        """What an object of this lab is called, so that it is nobody else's name."""
        return f"viplab-{self.lab}-{what}"


def new_label(owner: Owner) -> Label:
    """A label for a lab that is to be opened."""
    return Label(secrets.token_hex(4), owner)


def parse_label(text: str) -> Label | None:
    """The label that a word is, None where it is none."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    lab, pid, born, boot, namespace = found.groups()
    return Label(lab, Owner(int(pid), born, boot, namespace))


def label_in(xml: str) -> Label | None:
    """The label of a network or a domain that libvirt describes so.

    A copy that somebody made of one of ours has another name, and is theirs though it has the label.
    """
    root = ElementTree.fromstring(xml)
    found = parse_label((root.findtext(f"metadata/{{{NAMESPACE}}}label") or "").strip())
    return found if found and (root.findtext("name") or "").startswith(found.name("")) else None
