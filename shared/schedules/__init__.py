"""Schedules of opening hours, whoever owns them: their tables, statements, rules and HTTP.

A service says what its owners are (`owners.py`); the rest is the same for all. The arithmetic is in
`shared.hours`.
"""
