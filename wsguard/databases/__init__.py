"""Connections to databases: private files, forks, threads that take turns, and errors in faults of ours.

Only the modules ``sql…`` need SQLAlchemy.
"""
