"""The outbound side: messages made as the guard verifies them (WSS 1.1). Pure functions: no files, no clock.

The guard's answers and the client's requests are made here, by the same code.
"""

from wsguard.securing.plan import Securing, SigningKey, UsernameCredentials
from wsguard.securing.refusals import NotSecurable
from wsguard.securing.securing import secure

__all__ = ["NotSecurable", "Securing", "SigningKey", "UsernameCredentials", "secure"]
