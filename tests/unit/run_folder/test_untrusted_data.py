"""JSON and YAML from anywhere end in a value that can be computed with, or in a ValueError, and quickly."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viplab.untrusted_data import DEEPEST, LARGEST, json_value, yaml_value

NUMBERS = st.integers(-LARGEST, LARGEST) | st.floats(-float(LARGEST), float(LARGEST))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_within_bounds_is_what_json_says(value: Any) -> None:
    assert json_value(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "NaN", "[Infinity]", '{"a": -Infinity}', "1e300", "-1e19", "1e999", "9223372036854775809", "1" + "0" * 5000,
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "[" * 100_000, '{"a":' * 100_000, "", "{", "\ud800",
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_json_that_is_out_of_bounds_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        json_value(text)


@pytest.mark.parametrize(
    "text",
    [
        ".nan", "a: .inf", "a: 1.0e+300", "a: 99999999999999999999", "[" * (DEEPEST + 1), "[" * 100_000,
        "- " * 100_000, "a: &b [1]\nc: *b", "a: &b [*b]", "a: [", "a: !!python/object:os.system {}", "\t",
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_yaml_that_is_out_of_bounds_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        yaml_value(text)


def test_an_error_of_yaml_says_its_line() -> None:
    with pytest.raises(ValueError, match="line 3"):
        yaml_value("a: 1\nb: [\n")


@given(st.text(max_size=60))
def test_any_text_is_a_value_or_a_value_error(text: str) -> None:
    for read in (json_value, yaml_value):
        try:
            value = read(text)
        except ValueError:
            continue
        assert not isinstance(value, float) or math.isfinite(value)
