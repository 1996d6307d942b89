"""`python -m vipd` and the entry of `vipd.pyz`."""

from __future__ import annotations

import sys

from vipd.cli import main

if __name__ == "__main__":
    sys.exit(main())
