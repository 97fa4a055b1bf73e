"""What can be done with accounts, sessions and tokens, and by whom."""
