"""The rules as docs/lint.md has them."""

from __future__ import annotations

from viplab.lint.finding import Rule
from viplab.lint.rules import RULES

_HEAD = """\
# Lint

    viplab lint FILE...

reads the keepalived.conf of one node, or of each node of a cluster, with vipd's parser, and warns of what the scenarios
show to be dangerous: one line a warning, with the file, the line, what to do, and the scenario that shows why. Run that
one to see it. Instances belong together that have the same `virtual_router_id` and family of addresses.

    viplab lint a/keepalived.conf b/keepalived.conf
    viplab lint --format sarif *.conf > lint.sarif    # for GitHub and GitLab; json for scripts

The exit status is 0 where there is nothing to warn of, 1 where there is, and 64 where a file cannot be read or vipd
would refuse it; load balancing (`virtual_server`) is passed over. What is wrong with a file by itself, `vipd -t` says.
Conditions (`@NAME`) are read as on a host with the name of this one.

Written by `nox -s docs` from the table of rules, `harness/viplab/lint/rules.py`.
"""


def lint_page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *map(_told, RULES)])


def _told(rule: Rule) -> str:
    shown = f"[`{rule.scenario}`](scenarios.md#{rule.scenario}) shows it: {rule.shown}."
    return f"## {rule.name}\n\n**{rule.title}** {rule.danger}\n\n{shown}\n"
