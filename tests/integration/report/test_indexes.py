from infra.report import indexes
from infra.report.section import Answer
from tests.integration.report.conftest import Ask, Connection
from tests.support.databases import TestDatabase, connect

MANY = 20_000


def names(answer: Answer, column: str = "index") -> list[str]:
    return [row[column] for row in answer.rows]


async def test_a_large_table_that_is_read_from_end_to_end(planted: Connection, ask: Ask) -> None:
    await planted.execute("CREATE TABLE large (id int PRIMARY KEY, code int)")
    await planted.execute("INSERT INTO large SELECT n, n FROM generate_series(1, $1) n", MANY)
    await planted.fetch("SELECT FROM large WHERE id = 1")
    assert (await ask("Large tables")).instead == "None."
    await planted.fetch("SELECT FROM large WHERE code = 1")
    answer = await ask("Large tables")
    assert names(answer, "table") == ["large"]
    assert (answer.rows[0]["rows"], answer.rows[0]["rows_each_time"]) == (
        MANY,
        MANY / 2,
    )  # making its key was the other


async def test_a_foreign_key_without_an_index(planted: Connection, ask: Ask) -> None:
    await planted.execute("""
        CREATE TABLE parents (a int, b int, PRIMARY KEY (a, b), UNIQUE (a));
        CREATE TABLE bare (id int PRIMARY KEY, a int REFERENCES parents (a));
        CREATE TABLE indexed (id int PRIMARY KEY, a int REFERENCES parents (a));
        CREATE INDEX ON indexed (a, id);
        CREATE TABLE behind (id int PRIMARY KEY, a int REFERENCES parents (a));
        CREATE INDEX ON behind (id, a);
        CREATE TABLE present (id int PRIMARY KEY, a int REFERENCES parents (a));
        CREATE INDEX ON present (a) WHERE a IS NOT NULL;
        CREATE TABLE partial (id int PRIMARY KEY, a int REFERENCES parents (a));
        CREATE INDEX ON partial (a) WHERE id > 10;
        CREATE TABLE pairs (a int, b int, FOREIGN KEY (a, b) REFERENCES parents);
        CREATE INDEX ON pairs (b);
    """)
    answer = await ask("Foreign keys")
    assert names(answer, "table") == ["bare", "behind", "partial"]
    assert (answer.rows[0]["columns"], answer.rows[0]["refers_to"]) == ("a", "parents")


async def test_an_index_that_no_query_used(planted: Connection, ask: Ask) -> None:
    await planted.execute("CREATE TABLE things (id int PRIMARY KEY, used int, unused int, single int UNIQUE)")
    await planted.execute("CREATE INDEX by_used ON things (used); CREATE INDEX by_unused ON things (unused)")
    await planted.execute("CREATE UNIQUE INDEX guarding ON things (single)")
    await planted.execute("INSERT INTO things SELECT n, n, n, n FROM generate_series(1, $1) n", MANY)
    await planted.execute("ANALYZE things")
    await planted.fetch("SELECT FROM things WHERE used = 1")
    answer = await ask("Indexes that no query used")
    assert names(answer) == ["by_unused"]
    assert answer.rows[0]["writes"] == MANY


async def test_an_index_that_another_one_makes_redundant(planted: Connection, ask: Ask) -> None:
    await planted.execute("""
        CREATE TABLE things (a int, b int, c text, CONSTRAINT things_a_key UNIQUE (a));
        CREATE INDEX same_as_key ON things (a);
        CREATE INDEX short ON things (b);
        CREATE INDEX twin ON things (b, c);
        CREATE INDEX twins ON things (b, c);
        CREATE INDEX expression ON things (lower(c));
        CREATE INDEX longer_expression ON things (lower(c), a);
    """)
    answer = await ask("Indexes that another one")
    assert set(names(answer)) == {"same_as_key", "short", "twins", "expression"}
    assert {(row["index"], row["beside"]) for row in answer.rows} >= {
        ("same_as_key", "things_a_key"),
        ("twins", "twin"),
        ("expression", "longer_expression"),
    }


async def test_an_index_that_is_like_another_and_yet_not_redundant(planted: Connection, ask: Ask) -> None:
    await planted.execute("""
        CREATE TABLE things (a int, b int, c text, d int[]);
        CREATE INDEX ON things (a, b);
        CREATE UNIQUE INDEX ON things (a);
        CREATE INDEX ON things (b) WHERE a > 0;
        CREATE INDEX ON things (b DESC NULLS LAST, c);
        CREATE INDEX ON things (b, a);
        CREATE INDEX ON things (c);
        CREATE INDEX ON things (c text_pattern_ops);
        CREATE INDEX ON things (c COLLATE "C");
        CREATE INDEX ON things (b, a) INCLUDE (c);
        CREATE INDEX ON things USING gin (d);
        CREATE INDEX ON things USING hash (c);
    """)
    assert names(await ask("Indexes that another one")) == [
        "things_b_a_idx"
    ]  # beside the one that includes c


async def test_our_own_databases_have_every_index_once(databases: dict[str, TestDatabase]) -> None:
    found: dict[str, list[str]] = {}
    for service, database in databases.items():
        connection = await connect(database.owner)
        redundant = await connection.fetch(indexes.REDUNDANT.sql)
        unindexed = await connection.fetch(indexes.UNINDEXED_REFERENCES.sql)
        await connection.close()
        found[service] = [row["index"] for row in redundant] + [row["table"] for row in unindexed]
    # Users are ended, never deleted, so nothing has to look for the sessions of one that goes.
    assert found == {"auth": ["sessions"], "client": [], "store": []}
