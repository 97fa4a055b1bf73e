"""Redis as a cache: what is read from it is never older than the last acknowledged write.

`reads` holds answers and says how that is kept; docs/decisions/0011-cache.md says why it is done so.
"""
