"""Messages and defaults of the client service."""

CLIENT_CREATED = "Client created"
CLIENT_CHANGED = "Client changed"

DUPLICATE_CLIENT = "Duplicate client! This client is already registered."
CLIENT_NOT_FOUND = "Client with id '{uuid}' not found"

DEFAULT_COUNTRY = "ID"
DEFAULT_TIMEZONE = "Asia/Jakarta"
