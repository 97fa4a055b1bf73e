"""HTTP in and out of the client service, by resource."""
