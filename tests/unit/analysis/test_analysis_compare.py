"""Comparing: what is flagged, what is not, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from support import synthetic as s
from viplab.analysis.baseline import Points, Series, points, read_points, write_baseline
from viplab.analysis.compare import Comparison, compare, lines
from viplab.analysis.conditions import ALLOWED
from viplab.analysis.run import analyze, write_summary
from viplab.errors import IncomparableError, InputError
from viplab.run_folder import RunFolder
from viplab.types import Provenance

BASELINES = s.REPOSITORY / "results" / "baselines"
DRAWS, TRIALS = 20, 10
PROVENANCE = Provenance(
    git="abc", argv=["viplab"], host_kernel="6", qemu="7", libvirt="9", accel="qemu", image="debian-12-1"
)


def recorded() -> list[list[float]]:
    """Deadline excesses of the committed baselines, and of a model of the first real run.

    That run has few: 5.1, 6.5, 7.9, 8.1, 8.1 and 8.9 ms on emulated guests. The model has their middle and three times
    their spread, and once in twenty a hiccup of up to 60 ms.
    """
    random = Random(4)
    modelled = [
        random.gauss(0.0075, 0.004) + (random.uniform(0, 0.06) if random.random() < 0.05 else 0) for _ in range(60)
    ]
    series = [series for path in sorted(BASELINES.glob("*.json")) for series in read_points(path).series]
    kept = [s.values for s in series if s.metric == "deadline_excess_s" and len(s.values) >= TRIALS]
    return [modelled, *kept]


def made(*series: Series, run: str = "base", **keys: object) -> Points:
    fields: dict[str, object] = {
        "run": run,
        "started": "2027",
        "lab": "libvirt",
        "accel": "qemu",
        "provenance": PROVENANCE,
        "versions": {},
        "undecided": 0,
        "noise_floor_s": None,
        "series": list(series),
    }
    return Points.model_validate(fields | keys)


def excess(values: list[float], subject: str = "vipd", metric: str = "deadline_excess_s") -> Series:
    return Series(scenario="case-c", subject=subject, profile="keepalived-2", metric=metric, values=values)


def of(base: list[float], new: list[float]) -> Comparison:
    return compare(made(excess(base)), made(excess(new), run="new"))


def flagged(pool: list[float], injected_s: float) -> int:
    random = Random(11)
    found = 0
    for _ in range(DRAWS):
        base, new = (random.choices(pool, k=TRIALS) for _ in range(2))
        found += of(base, [value + injected_s for value in new]).exit_status == 3
    return found


@pytest.mark.parametrize("pool", recorded(), ids=lambda pool: f"{len(pool)} values")
def test_fifty_milliseconds_are_flagged_in_nineteen_of_twenty_draws_of_ten_trials(pool: list[float]) -> None:
    assert flagged(pool, 0.05) >= 19


@pytest.mark.parametrize("pool", recorded(), ids=lambda pool: f"{len(pool)} values")
def test_the_same_against_itself_is_not_flagged_in_nineteen_of_twenty_draws(pool: list[float]) -> None:
    assert DRAWS - flagged(pool, 0.0) >= 19


FAST, SLOW = [0.005 + n / 10_000 for n in range(10)], [0.055 + n / 10_000 for n in range(10)]


def test_worse_is_three_better_and_same_are_none_undecided_is_two() -> None:
    worse, better, same, few = of(FAST, SLOW), of(SLOW, FAST), of(FAST, FAST), of(FAST[:4], SLOW[:4])
    assert [c.exit_status for c in (worse, better, same, few)] == [3, 0, 0, 2]
    assert [c.rows[0].mark for c in (worse, better, same, few)] == ["-", "+", "=", "?"]
    assert "cannot reach p < 0.01 below 5 a side" in few.rows[0].why
    assert worse.rows[0].interval_s is not None
    assert worse.rows[0].interval_s[0] < 0.05 < worse.rows[0].interval_s[1]


def test_trials_that_began_cold_and_from_memory_are_compared_only_where_that_is_allowed() -> None:
    base = made(excess(FAST), starts={"case-c, vipd": "cold start"})
    new = made(excess(FAST), run="new", starts={"case-c, vipd": "restored from memory"})
    with pytest.raises(IncomparableError, match="--across start"):
        compare(base, new)
    allowed = compare(base, new, across=("start",))
    assert allowed.exit_status == 0
    assert any("cold start and restored from memory" in line for line in lines(allowed))
    silent = compare(made(excess(FAST)), new)
    assert not any("restored" in line for line in lines(silent))


def test_a_shift_below_the_threshold_is_the_same_however_sure() -> None:
    comparison = of(FAST, [value + 0.019 for value in FAST])
    assert comparison.rows[0].p is not None
    assert comparison.rows[0].p < 0.01
    assert comparison.rows[0].mark == "="


def test_the_noise_floor_of_either_side_raises_the_threshold() -> None:
    floor = compare(made(excess(FAST)), made(excess(SLOW), run="new", noise_floor_s=0.06))
    assert (floor.rows[0].mark, floor.rows[0].threshold_s) == ("=", 0.06)


def test_a_shift_that_chance_could_make_is_undecided() -> None:
    wide = [0.0, 0.02, 0.04, 0.06, 0.08, 0.1]
    comparison = of(wide, [value + 0.03 for value in wide])
    assert (comparison.rows[0].mark, comparison.exit_status) == ("?", 2)


def test_takeovers_that_never_came_are_not_taken_for_good_ones() -> None:
    faults = [excess([0.1 * n for n in range(10)], metric="x_s")]
    all_came, seven_came = made(excess(FAST), *faults), made(excess(FAST[:7]), *faults, run="new")
    comparison = compare(all_came, seven_came)
    (gate,) = (row for row in comparison.rows if row.gates)
    assert (gate.mark, comparison.exit_status) == ("?", 2)
    assert gate.why == "in 3 of 10 trials nobody took over, in the base in 0"
    assert compare(seven_came, seven_came).exit_status == 0
    assert compare(seven_came, all_came).exit_status == 0


def test_other_metrics_have_marks_and_no_say() -> None:
    outages = [excess([1.0] * 10, metric="outage_s"), excess([2.0] * 10, metric="outage_s")]
    comparison = compare(made(excess(FAST), outages[0]), made(excess(FAST), outages[1], run="new"))
    assert [(row.metric, row.mark, row.gates) for row in comparison.rows] == [
        ("deadline_excess_s", "=", True),
        ("outage_s", "-", False),
    ]
    assert comparison.exit_status == 0
    without = compare(made(outages[0]), made(outages[1], run="new"))
    assert without.exit_status == 2


def test_a_subject_can_be_held_against_another() -> None:
    both = made(excess(FAST, "keepalived"), excess(SLOW, "vipd"))
    comparison = compare(both, both, ("keepalived", "vipd"))
    assert comparison.exit_status == 3
    assert comparison.rows[0].subject == "keepalived -> vipd"
    assert lines(comparison)[-1] == "vipd of base against keepalived of base: worse"
    with pytest.raises(InputError, match="'frr' names 0 subjects; there is keepalived/keepalived-2, vipd"):
        compare(both, both, ("keepalived", "frr"))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"lab": "netns"}, "lab: libvirt and netns"),
        ({"accel": "kvm"}, "accelerator: qemu and kvm"),
        ({"families": {"vipd/keepalived-2": "new"}}, "timing model of vipd/keepalived-2: old and new"),
        ({"scenarios": {"case-c": "2"}}, "scenario case-c: 1 and 2"),
        ({"series": [excess(FAST, "frr")]}, "nothing can be compared"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_reason(other: dict[str, object], said: str) -> None:
    with pytest.raises(IncomparableError, match=said) as caught:
        compare(
            made(excess(FAST), families={"vipd/keepalived-2": "old"}, scenarios={"case-c": "1"}),
            made(excess(FAST), run="new", **other),
            across=ALLOWED,
        )
    assert caught.value.exit_status == 2


MADE = {"image": "debian-12-2", "host_kernel": "7", "packages": {"A": {"systemd": "253"}, "B": {"systemd": "253"}}}
OLD = PROVENANCE.model_copy(update={"packages": {"A": {"systemd": "252"}}})


def later(**changed: object) -> Points:
    return made(excess(FAST), run="new", provenance=OLD.model_copy(update=changed), versions={"vipd": ["vipd 2"]})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (["image"], "image"),
        (["packages"], "image"),
        (["host_kernel"], "host"),
        (["image", "host_kernel", "packages"], "image,host"),
    ],
)
def test_what_may_differ_is_refused_with_what_to_allow_and_reported_once_allowed(
    changed: list[str], words: str
) -> None:
    base, new = (
        made(excess(FAST), provenance=OLD, versions={"vipd": ["vipd 1"]}),
        later(**{k: MADE[k] for k in changed}),
    )
    with pytest.raises(IncomparableError, match=f"--across {words} compares them") as caught:
        compare(base, new)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2
    text = lines(compare(base, new, across=words.split(",")))
    assert text[0].startswith("made under other conditions")
    for name in changed:
        was = {"image": "image: debian-12-1 and debian-12-2", "host_kernel": "host kernel: 6 and 7"}
        assert f"  {was.get(name, 'package systemd: 252 and 253')}" in text
    assert "version of vipd: vipd 1 and vipd 2" in text


def test_what_a_foreign_folder_says_of_itself_stays_one_line() -> None:
    base, new = made(excess(FAST), provenance=OLD), later(host_kernel="7\x1b[2J\nnew against base: the same or better")
    with pytest.raises(IncomparableError) as caught:
        compare(base, new)
    assert str(caught.value).isprintable()
    assert all(line.isprintable() for line in lines(compare(base, new, across=["host"])))


def test_what_is_compared_needs_no_leave_to_differ() -> None:
    subject = made(excess(FAST), provenance=OLD, versions={"systemd": ["252"]})
    other = made(excess(FAST), run="new", provenance=later(packages=MADE["packages"]).provenance)
    comparison = compare(subject, other.model_copy(update={"versions": {"systemd": ["253"]}}))
    assert lines(comparison)[0] == "version of systemd: 252 and 253"
    with pytest.raises(InputError, match="there is no such word; there is image, host"):
        compare(subject, subject, across=["imgae"])


@pytest.mark.parametrize("path", sorted(BASELINES.glob("*.json")), ids=lambda path: path.stem)
def test_a_run_of_today_is_held_against_a_committed_baseline_once_that_is_allowed(path: Path) -> None:
    kept = read_points(path)
    today = {
        "host_kernel": "7.1",
        "image": kept.provenance.image and "debian-12-0",
        "packages": {"A": {"systemd": "9"}},
    }
    fresh = kept.model_copy(
        update={
            "run": "fresh",
            "provenance": kept.provenance.model_copy(update=today),
            "families": {"vipd/keepalived-2": "keepalived-2"},
            "scenarios": {"failover": "1"},
        }
    )
    with pytest.raises(IncomparableError, match=r"--across (image,)?host compares them"):
        compare(kept, fresh)
    assert compare(kept, fresh, across=ALLOWED).exit_status == 0


def test_every_row_prints_its_mark_p_interval_and_n() -> None:
    text = lines(of(FAST, SLOW))
    assert text[1].split()[:6] == ["-", "case-c", "vipd/keepalived-2", "deadline_excess_s*", "5.45", "55.45"]
    assert text[1].endswith("1.1e-05  10/10")
    assert text[-2].endswith("5%, 20 ms and the noise floor (not measured)")
    assert text[-1] == "new against base: worse"


def test_a_runs_values_survive_being_kept_as_a_baseline(tmp_path: Path) -> None:
    run = RunFolder(s.write_run(tmp_path / "run", [s.power_cut(s.FAMILIES[1]), s.calibration(s.FAMILIES[1])]))
    view = analyze(run)
    write_summary(run, view)
    kept = points(view.summary)
    assert kept.noise_floor_s == 0.001
    first = write_baseline(tmp_path / "baselines" / "x.json", kept)
    assert read_points(tmp_path / "baselines" / "x.json") == read_points(run.path) == kept
    assert write_baseline(tmp_path / "baselines" / "x.json", kept) == first


@pytest.mark.parametrize(
    ("data", "said", "status"),
    [
        ({"schema": 2}, "its schema is 2", 2),
        ([], "says no schema", 64),
        ({"schema": 1, "kind": "points"}, "neither a summary nor a baseline", 64),
        ({"schema": 1}, "neither a summary nor a baseline", 64),
    ],
)
def test_what_is_no_summary_is_refused_in_one_line(tmp_path: Path, data: object, said: str, status: int) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=said) as caught:
        read_points(path)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == status
    with pytest.raises(InputError, match="missing"):
        read_points(tmp_path)
