"""Changes of aggregates as events: recorded with the change itself, published by a relay, consumed once."""
