from __future__ import annotations

import sys
from pathlib import Path

# One playbook for all tests of the state machine.
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "vipd"))
