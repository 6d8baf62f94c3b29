"""Mutation testing of the modules that check: ``make mutants``. How to read its table: docs/mutants.md."""
