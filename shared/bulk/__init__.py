"""Bulk import and export: files in CSV (RFC 4180) or NDJSON, staged in PostgreSQL, applied set by set.

It knows no business word: what a row means is told by each service in a `Kind` (`shared.bulk.kind`).
"""
