"""WS-Security for Python SOAP services.

import wsguard

application = wsguard.guard(soap_app, "wsguard.toml")
"""

from wsguard.composition import guard
from wsguard.config import load_policy
from wsguard.policy import Policy
from wsguard.policy.problems import ConfigError
from wsguard.verified import Principal, VerifiedMessage
from wsguard.version import __version__

__all__ = ["ConfigError", "Policy", "Principal", "VerifiedMessage", "__version__", "guard", "load_policy"]
