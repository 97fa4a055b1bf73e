"""What stands for a name tells nothing of it, and is the same for every spelling."""

import hashlib

from services.auth.pseudonyms import Pseudonyms
from shared.config import Secret

ONE, OTHER = (Pseudonyms(Secret(letter * 32)) for letter in "ab")


def test_spellings_share_one_and_accounts_do_not() -> None:
    assert ONE.of_account("Sri@Example.com") == ONE.of_account("sri@example.COM")
    assert ONE.account_uuid("Sri@Example.com") == ONE.account_uuid("sri@example.COM")
    assert ONE.of_account("sri@example.com") != ONE.of_account("tri@example.com")
    assert ONE.account_uuid("sri@example.com") != ONE.account_uuid("tri@example.com")


def test_without_the_key_they_cannot_be_computed() -> None:
    email = "sri@example.com"
    assert ONE.of_account(email) != OTHER.of_account(email)
    assert ONE.account_uuid(email) != OTHER.account_uuid(email)
    assert ONE.of_account(email) != hashlib.sha256(email.encode()).digest()
    # Nor does what is shown give away what attempts are counted by.
    assert ONE.account_uuid(email).bytes[:6] != ONE.of_account(email)[:6]


def test_they_are_uuids_of_version_8() -> None:
    for number in range(100):
        uuid = ONE.uuid("service", str(number))
        assert (uuid.version, uuid.variant) == (8, "specified in RFC 4122")
    assert len({ONE.uuid("service", str(number)) for number in range(100)}) == 100
    assert ONE.uuid("service", "x") != ONE.uuid("signing secret", "x")
