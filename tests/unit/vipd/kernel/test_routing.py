"""Whether routes are still there: asked so that a router of the internet need not list a million."""

from __future__ import annotations

from typing import Any

from vipd.config.model import Route
from vipd.kernel import routing

OWN = Route("10.77.0.0/16")
FOREIGN = Route("10.78.0.0/16", protocol=4)  # somebody else had set it before vipd did
LOST = Route("10.79.0.0/16")


class Kernel:
    """Lists routes by protocol, as Linux does since 4.20."""

    def __init__(self, *routes: Route) -> None:
        self.links: dict[str, Any] = {}
        self.routes = routes
        self.asked: list[int] = []

    def listed(self, body: bytes, kind: int) -> list[bytes]:
        self.asked.append(body[5])
        return [routing._route(one, {}) for one in self.routes if body[5] in (0, one.protocol)]


def test_only_routes_of_their_own_protocol_are_listed_unless_one_is_not_among_them() -> None:
    kernel = Kernel(OWN, FOREIGN)
    assert routing.missing(kernel, [OWN], []) == set()  # type: ignore[arg-type]
    assert kernel.asked == [18]
    assert routing.missing(kernel, [OWN, FOREIGN._replace(protocol=18)], []) == set()  # type: ignore[arg-type]
    assert kernel.asked == [18, 18, 0], "it is there, whoever set it"
    assert routing.missing(kernel, [OWN, LOST], []) == {LOST}  # type: ignore[arg-type]
