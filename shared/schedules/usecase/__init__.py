"""What can be done with schedules, whoever owns them, by resource."""
