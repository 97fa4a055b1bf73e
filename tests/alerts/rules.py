"""Cases of alerts, and promtool, which plays them through."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.rules import Rule, rules

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """What is measured every `interval` from the start on, and which alerts there are of it at `at`.

    `series` gives values in promtool's notation; `fires` the labels of each alert but those of its rule.
    """

    alert: str
    at: str
    series: Mapping[str, str]
    fires: Sequence[Labels] = ()
    interval: str = "1m"


class Promtool:
    """The program, which ends with 0 if all is as it should be."""

    def __init__(self, path: str) -> None:
        self._path = path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run it, and return how it ended and what it said."""
        return subprocess.run([self._path, *arguments], capture_output=True, text=True, check=False)

    def plays(self, rule: Rule, cases: Sequence[Case], folder: Path) -> str:
        """Play cases through an alert and what it needs recorded; return what was not as expected."""
        bare = {name: part for name, part in rule.items() if name != "annotations"}
        groups = [{"name": "tested", "rules": [*_recording(rule["expr"]), bare]}]
        (folder / "rules.yml").write_text(json.dumps({"groups": groups}))
        tests = [_test(rule, case) for case in cases]
        interval = {case.interval for case in cases}.pop()
        test = {"rule_files": ["rules.yml"], "evaluation_interval": interval, "tests": tests}
        (folder / "test.yml").write_text(json.dumps(test))
        done = self.run("test", "rules", str(folder / "test.yml"))
        return "" if done.returncode == 0 else done.stdout + done.stderr


def _recording(expression: str) -> list[Rule]:
    """Return the recording rules that an expression needs, those before it that they need included."""
    needed: list[Rule] = []
    for rule in reversed([each for each in rules() if "record" in each]):
        if rule["record"] in expression or any(rule["record"] in each["expr"] for each in needed):
            needed.insert(0, rule)
    return needed


def _test(rule: Rule, case: Case) -> Mapping[str, object]:
    expected = [{"exp_labels": {**rule["labels"], **labels}} for labels in case.fires]
    return {
        "interval": case.interval,
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "alert_rule_test": [{"eval_time": case.at, "alertname": case.alert, "exp_alerts": expected}],
    }
