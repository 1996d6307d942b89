"""A machine's own package sources of Debian, for images of the release that it runs."""

from __future__ import annotations

from pathlib import Path


def apt_sources(suite: str, etc_apt: Path, os_release: dict[str, str]) -> str:
    """The parts of a machine's apt sources that carry `suite`, in one text, or "" where it runs another release.

    Both forms are read: deb822 stanzas (`*.sources`) and one-line entries (`*.list`).
    """
    if os_release.get("ID") != "debian" or os_release.get("VERSION_CODENAME") != suite:
        return ""
    deb822 = [
        stanza.strip()
        for path in sorted(etc_apt.glob("sources.list.d/*.sources"))
        for stanza in _stanzas(path.read_text(encoding="utf-8"))
        if any(line.startswith("Suites:") and suite in line for line in stanza.splitlines())
    ]
    one_line = [
        line.strip()
        for path in [etc_apt / "sources.list", *sorted(etc_apt.glob("sources.list.d/*.list"))]
        if path.is_file()
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("deb ") and any(word.startswith(suite) for word in line.split())
    ]
    return "\n\n".join(deb822) if deb822 else "\n".join(one_line)


def _stanzas(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [stanza for stanza in "\n".join(lines).split("\n\n") if stanza.strip()]
