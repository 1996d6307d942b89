"""The sessions: `nox -s e2e` runs the article on real guests, `nox -s tests` the tests, `nox -s lint` the linters.

`./bootstrap SESSION` does the same on a machine that has neither nox nor the system packages.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "tests"]

INTERNAL = 70  # viplab.errors.ExitStatus, which is not installed where this runs
APART = ("browser", "cloud", "e2e", "packaging")  # tests that have a session of their own
# Tests in namespaces mostly wait, so there are more at once than processors.
AT_ONCE = 8
BENCH = ("--lab", "netns", "--trials", "20")  # what is named after them goes before
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@nox.session
def e2e(session: nox.Session) -> None:
    """The article, end to end on real guests; arguments are those of `viplab run`, such as `--subject keepalived`."""
    _install(session, "lab")
    _become(session, "viplab", "run", "--report", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Everything that needs no guests: units, conformance, and routers in network namespaces."""
    _install(session, "lab,dev")
    # Some forbid Python to keep what it has compiled; then each of the hundreds of daemons started here compiles anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    _become(session, "pytest", *(f"--ignore=tests/{name}" for name in APART), f"-n{AT_ONCE}", *session.posargs)


@nox.session
def search(session: nox.Session) -> None:
    """The tests of properties, forty times as many examples of each and others every time: for bugs not yet found."""
    _install(session, "lab,dev")
    _become(session, "pytest", "-m", "hypothesis", "--hypothesis-profile=search", *session.posargs)


@nox.session
def truth(session: nox.Session) -> None:
    """Known truth: synthetic captures, traffic cut for exact times, a minute without a fault; see docs/method.md."""
    _install(session, "lab,dev")
    session.run("viplab", "run", "truth-cut", "calibration", "--lab", "netns", success_codes=[0])
    session.run("python", "docs/generated.py", "results/runs/latest", env={"PYTHONPATH": "tests"})
    _become(session, "python", "-m", "viplab.ground_truth", "results/runs/latest")


@nox.session
def docs(session: nox.Session) -> None:
    """Write every generated part of the documentation, and the scenario files' schema, anew where it is out of date."""
    _install(session, "dev")
    session.run("python", "docs/generated.py", env={"PYTHONPATH": "tests"})


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks; or, given two subjects, OLD beside NEW: exit status 3 where NEW takes over later, 2 undecided."""
    named = len([*takewhile(lambda word: not word.startswith("-"), session.posargs)])
    if named not in (0, 2):
        session.error(
            "bench takes no subject or two, OLD and NEW, before its options, as in keepalived keepalived@./new.deb"
        )
    _install(session, "lab,dev")
    if named:
        _bench_builds(session, *session.posargs)
        return
    session.run("python", "benchmarks/bench_analyser.py")
    session.run("python", "benchmarks/bench_vipd.py")
    session.run("python", "benchmarks/bench_first.py")
    session.run("python", "benchmarks/bench_start.py")
    subjects = ("--subject", "vipd", "--subject", "keepalived")
    run = ("failover", "calibration", "--profile", "keepalived-2", *subjects, *BENCH, *session.posargs)
    session.run("viplab", "run", *run, success_codes=[0, 2])
    # The subject that is there already is the base; 3 says that ours is worse.
    _become(session, "viplab", "compare", "latest", "--subject", "keepalived", "--subject", "vipd")


def _bench_builds(session: nox.Session, old: str, new: str, *arguments: str) -> None:
    """Their trials take turns, each with its place in the advert interval; the gate is that of `viplab compare`."""
    subjects = ("--subject", f"old={old}", "--subject", f"new={new}")
    run = ("failover", "calibration", *subjects, *BENCH, *arguments)
    session.run("viplab", "run", *run, success_codes=[0, 1, 2])
    _become(session, "viplab", "compare", "latest", "--subject", "old", "--subject", "new")


@nox.session
def soak(session: nox.Session) -> None:
    """Wrong and undecided verdicts on a busy host: the article ten times on guests, 200 failovers in namespaces."""
    _install(session, "lab,dev")
    _become(session, "python", "benchmarks/soak.py", *(session.posargs or ["--load"]))


@nox.session
def killed(session: nox.Session) -> None:
    """`kill -9` of a run at five moments, on real guests: nothing stays, the next run works; on others' libvirt too."""
    _install(session, "lab,dev")
    _become(session, "pytest", "tests/e2e", *session.posargs)


