"""HTTP in and out of the auth service."""
