"""SSH to a guest: pinned host key, the lab's key, typed results; over the control network only."""

from __future__ import annotations

import base64
import logging
import shlex
import socket
import stat
import time

import paramiko

from viplab.errors import LabError
from viplab.lab.guest import Answer, Result, Timing
from viplab.lab.image import Image
from viplab.lab.topology import MARKER_PORT, MGMT_IP
from viplab.lab.waiting import limit_s

KEEPALIVE_S = 5
CONNECT_LIMIT_S = 20.0
# Of each attempt that fails, while a guest boots, it would log a traceback; what failed is raised as well.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class Connection:
    """One SSH connection that serves all commands to a guest."""

    def __init__(self, address: str, image: Image, answers_within_s: float = CONNECT_LIMIT_S) -> None:
        """Connect; that, and the beginning of each command, may take `answers_within_s` seconds."""
        self._address = address
        self._answers_within_s = answers_within_s
        self._sftp: paramiko.SFTPClient | None = None
        try:
            raw = socket.create_connection((address, 22), timeout=limit_s(self._answers_within_s))
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._transport = paramiko.Transport(raw)
            self._transport.banner_timeout = limit_s(self._answers_within_s)
            # Both ends are ours and the wire is a bridge in memory: what is quickest under emulation comes first.
            self._transport.get_security_options().kex = ("curve25519-sha256@libssh.org",)
            self._transport.start_client(timeout=limit_s(self._answers_within_s))
            self._check_host_key(image)
            self._transport.auth_publickey("root", paramiko.Ed25519Key.from_private_key_file(str(image.ssh_key)))
            self._transport.set_keepalive(KEEPALIVE_S)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise LabError(f"SSH to {address}: no connection ({error or type(error).__name__})") from None

    def _check_host_key(self, image: Image) -> None:
        pinned = base64.b64decode(image.ssh_host_key.split()[1])
        if self._transport.get_remote_server_key().asbytes() != pinned:
            raise LabError(f"SSH to {self._address}: the guest's host key is not the image's; that is not our guest")

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def run(self, command: str, *, timeout_s: float) -> Result:
        """Run a shell command to its end.

        Raises:
            LabError: the connection failed, or the command took longer than `timeout_s`.
        """
        channel = self._open(command, timeout_s)
        channel.exec_command(command)
        stdout, stderr = channel.makefile("rb"), channel.makefile_stderr("rb")
        try:
            out, err = stdout.read(), stderr.read()
            status = channel.recv_exit_status()
        except TimeoutError:
            channel.close()
            raise LabError(f"SSH to {self._address}: `{command}` did not end within {timeout_s:g} s") from None
        if status < 0:
            # The connection went before the command had said how it ended: that says nothing of the command.
            raise LabError(f"SSH to {self._address}: the connection ended while `{command}` ran")
        return Result(command, status, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def arm(self, command: str, marker: str) -> ArmedCommand:
        """Start a shell in the guest that waits for a line, sends the marker, then runs the command."""
        script = f"echo armed; read -r _; echo {shlex.quote(marker)} >/dev/udp/{MGMT_IP}/{MARKER_PORT}; {command}"
        channel = self._open(command, 30)
        channel.exec_command(f"exec bash -c {shlex.quote(script)}")
        if channel.recv(6) != b"armed\n":
            raise LabError(f"SSH to {self._address}: the guest could not prepare `{command}`")
        return ArmedCommand(channel)

    def converse(self, command: str) -> LineDialogue:
        """Start a shell command in the guest that answers each line with a line."""
        channel = self._open(command, CONNECT_LIMIT_S)
        channel.exec_command(f"exec bash -c {shlex.quote(command)}")
        return LineDialogue(channel)

    def put(self, content: bytes, path: str, mode: int) -> None:
        """Write a file over SFTP, in place of what was there."""
        try:
            sftp = self._files()
            with sftp.open(path, "wb") as target:
                target.set_pipelined(True)
                target.write(content)
            sftp.chmod(path, mode)
        except (OSError, paramiko.SSHException) as error:
            raise LabError(f"SFTP to {self._address}: {path} could not be written ({error})") from None

    def get(self, path: str) -> bytes:
        """Read a file over SFTP; empty where it does not exist."""
        try:
            sftp = self._files()
            if not stat.S_ISREG(sftp.stat(path).st_mode or 0):
                return b""
            with sftp.open(path, "rb") as source:
                source.prefetch()
                return source.read()
        except FileNotFoundError:
            return b""
        except (OSError, paramiko.SSHException) as error:
            raise LabError(f"SFTP from {self._address}: {path} could not be read ({error})") from None

    def _files(self) -> paramiko.SFTPClient:
        """One file session for all files: under emulation a new one takes a tenth of a second."""
        if self._sftp is None:
            self._sftp = paramiko.SFTPClient.from_transport(self._transport)
            assert self._sftp is not None
        return self._sftp

    def _open(self, command: str, timeout_s: float) -> paramiko.Channel:
        try:
            channel = self._transport.open_session(timeout=limit_s(self._answers_within_s))
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise LabError(f"SSH to {self._address}: `{command}` could not be sent ({error})") from None
        channel.settimeout(timeout_s)
        return channel


class ArmedCommand:
    """A shell in the guest that has the command before it and waits for the word."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def fire(self) -> Timing:
        """Give the word; returns when the command has ended (or its guest is gone, status -1)."""
        before_ns = time.time_ns()
        self._channel.sendall(b"\n")
        try:
            status = self._channel.recv_exit_status()
        except (OSError, EOFError, paramiko.SSHException):
            status = -1
        return Timing(before_ns, time.time_ns(), status)


class LineDialogue:
    """A command in the guest that answers each line with a line."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def ask(self) -> Answer:
        """Send an empty line and wait for the answer.

        Raises:
            LabError: none came.
        """
        before_ns = time.time_ns()
        said = b""
        try:
            self._channel.sendall(b"\n")
            while not said.endswith(b"\n"):
                part = self._channel.recv(256)
                if not part:
                    raise LabError("SSH: the guest ended a dialogue")
                said += part
        except (OSError, paramiko.SSHException) as error:
            raise LabError(f"SSH: no answer in a dialogue ({error or type(error).__name__})") from None
        return Answer(before_ns, time.time_ns(), said.decode("utf-8", "replace").strip())

    def close(self) -> None:
        """End it."""
        self._channel.close()
