"""YAML as a person would write it: texts of several lines as blocks, keys in their order, nothing by reference."""

from __future__ import annotations

from typing import Any

import yaml

# libyaml's is fifty times as fast, and reads back what is not the same from the other (U+0085 before spaces).
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Blocks(_Dumper):  # type: ignore[misc]
    """Writes texts of several lines as blocks, and a value that is there twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> yaml.ScalarNode:
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)
    return node


_Blocks.add_representer(str, _text)


def yaml_text(data: Any) -> str:
    """A document that says this."""
    text: str = yaml.dump(data, Dumper=_Blocks, sort_keys=False, allow_unicode=True)
    return text
