"""The sessions: `nox -s e2e` runs the article on real guests, `nox -s tests` the tests, `nox -s lint` the linters.

`./bootstrap SESSION` does the same on a machine that has neither nox nor the system packages.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "tests"]

INTERNAL = 70


@nox.session
def e2e(session: nox.Session) -> None:
    """The article, end to end on real guests; arguments are those of `viplab run`, such as `--subject keepalived`."""
    _install(session, "lab")
    _become(session, "viplab", "run", "--report", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Everything that needs no guests: units, conformance, and routers in network namespaces."""
    _install(session, "lab,dev")
    _become(session, "pytest", "--ignore=tests/e2e", *session.posargs)


@nox.session
def killed(session: nox.Session) -> None:
    """`kill -9` of a run at five moments, on real guests: nothing is left behind, and the next run works."""
    _install(session, "lab,dev")
    _become(session, "pytest", "tests/e2e", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, the walls between packages, and the shell scripts."""
    _install(session, "lab,dev")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports")
    session.run("shellcheck", "bootstrap", ".ci/run", *map(str, Path("vmimages").glob("*/customize")))


def _install(session: nox.Session, extras: str) -> None:
    """Install viplab from this tree, once: a later run starts at once, and without a network."""
    stamp = Path(session.virtualenv.location) / "viplab-installed"
    wanted = hashlib.sha256(Path("pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    try:
        session.install("-e", f".[{extras}]")
    except CommandFailed:
        sys.exit(INTERNAL)  # nox would make 1 of it, and that means: a claim failed
    stamp.write_text(wanted)


def _become(session: nox.Session, program: str, *arguments: str) -> None:
    """Run a program as if it were this one: its exit status is ours, and Ctrl-C is its own business.

    `session.run` makes 1 of every failure, and kills a program that takes longer than half a second to clean up.
    """
    session.log(" ".join([program, *arguments]))
    with subprocess.Popen([Path(session.bin) / program, *arguments]) as process:
        while process.poll() is None:
            try:
                process.wait()
            except KeyboardInterrupt:
                session.log(f"{program} was told to stop; it puts things back first")
    if process.returncode:
        sys.exit(process.returncode if process.returncode > 0 else 128 - process.returncode)
