"""Creating requests that may be repeated: Idempotency-Key (draft-ietf-httpapi-idempotency-key-header)."""
