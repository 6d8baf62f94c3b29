"""Measurements. They run from a checkout, are no part of the package, and no test depends on a time."""
