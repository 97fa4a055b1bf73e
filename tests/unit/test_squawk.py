from pathlib import Path

from infra.squawk.linting import Finding, judge, lint
from tests.support.migrations import write_revision

NOT_NULL = Finding("/tmp/store 0010.sql", 3, "adding-not-nullable-field", "It blocks.", "Do otherwise.")  # noqa: S108 - no such file


def test_what_is_dangerous_is_found_in_each_revision(tmp_path: Path) -> None:
    write_revision(tmp_path, 1, "op.execute('CREATE TABLE IF NOT EXISTS things (number bigint)')")
    write_revision(tmp_path, 2, "op.create_index('by_number', 'things', ['number'])")
    write_revision(tmp_path, 3, "create_index('things_by_number', 'things', ['number'])")
    write_revision(tmp_path, 4, "op.execute('ALTER TABLE things ADD CONSTRAINT few CHECK (number < 9)')")
    write_revision(
        tmp_path, 5, "op.execute('ALTER TABLE things ADD CONSTRAINT positive CHECK (number > 1) NOT VALID')"
    )
    found = {(each.revision, each.rule_name) for each in lint({"store": tmp_path})}
    assert found == {
        ("store 0002", "require-concurrent-index-creation"),
        ("store 0004", "constraint-missing-not-valid"),
    }


def test_findings_are_told_with_what_to_do() -> None:
    assert judge([NOT_NULL], {}) == ["store 0010: adding-not-nullable-field: It blocks. Do otherwise."]


def test_exclusions_are_of_one_revision_or_of_all() -> None:
    excluded = {NOT_NULL.rule_name: "why"}
    assert judge([NOT_NULL], {"store 0010": excluded}) == []
    assert judge([NOT_NULL], {"everywhere": excluded}) == []


def test_an_exclusion_of_nothing_is_told() -> None:
    told = judge([NOT_NULL], {"everywhere": {NOT_NULL.rule_name: "why"}, "store 0011": {"rule": "why"}})
    assert told == ["store 0011: rule is excluded and does not occur"]
