import pytest

from shared.text import clean, prefix_query, unique_key, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Café", "Cafe\u0301"),
        ("Ａｂｃ", "abc"),
        ("  Kopi   Susu ", "kopi susu"),
        ("STRASSE", "straße"),
        ("ﬁnance", "FINANCE"),
    ],
)
def test_spellings_that_look_the_same_have_the_same_key(one: str, other: str) -> None:
    assert unique_key(one) == unique_key(other)


def test_different_names_have_different_keys() -> None:
    assert unique_key("Kopi 1") != unique_key("Kopi 2")


def test_clean_composes_and_trims() -> None:
    assert clean("  Cafe\u0301 ") == "Café"


def test_emails_and_phones_fall_into_words() -> None:
    assert words("halo@kopi-susu.example", "+62812345678") == [
        "halo",
        "kopi",
        "susu",
        "example",
        "62812345678",
    ]


def test_words_lose_accents_and_repeat_once() -> None:
    assert words("Café cafe CAFÉ", None) == ["cafe"]


def test_long_words_are_cut_and_come_once() -> None:
    assert words("a" * 101, "b", None, "a" * 102) == ["a" * 100, "b"]


@pytest.mark.parametrize("text", ["", "  ", "!!! --", "'", "&|!:*"])
def test_text_without_a_word_asks_nothing(text: str) -> None:
    assert prefix_query(text) is None


def test_a_query_is_made_of_quoted_prefixes() -> None:
    assert prefix_query("kop' jak&") == "'kop':* & 'jak':*"
