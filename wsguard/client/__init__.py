"""The client that Python lacks: requests secured as ``wsguard.securing`` does it, answers verified and decrypted.

For zeep: ``zeep.Client(wsdl, wsse=wsguard.client.from_files(...))``. Without zeep: ``secure_request`` and
``verify_answer``, octets in and octets out. zeep itself is imported by ``zeep_transport``
only; ``pip install "wsguard[client]"`` brings it.
"""

from wsguard.client.answers import Answers
from wsguard.client.files import from_files
from wsguard.client.plugin import ZeepSecurity
from wsguard.client.refusals import AnswerRefused, UnverifiedFault
from wsguard.client.sending import Secured, Sent, secure_request
from wsguard.client.transport import zeep_transport
from wsguard.client.verifying import VerifiedAnswer, verify_answer
from wsguard.interfaces import DecryptionKey
from wsguard.securing import NotSecurable, Securing, SigningKey, UsernameCredentials
from wsguard.trust.material import Material

__all__ = [
    "AnswerRefused",
    "Answers",
    "DecryptionKey",
    "Material",
    "NotSecurable",
    "Secured",
    "Securing",
    "Sent",
    "SigningKey",
    "UnverifiedFault",
    "UsernameCredentials",
    "VerifiedAnswer",
    "ZeepSecurity",
    "from_files",
    "secure_request",
    "verify_answer",
    "zeep_transport",
]
