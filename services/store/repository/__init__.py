"""Every statement of the store service, by resource."""
