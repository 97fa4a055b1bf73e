"""Messages and defaults of the client service."""

CLIENT_CREATED = "Client created"
CLIENT_CHANGED = "Client changed"

DUPLICATE_CLIENT = "Duplicate client! This client is already registered."
CLIENT_NOT_FOUND = "Client with id '{uuid}' not found"

NOT_YOUR_CLIENT = "is not the e-mail address of your client. Your role does not allow to create others."

CLIENT_HAS_STORES = (
    "Client with id '{uuid}' still has stores: {count}. "
    "Close them first, or add ?cascade=true to close them together with the client."
)
DELETION_UNDER_WAY = "Client with id '{uuid}' is being deleted already. Look again in a few seconds."
DELETION_UNDONE = "Deleting the client took too long and was undone; nothing has changed. Try again."

DEFAULT_COUNTRY = "ID"
DEFAULT_TIMEZONE = "Asia/Jakarta"
