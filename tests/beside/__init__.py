"""vipd beside keepalived: the same file, the same accident, and what each did to its kernel and its wires.

`nox -s beside` runs every file with every accident; docs/beside.md says what differed, and why.
"""
