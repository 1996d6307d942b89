"""What the bench puts into a network namespace that is not its own is found by its mark, and nothing else is."""

from __future__ import annotations

import os
import shutil

import pytest

from viplab.lab.command import run
from viplab.lab.libvirt.label import new_label
from viplab.lab.marks import address_words, link_words, mark_with, marked, table
from viplab.lab.owner import this_process
from viplab.lab.sandbox import LAB, contained


@pytest.mark.skipif(shutil.which("nft") is None, reason="no nft, which is how a test looks at nftables' tables")
def test_links_tables_and_addresses_are_found_by_their_mark_and_what_is_others_stays() -> None:
    label = new_label(this_process())

    def inside() -> tuple[list[str], list[str], str]:
        for name in ("theirs", "ours"):
            run(["ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-port"])
        run(["ip", "address", "add", "192.0.2.1/24", "dev", "theirs"])
        run(["nft", "add", "table", "inet", "theirs"])
        mark_with(label)
        run(["ip", "link", "set", "ours", *link_words()])
        run(["ip", "address", "add", "192.0.2.2/32", "dev", "theirs", *address_words("theirs")])
        run(["nft", "add", "table", "inet", table("census")])
        found = list(marked(label))
        assert all(of == label for _, of, _ in found)
        assert [what for what, _, _ in marked(None)] == [what for what, _, _ in found if not what.startswith("address")]
        for _, _, remove in found:
            remove()
        left = run(["ip", "-brief", "address", "show", "theirs"]) + run(["nft", "list", "tables"])
        return [what for what, _, _ in found], [what for what, _, _ in marked(label)], left

    found, again, left = contained(inside, LAB)
    assert found == ["link ours", f"table inet {label.text}-census", "address 192.0.2.2/32 on theirs"]
    assert again == []
    assert "192.0.2.1/24" in left and "192.0.2.2" not in left and "table inet theirs" in left
    assert "VIPLAB_LABEL" not in os.environ
