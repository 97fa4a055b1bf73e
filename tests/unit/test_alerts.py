"""What can be told of the alerts and of the stack's configuration without the tools themselves."""

import re
from pathlib import Path

import pytest
import yaml

from infra.embedded.state import ROOT
from tests.support.rules import RULES, Rule, alerts, read, rules

INFRA = ROOT / "infra"
RUNBOOKS = ROOT / "docs" / "runbooks"
METRICS = (ROOT / "docs" / "metrics.md").read_text()

_ALERTS = alerts()
_IDS = [alert["alert"] for alert in _ALERTS]
_PAGES = sorted(page for page in RUNBOOKS.glob("*.md") if page.name != "README.md")
_LABELS = re.compile(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without|ignoring) *\([^)]*\)")
_FUNCTIONS = re.compile(r"\b[a-z_]+ *(?=\()")
_WORDS = frozenset({"and", "or", "unless", "bool"})


def metrics_in(expression: str) -> set[str]:
    """Return the names of the metrics that an expression asks for."""
    left = _FUNCTIONS.sub(" ", _LABELS.sub(" ", expression))
    return set(re.findall(r"(?<![\w.])[a-z][\w:]*", left)) - _WORDS


def family(metric: str) -> str:
    """Return the name under which docs/metrics.md lists a series."""
    base = re.sub(r"_(bucket|count|sum)$", "", metric)
    return base if f"`{base}`" in METRICS else metric


@pytest.mark.parametrize("alert", _ALERTS, ids=_IDS)
def test_an_alert_says_how_urgent_it_is_what_it_is_and_what_to_do(alert: Rule) -> None:
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    heading = (ROOT / alert["annotations"]["runbook_url"]).read_text().splitlines()[0]
    name, window = re.fullmatch(r"(\w+?)(\d[hd])?", alert["alert"]).groups()  # type: ignore[union-attr]
    assert name in heading
    assert (window or "") in heading


def test_no_two_alerts_have_one_name() -> None:
    assert len(set(_IDS)) == len(_IDS)


def test_every_runbook_is_some_alert_s() -> None:
    named = {(ROOT / alert["annotations"]["runbook_url"]).name for alert in _ALERTS}
    assert {page.name for page in _PAGES} == named


def test_the_index_of_runbooks_has_every_alert_with_its_severity_and_page() -> None:
    lines = re.findall(
        r"^\| (Er.+|[A-Z]\w+(?:, \w+)*) \| (\w+) \| \[.+\]\((.+)\) \|$",
        (RUNBOOKS / "README.md").read_text(),
        re.MULTILINE,
    )
    listed = {(name, severity, page) for names, severity, page in lines for name in names.split(", ")}
    wanted = {
        (alert["alert"], alert["labels"]["severity"], Path(alert["annotations"]["runbook_url"]).name)
        for alert in _ALERTS
    }
    assert listed == wanted


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.stem)
def test_a_runbook_says_what_it_means_what_to_look_at_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    for part in ("**Means.**", "**Look at", "**Do**"):
        assert part in text
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_metric_of_a_rule_is_documented_or_recorded() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {metric for rule in rules() for metric in metrics_in(rule["expr"])} - recorded
    assert {metric for metric in asked if not documented(metric)} == set()
    assert asked > {"up", "events_outbox_oldest_seconds", "http_server_request_duration_seconds_bucket"}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.stem)
def test_every_metric_of_a_runbook_is_documented_or_recorded(page: Path) -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    queries = [
        text for text in re.findall(r"`([^`\n]+)`", page.read_text()) if "{job=" in text or "rate(" in text
    ]
    asked = {metric for query in queries for metric in metrics_in(query)} - recorded
    assert {metric for metric in asked if not documented(metric)} == set()


def documented(metric: str) -> bool:
    """Tell whether docs/metrics.md has it, or a pattern such as `pg_*` for it."""
    patterns = [re.escape(name).replace(r"\*", ".*") for name in re.findall(r"`([a-z_]+\*?)`", METRICS)]
    return any(re.fullmatch(pattern, family(metric)) for pattern in patterns)


def test_every_task_that_a_runbook_names_exists() -> None:
    tasks = yaml.safe_load((ROOT / "Taskfile.yml").read_text())["tasks"]
    named = {name for page in _PAGES for name in re.findall(r"\./taskw ([a-z][a-z:]*)", page.read_text())}
    assert named
    assert named <= set(tasks)


def test_prometheus_reads_every_file_of_rules() -> None:
    config = read(INFRA / "prometheus" / "prometheus.yml")
    read_files = {path for pattern in config["rule_files"] for path in (INFRA / "prometheus").glob(pattern)}
    assert read_files == set(RULES.iterdir())


def test_prometheus_scrapes_each_process_by_its_service() -> None:
    config = read(INFRA / "prometheus" / "prometheus.yml")
    [job] = [job for job in config["scrape_configs"] if job["job_name"] == "gerai"]
    assert {name for each in job["dns_sd_configs"] for name in each["names"]} == {
        "gateway",
        "auth",
        "client",
        "store",
    }
    assert job["relabel_configs"] == [{"source_labels": ["__meta_dns_name"], "target_label": "service"}]


def test_data_sources_lead_to_one_another() -> None:
    sources = read(INFRA / "grafana" / "provisioning" / "datasources" / "gerai.yaml")["datasources"]
    known = {source["uid"]: source["jsonData"] for source in sources}
    assert known["prometheus"]["exemplarTraceIdDestinations"] == [
        {"name": "trace_id", "datasourceUid": "tempo"}
    ]
    assert known["tempo"]["tracesToLogsV2"]["datasourceUid"] == "loki"
    assert known["tempo"]["tracesToMetrics"]["datasourceUid"] == "prometheus"
    assert known["tempo"]["serviceMap"]["datasourceUid"] == "prometheus"
    assert known["loki"]["derivedFields"][0]["datasourceUid"] == "tempo"


def test_no_secret_is_in_the_stack_s_configuration() -> None:
    files = [file for file in INFRA.rglob("*") if file.suffix in {".yml", ".yaml"}]
    assert files
    suspicious = re.compile(r"(?i)(?:password|token|api_url|routing_key|secret)\s*:\s+\S")
    assert [file for file in files if suspicious.search(file.read_text())] == []
