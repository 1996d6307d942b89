"""A trial by hand is kept with what its marker expects, and with the owner that its last wait names."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml

from viplab.experiment.by_hand import TrialByHand, plan_by_hand
from viplab.experiment.scenario_runner import ScenarioRunner
from viplab.lab.netns.kind import NETNS
from viplab.run_folder import TrialFolder
from viplab.subjects.registry import assignment


def asked(**more: Any) -> dict[str, Any]:
    (source, _), *_ = plan_by_hand("t", more, assignment("vipd"), NETNS).scenarios
    document: dict[str, Any] = yaml.safe_load(source)
    return document


@pytest.mark.parametrize("wait", [{"master": "B"}, {"announced": "B"}])
def test_a_wait_names_the_owner_and_leaves_the_rest_of_what_is_expected(wait: dict[str, Any], tmp_path: Path) -> None:
    document = asked(expect={"ping_outage_s": 3, "two_owners_s": 0})
    assert document["expect"] == {"owner": "A", "ping_outage_s": 3, "two_owners_s": 0}
    trial = TrialByHand(document, Mock(ScenarioRunner), TrialFolder(tmp_path), ExitStack())
    trial.do("wait", {**wait, "within": 5})
    trial.do("wait", {"pings": 1})
    assert yaml.safe_load(trial.end())["expect"] == {"owner": "B", "ping_outage_s": 3, "two_owners_s": 0}
