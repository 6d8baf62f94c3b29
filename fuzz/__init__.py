"""Fuzzing: each target judges any octets, and says where something that must always hold does not.

A target needs nothing but the packages of the tests, so that ``tests/fuzzing`` runs it too. ``python -m fuzz`` lets
atheris choose the octets.
"""
