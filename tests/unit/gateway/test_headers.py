"""Which headers pass."""

import pytest

from gateway.headers import HOP_BY_HOP, ends_with_connection, split_answer, split_request


def test_ordinary_headers_pass_in_order_with_their_duplicates() -> None:
    headers = [(b"accept", b"a"), (b"x-tag", b"1"), (b"cookie", b""), (b"x-tag", b"2"), (b"user", b"\xff")]
    assert split_request(headers) == (headers, {})


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
def test_hop_by_hop_headers_do_not_pass(name: bytes) -> None:
    assert split_request([(name, b"x"), (b"accept", b"a")])[0] == [(b"accept", b"a")]
    assert split_answer([(name, b"x"), (b"vary", b"a")], 200)[0] == [(b"vary", b"a")]


def test_what_connection_names_does_not_pass() -> None:
    connection = [(b"connection", b"close, X-One"), (b"connection", b"keep-alive,x-two")]
    named = [(b"x-one", b"1"), (b"x-two", b"2")]
    assert split_request([*named, (b"x-three", b"3"), *connection])[0] == [(b"x-three", b"3")]
    assert split_answer([*named, (b"x-three", b"3"), *connection], 200)[0] == [(b"x-three", b"3")]


def test_connection_cannot_take_away_what_the_gateway_needs() -> None:
    headers = [
        (b"connection", b"authorization, content-length"),
        (b"authorization", b"Bearer x"),
        (b"content-length", b"1"),
    ]
    _, own = split_request(headers)
    assert own[b"authorization"] == b"Bearer x"
    assert own[b"content-length"] == b"1"


@pytest.mark.parametrize(
    "name",
    [
        b"x-user",
        b"x-user-id",
        b"x_user_id",
        b"x-auth-request-email",
        b"x-client-uuid",
        b"x-role",
        b"x-roles",
        b"x-principal",
        b"x-principal-name",
        b"remote-user",
        b"remote_user",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"x-forwarded-user",
        b"x-forwarded-email",
        b"x_forwarded_for",
        b"x-internal",
        b"x-internal-token",
        b"x-real-ip",
        b"forwarded",
    ],
)
def test_who_a_caller_claims_to_be_does_not_pass(name: bytes) -> None:
    assert split_request([(name, b"admin")]) == ([], {})


def test_several_of_one_name_are_one_list() -> None:
    _, own = split_request([(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")])
    assert own[b"authorization"] == b"Bearer a, Bearer b"


def test_what_the_gateway_says_itself_is_not_taken_from_the_answer() -> None:
    headers = [(b"server", b"x"), (b"date", b"x"), (b"x-request-id", b"x"), (b"x-content-type-options", b"x")]
    assert split_answer(headers, 200) == ([], None)


def test_the_length_is_read_and_passes_except_where_no_body_may_come() -> None:
    headers = [(b"content-length", b"42"), (b"etag", b'"1"')]
    assert split_answer(headers, 200) == (headers, 42)
    assert split_answer(headers, 304) == ([(b"etag", b'"1"')], 42)


@pytest.mark.parametrize(
    ("name", "expected"), [(b"content-length", False), (b"transfer-encoding", False), (b"vary", True)]
)
def test_a_body_without_a_length_ends_with_its_connection(name: bytes, *, expected: bool) -> None:
    assert ends_with_connection([(name, b"x")]) is expected
