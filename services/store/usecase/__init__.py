"""What can be done in the store service, and by whom, by resource."""
