"""Messages and defaults of the store service."""

STORE_CREATED = "Store created"
STORE_CHANGED = "Store changed"

DUPLICATE_STORE = "Duplicate store! This code is already registered for this client."
STORE_NOT_FOUND = "Store with id '{uuid}' not found"
CLIENT_NOT_FOUND = "Client with id '{uuid}' not found"
CLIENT_INACTIVE = (
    "Client with id '{uuid}' is not active. Activate the client before adding or changing stores of it."
)
COORDINATES_BELONG_TOGETHER = "is needed together with {other}; give both or neither"

DEFAULT_COUNTRY = "ID"
DEFAULT_TIMEZONE = "Asia/Jakarta"
