"""Hostile messages that must be refused, each for its own reason, and odd but legal ones that must not.

The catalogue is data: ``catalogue.EVERYTHING`` lists every message with the guard that it is for, its class (A to L,
as ``cases.CLASSES`` names them), its source, and the check that must refuse it. ``test_attacks`` sends each to wsguard
in process; ``python -m tests.attacks`` sends them to any other guard over HTTP.
"""
