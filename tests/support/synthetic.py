"""The product's own known truth, as the tests of the analyser use it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from viplab.ground_truth import maker
from viplab.ground_truth.cases import *  # noqa: F403
from viplab.ground_truth.cases import ARTICLE as CASES  # noqa: F401
from viplab.ground_truth.maker import *  # noqa: F403
from viplab.ground_truth.wire import pcap_bytes  # noqa: F401

REPOSITORY = Path(__file__).parents[2]
REFERENCE = REPOSITORY / "results" / "reference" / "article.yaml"


def write_run(root: Path, trials: Sequence[maker.Trial]) -> Path:
    """A whole run folder, judged against the article."""
    return maker.write_run(root, trials, REFERENCE.read_text(encoding="utf-8"))
