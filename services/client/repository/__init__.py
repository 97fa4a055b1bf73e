"""Every statement of the client service, by resource."""
