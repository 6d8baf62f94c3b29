"""Connections to databases: private files, forks, threads that take turns, deadlines, and errors in faults of ours.

Only the modules ``sql…`` need SQLAlchemy, and only the modules ``redis_…`` redis-py.
"""
