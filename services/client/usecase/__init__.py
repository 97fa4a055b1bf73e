"""What can be done in the client service, and by whom, by resource."""
