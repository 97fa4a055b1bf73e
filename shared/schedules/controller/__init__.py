"""HTTP in and out of schedules, whoever owns them, by resource."""
