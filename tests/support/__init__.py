"""What several tests share: scripts and simulations of routers, hosts in namespaces, runs made by hand.

Pytest puts `tests/` on the path (`pythonpath` in pyproject.toml): a test says `from support.playbook import Playbook`.
"""
