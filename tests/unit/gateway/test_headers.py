"""Which headers pass."""

import pytest

from gateway.headers import HOP_BY_HOP, split_request


def test_ordinary_headers_pass_in_order_with_their_duplicates() -> None:
    headers = [(b"accept", b"a"), (b"x-tag", b"1"), (b"cookie", b""), (b"x-tag", b"2"), (b"user", b"\xff")]
    assert split_request(headers) == (headers, {})


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
def test_hop_by_hop_headers_do_not_pass(name: bytes) -> None:
    assert split_request([(name, b"x"), (b"accept", b"a")])[0] == [(b"accept", b"a")]


def test_what_connection_names_does_not_pass() -> None:
    connection = [(b"connection", b"close, X-One"), (b"connection", b"keep-alive,x-two")]
    named = [(b"x-one", b"1"), (b"x-two", b"2")]
    assert split_request([*named, (b"x-three", b"3"), *connection])[0] == [(b"x-three", b"3")]


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
