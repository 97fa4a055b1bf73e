"""Messages and defaults of the store service."""

STORE_CREATED = "Store created"
STORE_CHANGED = "Store changed"

DUPLICATE_STORE = "Duplicate store! This code is already registered for this client."
STORE_NOT_FOUND = "Store with id '{uuid}' not found"
CLIENT_NOT_FOUND = "Client with id '{uuid}' not found"
CLIENT_INACTIVE = (
    "Client with id '{uuid}' is not active. Activate the client before adding or changing stores of it."
)
CLIENT_BEING_DELETED = (
    "Client with id '{uuid}' is being deleted, or has been: no store can be added to it. "
    "Should the deletion fail, it is possible again within seconds."
)
FENCE_OUTDATED = "Deletion {number} of the client was undone or followed by a later one; it sets no fence."
COORDINATES_BELONG_TOGETHER = "is needed together with {other}; give both or neither"
NEEDED_TOGETHER = "is needed together with {other}"
NEAR_HAS_AN_ORDER = "cannot be combined with near, which lists the nearest first"
LATITUDE_RANGE = "must begin with a latitude from -90 to 90"
LONGITUDE_RANGE = "must end with a longitude from -180 to 180"
ONE_INSTANT = "cannot be combined with open_at"
OPEN_NOW_IS_TRUE = "can only be true; leave it out to list stores open or not"

DEFAULT_COUNTRY = "ID"
DEFAULT_TIMEZONE = "Asia/Jakarta"
