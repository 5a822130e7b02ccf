"""A school in a box: a real implementation of the upstream's contract on SQLite, with invented people.

Imports nothing of the product but `status.py`, so that it can't share a client's mistake.
"""
