"""Which of many addresses answer, in a network of their own."""

from __future__ import annotations

from viplab.lab.command import run
from viplab.lab.sandbox import LAB, contained
from viplab.observe.echo_round import unanswered

MANY = [f"192.168.122.{octet}" for octet in range(50, 250)]


def test_that_nobody_has_any_of_many_addresses_is_found_out() -> None:
    def asked() -> list[str]:
        run(["ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth1"])
        run(["ip", "address", "add", "192.168.122.1/24", "dev", "veth0"])
        for interface in ("veth0", "veth1"):
            run(["ip", "link", "set", interface, "up"])
        return unanswered(MANY, "192.168.122.1")

    assert contained(asked, LAB) == MANY
