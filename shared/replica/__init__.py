"""A read replica: which reads it may answer, so that callers see what they wrote and nothing too old.

docs/decisions tells why it is done so (A replica answers who has not just written).
"""
