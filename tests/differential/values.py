"""What may stand after a keyword, right and wrong, by the form that vipd's own table of keywords gives it."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

Make = Callable[[Random], str]

INTERFACES = ("eth0", "eth1", "eth0", "eth2", "nosuch0", "lo", "eth0.100", "averyveryverylongname")
ADDRESSES_4 = (
    "10.1.1.1",
    "10.1.1.2/24",
    "10.1.1.3/32",
    "192.168.122.50/24",
    "10.1.1.4/255.255.255.0",
    "10.1.1.300",
    "10.1.1.5/33",
    "10.1.1",
    "010.1.1.7",
    "10.1.1.8/",
    "10.1.1.9/24/24",
)
ADDRESSES_6 = (
    "fe80::7",
    "fe80::7/64",
    "2001:db8::1/64",
    "2001:db8::2",
    "2001:DB8::3/128",
    "2001:db8::4/129",
    "fe80::g",
)
NUMBERS = (
    "0",
    "1",
    "2",
    "-1",
    "+1",
    "255",
    "256",
    "1000",
    "65536",
    "4294967296",
    "0x10",
    "010",
    "1.5",
    "1,5",
    "1s",
    "x",
    '""',
)
SECONDS = (
    "0",
    "1",
    "2",
    "0.5",
    "0.01",
    "0.001",
    "1.000001",
    "1.0000001",
    ".5",
    "5.",
    "255",
    "256",
    "1000",
    "1001",
    "86401",
    "-1",
    "x",
    "1e2",
    '""',
)
BOOLS = ("on", "off", "true", "false", "yes", "no", "1", "0", "ON", "maybe")
SCRIPTS = (
    "/run/scripts/good",
    '"/run/scripts/good a b"',
    "/run/scripts/loose",
    "/run/scripts/plain",
    "/run/scripts/linked",
    "/run/scripts/nosuch",
    "/bin/true",
    "true",
    '"killall -0 haproxy"',
    '"pidof haproxy"',
    "nosuchprogram",
    "\"/bin/sh -c 'exit 0'\"",
    "/bin/true root",
    "/bin/true root root",
    "/bin/true nosuchuser",
    "/bin/true root nosuchgroup",
    '"</dev/null"',
    '"/bin/true > /dev/null"',
    "/run/scripts",
    "/bin/true a b c d",
    '""',
    "/bin/true nobody",
    '"/run/scripts/good" nobody nogroup',
    '"test -f /etc/passwd"',
    '"[ -f /etc/passwd ]"',
    '"/bin/true && /bin/true"',
    "bin/true",
    "./true",
)
WEIGHTS = (
    "weight 5",
    "weight -20",
    "weight 0",
    "weight 253",
    "weight 254",
    "weight 255",
    "weight -254",
    "weight",
    "weight x",
    "weight 5 reverse",
    "weight 5 noreverse",
    "weight 5 no_reverse",
    "reverse",
    "heavy 5",
    "weight 2 weight 3",
)
_USERS = ("root", "nobody", "root root", "nosuchuser", "root nosuchgroup", "nobody nogroup", "root root root", "")
_WORDS = ("word", '"two words"', "a b", "", '""', "'x'", "averyveryveryveryverylongword", "/run/x", "eth0")


def _one(*choices: str) -> Make:
    return lambda random: random.choice(choices)


def _often(usual: tuple[str, ...], odd: tuple[str, ...]) -> Make:
    return lambda random: random.choice(usual if random.random() < 0.5 else odd)


def _range(low: int, high: int) -> Make:
    near = (low - 1, low, low + 1, high - 1, high, high + 1, (low + high) // 2)
    return _often(tuple(map(str, near)), NUMBERS)


def _seconds(low: float, high: float) -> Make:
    near = (low, low + 1, high, high + 1, (low + high) / 2)
    return _often(tuple(f"{value:g}" for value in near), SECONDS)


FORMS: tuple[tuple[str, Callable[[re.Match[str]], Make]], ...] = (
    (
        r"(-?\d+)-(\d+)( \[reverse\])?",
        lambda m: (
            lambda random: (
                _range(int(m[1]), int(m[2]))(random) + (random.choice(("", "", " reverse", " x")) if m[3] else "")
            )
        ),
    ),
    (r"SECONDS \((\S+)-(\S+)\)", lambda m: _seconds(float(m[1]), float(m[2]))),
    (r"SECONDS", lambda m: _one(*SECONDS)),
    (
        r"\[all\] SECONDS",
        lambda m: lambda random: random.choice(("", "all ", "all all ", "x ")) + random.choice(SECONDS),
    ),
    (r"\[BOOL\]", lambda m: lambda random: random.choice(("", random.choice(BOOLS), random.choice(BOOLS)))),
    (r"", lambda m: _one("", "", "x", "yes", "no")),
    (r"IFACE", lambda m: _one(*INTERFACES)),
    (
        r"ADDRESS",
        lambda m: _one(*ADDRESSES_4, *ADDRESSES_6, "224.0.0.18", "224.0.0.77", "ff02::12", "ff02::77", "10.1.1.9"),
    ),
    (
        r"\[IFACE\] \[MAC\]",
        lambda m: _one(
            "",
            "vrrp.7",
            "eth1",
            "vrrp.7 02:00:00:00:00:07",
            "02:00:00:00:00:07",
            "01:00:00:00:00:07",
            "02:00:00:00:00",
            "a b",
            "averyveryverylongname",
            "02:00:00:00:00:0g",
            "a/b",
            "00:00:5e:00:01:07",
        ),
    ),
    (r"STRING", lambda m: _one(*_WORDS)),
    (r'"?PROGRAM \[WORD \.\.\.\]"?( \[USER \[GROUP\]\])?', lambda m: _one(*SCRIPTS)),
    (
        r"PATH \[USER \[GROUP\]\]",
        lambda m: _one(
            "/run/fifo", "/run/fifo root", "/run/fifo root root", "/run/fifo nosuchuser", "/run/a b c d", ""
        ),
    ),
    (r"USER \[GROUP\]", lambda m: _one(*_USERS)),
    (r"CPU \.\.\.", lambda m: _one("0", "0 1", "x", "", "-1", "4096", "99999")),
    (
        r"NUMBER\|BITS",
        lambda m: _one("022", "IRUSR|IWUSR", "0777", "x", "", "1000", "IRUSR | IWUSR", "IXXX", "0x12", "22", "99"),
    ),
    (r"NAME \[WORD \.\.\.\]", lambda m: _one("nginx", "nginx -g", '"nginx -g"', "", "/usr/sbin/nginx", "a b c d")),
    (
        r"\[VALUE\] \[overwrite\]",
        lambda m: _one("", "5", "overwrite", "5 overwrite", "overwrite 5", "x", "-5", "5 6", "5x", "0x10"),
    ),
    (r"\{ \.\.\. \}", lambda m: _one("{\n}", "name {\n}", "{\nword\n}", "", "word", "name {\ngroup {\nV\n}\n}")),
    (r"HOST \[PORT\]", lambda m: _one("127.0.0.1", "127.0.0.1 25", "", "127.0.0.1 x", "::1")),
    (r"IFACE \.\.\.", lambda m: _one("eth0", "eth0 V", "", "averyveryverylongname", "eth0 V 5")),
    (r"tcp\|tcpfin\|udp SECONDS \.\.\.", lambda m: _one("tcp 5", "udp 5 tcp 6", "", "tcp", "x 5", "tcp x")),
    (r"PATH", lambda m: _one("/run/x", "", "a b")),
    (r"MTU\|ADVERT\|NUMBER", lambda m: _one("MTU", "ADVERT", "5000", "", "x", "MTU ADVERT", "MTU 5")),
    (r"\.\.\.", lambda m: _one(*_WORDS, *NUMBERS, *BOOLS)),
    (
        r"\[?([\w|]+\|?[\w|]*)\]?",
        lambda m: lambda random: random.choice((*m[1].split("|"), *m[1].split("|"), "x", "", m[1].lower())),
    ),
)
"""Patterns of the forms' texts, the first that fits whole counts, and what makes a value of such a form."""


def maker(form: str) -> Make:
    """What makes values of a form.

    Raises:
        LookupError: there is none; a new form needs a row of `FORMS`.
    """
    for pattern, make in FORMS:
        match = re.fullmatch(pattern, form)
        if match:
            return make(match)
    raise LookupError(f"nothing makes values of the form {form!r}; add a row to FORMS")
