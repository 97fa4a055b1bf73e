"""Every alert fires when it should and not before, and would be noticed if its threshold were another."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.causes import CAUSES
from tests.alerts.objectives import objectives
from tests.alerts.rules import Case, Promtool
from tests.support.rules import Rule, alerts

pytestmark = pytest.mark.alerts

_CASES = [*objectives(), *CAUSES]
_ALERTS = alerts()
_NAMES = [alert["alert"] for alert in _ALERTS]

_NUMBER = re.compile(
    r"(?P<compared>[<>] )?(?<![\w.\[])(?P<number>\d+(?:\.\d+)?)(?![\w.])(?P<scaled>(?= \*))?"
)


def cases_of(alert: Rule) -> list[Case]:
    return [case for case in _CASES if case.alert == alert["alert"]]


def changed(alert: Rule) -> Iterator[tuple[str, Rule]]:
    """Yield the alert with one number or duration a little larger or smaller, for each that it has."""
    expression = alert["expr"]
    for found in _NUMBER.finditer(expression):
        for other in others(found["number"], counted=bool(found["compared"]) and found["scaled"] is None):
            text = f"{expression[: found.start('number')]}{other:g}{expression[found.end('number') :]}"
            yield (
                f"{alert['alert']}:{found.start('number')}: {other:g} for {found['number']}",
                {**alert, "expr": text},
            )
    if "for" in alert:
        minutes = int(alert["for"][:-1]) * (60 if alert["for"].endswith("h") else 1)
        for other in (minutes - 1, minutes + 1):
            yield f"{alert['alert']}: {other}m for {alert['for']}", {**alert, "for": f"{other}m"}


def others(number: str, *, counted: bool) -> tuple[float, float]:
    """Return the next counts where a few are compared with, else a tenth less and more."""
    value = float(number)
    if counted and value in {0, 1, 2} and "." not in number:
        return value - 1, value + 1
    return value * 0.9, value * 1.1


_CHANGED = [each for alert in _ALERTS for each in changed(alert)]


@pytest.mark.parametrize("alert", _ALERTS, ids=_NAMES)
def test_it_fires_when_it_should_and_not_before(alert: Rule, promtool: Promtool, tmp_path: Path) -> None:
    cases = cases_of(alert)
    assert any(case.fires for case in cases)
    assert any(not case.fires for case in cases)
    assert promtool.plays(alert, cases, tmp_path) == ""


@pytest.mark.parametrize("alert", [alert for _, alert in _CHANGED], ids=[name for name, _ in _CHANGED])
def test_another_threshold_would_be_noticed(alert: Rule, promtool: Promtool, tmp_path: Path) -> None:
    found = promtool.plays(alert, cases_of(alert), tmp_path)
    assert "FAILED" in found, "no case tells the difference"
    assert "exp:" in found, found


@pytest.mark.parametrize("alert", _ALERTS, ids=_NAMES)
def test_what_it_says_has_labels_that_it_has(alert: Rule) -> None:
    labels = {name for case in cases_of(alert) for fired in case.fires for name in fired}
    said = set(re.findall(r"\$labels\.(\w+)", str(alert["annotations"])))
    assert said <= labels
