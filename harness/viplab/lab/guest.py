"""What the rest of the bench sees of a guest, whatever it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from viplab.errors import LabError
from viplab.lab.topology import Host


@dataclass(frozen=True)
class Result:
    """What a command in a guest came to."""

    command: str
    status: int
    stdout: str
    stderr: str

    def checked(self) -> Result:
        """This result, if the command succeeded.

        Raises:
            LabError: it did not; the message ends with the last lines that it printed.
        """
        if self.status != 0:
            lines = (self.stderr.strip() or self.stdout.strip() or "it printed nothing").splitlines()
            said = " / ".join(lines[-2:])
            raise LabError(f"in the guest, `{self.command}` failed with status {self.status}: {said}")
        return self


@dataclass(frozen=True)
class Timing:
    """When an armed command was let go and when its answer came, by the host's CLOCK_REALTIME."""

    before_ns: int
    after_ns: int
    status: int


class Armed(Protocol):
    """A command that waits in the guest, its interpreter started, for the word to act."""

    def fire(self) -> Timing:
        """Let it act and wait for its end."""
        ...


@dataclass(frozen=True)
class Answer:
    """A line from a guest, and the host's CLOCK_REALTIME before it was asked for and when it was there."""

    before_ns: int
    after_ns: int
    line: str


class Dialogue(Protocol):
    """A command in the guest that answers each line with a line."""

    def ask(self) -> Answer:
        """Send an empty line and wait for the answer."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Guest(Protocol):
    """A host under test."""

    @property
    def host(self) -> Host:
        """Name, hostname, cards and addresses."""
        ...

    @property
    def running(self) -> bool:
        """Whether the guest is powered on."""
        ...

    @property
    def shell(self) -> list[str]:
        """The command that opens a shell in it, or runs the words that follow there; for who is in the lab already."""
        ...

    @property
    def shutdown_command(self) -> str:
        """What orders an orderly shutdown from within; it is answered before anything goes."""
        ...

    def run(self, command: str, *, timeout_s: float = 30) -> Result:
        """Run a shell command to its end."""
        ...

    def arm(self, command: str, marker: str) -> Armed:
        """Prepare a shell command; when fired it first sends `marker` as a datagram to the host, then acts."""
        ...

    def converse(self, command: str) -> Dialogue:
        """Start a shell command that reads lines and writes one for each."""
        ...

    def put(self, content: bytes, path: str, mode: int = 0o644) -> None:
        """Write a file."""
        ...

    def get(self, path: str) -> bytes:
        """Read a file; empty where it does not exist."""
        ...

    def console(self) -> bytes:
        """What the serial console has said since the guest was brought up."""
        ...

    def run_delay_ns(self) -> int:
        """For how long in all, in ns, what the guest is made of was ready to run and this machine had no processor."""
        ...

    def power_cut(self) -> Timing:
        """Cut the power: nothing in the guest gets to clean up."""
        ...

    def set_carrier(self, interface: str, *, present: bool) -> Timing:
        """Pull the cable out of a card, or plug it in."""
        ...

    def pause(self) -> Timing:
        """Let it stand still.

        Raises:
            LabError: it is no machine.
        """
        ...

    def resume(self) -> Timing:
        """Let it go on.

        Raises:
            LabError: it is no machine.
        """
        ...
