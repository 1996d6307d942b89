"""FIFOs that a reload adds or changes, when the daemon has dropped the right to give a file away."""

from __future__ import annotations

from support.hosts import Hosts

_INSTANCE = """
vrrp_instance V {
    interface eth0
    virtual_router_id 7
    priority 100
    virtual_ipaddress {
        10.0.0.50
    }
}
"""


def configure(hosts: Hosts, *lines: str) -> None:
    (hosts.folder / "A.conf").write_text("global_defs {\n" + "\n".join(lines) + "\n}" + _INSTANCE)


def read(hosts: Hosts, user: str, path: str) -> str:
    return hosts.run(f"setpriv --reuid {user} --clear-groups timeout 10 head -n 1 {path}").strip()


def test_a_fifo_that_a_reload_adds_is_its_owner_s_and_is_written_and_another_one_stays_open(hosts: Hosts) -> None:
    one, both = "vrrp_notify_fifo /run/one", "notify_fifo /run/two nobody"
    configure(hosts, one)
    hosts.launch("A", "keepalived-2")
    hosts.wait("it to be master", lambda: "Entering MASTER" in hosts.log("A"))
    assert read(hosts, "root", "/run/one") == 'INSTANCE "V" BACKUP 100'
    before = hosts.run("stat -c %i /run/one")
    configure(hosts, one, both, "fifo_write_vrrp_states_on_reload")
    hosts.run(f"kill -HUP {hosts.pid('A')}")
    hosts.wait("the owner", lambda: "nobody" in hosts.run("stat -c %U /run/two || true"))
    assert read(hosts, "nobody", "/run/two") == 'INSTANCE "V" MASTER 100'
    assert hosts.run("stat -c %i /run/one") == before
    hosts.stop("A")
    assert hosts.run("ls /run/one /run/two 2>/dev/null || true") == "", "both were made by it"