@nox.session
def cloud(session: nox.Session) -> None:
    """A cloud image made here, and guests of it: seed, cloud-init, packages, a case; half an hour without KVM."""
    _install(session, "lab,dev")
    _become(session, "pytest", "tests/cloud", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """The wheel, installed in empty environments with and without the extra `lab`: what it brings, and a run of it."""
    _install(session, "lab,dev")
    _become(session, "pytest", "tests/packaging", *session.posargs)


@nox.session
def packages(session: nox.Session) -> None:
    """vipd by itself, into dist/: a wheel, and where there is dpkg-deb a Debian package."""
    session.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "dist", "./agent")
    if shutil.which("dpkg-deb"):
        session.run("python", "-m", "vipd.tools.deb", "dist", env={"PYTHONPATH": "agent"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """Throw octets at vipd's packet path and text at its parser; arguments replace the number of runs (-runs=N)."""
    session.install("atheris")
    corpus = Path(session.create_tmp())
    environment = {"PYTHONPATH": str(Path("agent").resolve())}
    dictionary = corpus / "keywords.dict"
    words = session.run("python", "tests/fuzz/make_dictionary.py", env=environment, silent=True)
    dictionary.write_text(str(words))
    runs = session.posargs or ["-runs=200000"]
    for target, limit in (("packet", 600), ("conf", 2000)):
        found = corpus / target
        found.mkdir(exist_ok=True)
        arguments = (f"-max_len={limit}", f"-artifact_prefix={found}/", f"-dict={dictionary}", *runs, str(found))
        session.run("python", f"tests/fuzz/fuzz_{target}.py", *arguments, env=environment)


@nox.session
def differential(session: nox.Session) -> None:
    """`vipd -t` beside `keepalived -t` on generated files; arguments: how many, the seed, a file of kept judgements."""
    _install(session, "dev")
    session.env["PYTHONPATH"] = os.pathsep.join(str(Path(name).resolve()) for name in ("agent", "tests"))
    session.run("python", "-m", "differential.run", *(session.posargs or ["20000"]))


@nox.session
def folders(session: nox.Session) -> None:
    """Give analyze and report hundreds of damaged and hostile run folders; arguments: how many, and the first seed."""
    _install(session, "dev")
    _become(session, "python", "tests/fuzz/fuzz_folder.py", *session.posargs)


@nox.session
def beside(session: nox.Session) -> None:
    """The same files and accidents under keepalived and vipd, and what differs; docs/beside.md. An hour."""
    _install(session, "lab,dev")
    os.environ["PYTHONPATH"] = "tests"
    kept = Path(session.create_tmp()) / "cells.jsonl"
    session.log(f"`python -m beside.page {kept}` and `nox -s docs` then write docs/beside.md anew")
    _become(session, "python", "-m", "beside", "--keep", str(kept), *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, the walls between packages, and the shell scripts."""
    _install(session, "lab,dev")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports")
    packed = sorted(map(str, Path("agent/debian").glob("p*")))
    guests = [str(path) for name in ("customize", "prepare") for path in Path("vmimages").glob(f"*/{name}")]
    session.run("shellcheck", "bootstrap", ".ci/run", *packed, *guests)


@nox.session
def report(session: nox.Session) -> None:
    """The report of the newest run and of the sample, each written twice: the bytes have to be the same."""
    _install(session, "dev")
    newest = Path("results/runs/latest")
    for run in (*([newest] if newest.exists() else []), Path("results/sample")):
        # What the run came to is not asked here; damage would be 64.
        session.run("viplab", "report", str(run), silent=True, success_codes=[0, 1, 2])
        first = _pages(run)
        session.run("viplab", "report", str(run), silent=True, success_codes=[0, 1, 2])
        if _pages(run) != first:
            session.error(f"{run}: the report is not the same bytes twice")
        session.log(f"{run}/report/index.html, {run}/report.html ({(run / 'report.html').stat().st_size // 1000} kB)")


@nox.session
def browser(session: nox.Session) -> None:
    """The report in a real browser: errors, widths, text alternatives, axe-core, links, print."""
    _install_browser(session)
    _become(session, "pytest", "tests/browser", *session.posargs)


@nox.session
def picture(session: nox.Session) -> None:
    """The README's picture, from the sample's report."""
    _install_browser(session)
    session.run("python", "docs/picture.py")


def _install_browser(session: nox.Session) -> None:
    """Playwright and axe-core from PyPI; Chromium is the system's, brought by apt where that is possible."""
    if not any(map(shutil.which, CHROMIUM)) and shutil.which("apt-get") and os.geteuid() == 0:
        session.run("apt-get", "install", "-y", "--no-install-recommends", "chromium", external=True)
    _install(session, "dev")
    session.install("playwright", "axe-playwright-python")


def _pages(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "report.html", *(run / "report").glob("*.html"))}


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
