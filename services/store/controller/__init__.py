"""HTTP in and out of the store service, by resource."""
