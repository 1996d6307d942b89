"""No text may make the parser do anything but read it or say what is wrong: `python fuzz_conf.py -runs=N`.

With the dictionary that make_dictionary.py prints, words of the grammar are thrown together.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["vipd"]):
    from vipd.config.parser import ConfigError, parse


def test_one_input(data: bytes) -> None:
    """Parse one text."""
    try:
        parse(data.decode("utf-8", "replace"), "keepalived.conf")
    except ConfigError as error:
        assert error.problems
        assert all("\n" not in problem for problem in error.problems)


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
