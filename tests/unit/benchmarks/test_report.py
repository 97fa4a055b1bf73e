import pytest

from benchmarks.report import Result, comparison, document, table
from benchmarks.rounds import Sample

SLOW = [Sample(rate=100, cpu_share=1.0, others_share=0.0), Sample(rate=50, cpu_share=0.5, others_share=0.5)]
FAST = [Sample(rate=300, cpu_share=1.0, others_share=0.0), Sample(rate=200, cpu_share=0.5, others_share=0.5)]


@pytest.mark.parametrize(("least", "met"), [(3.0, True), (3.5, True), (3.6, False)])
def test_the_median_of_the_turns_ratios_decides(least: float, met: bool) -> None:  # noqa: FBT001
    result = comparison({"ours": FAST, "peer": SLOW}, "ours", "peer", least)
    assert result.ratio == "3.50x (3.00 to 4.00)"
    assert result.met is met


def test_speed_does_not_depend_on_who_else_uses_the_core() -> None:
    assert {sample.per_cpu_second for sample in SLOW} == {100}


def test_the_table_is_markdown_with_a_verdict_for_each_figure() -> None:
    results = [
        Result("a", "1", "2", "0.5x", "> 1", met=False),
        Result("b", "", "not installed", "", "> 1", met=None),
    ]
    lines = table(results).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[2].endswith("| NO          |")
    assert lines[3].endswith("| cannot tell |")
    assert table(results) in document(results)
