"""Every statement of the auth service."""
