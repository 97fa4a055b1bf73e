"""The arithmetic of opening hours: weeks, exceptions and pauses, in any time zone.

Nothing here reads or writes anything, or knows whose hours they are.
"""
