"""What of a request its answer depends on: noted while the request is judged, also of one that is refused."""

from dataclasses import dataclass

from cryptography import x509

from wsguard.policy import Demands


@dataclass(slots=True)
class Exchange:
    """One request, as its answer sees it."""

    demands: Demands
    """Whose ``response`` holds: the service's, once it is known."""
    exempt: bool = False
    """Its answer is left alone."""
    recipient: x509.Certificate | None = None
    """The certificate of the signer that counts: validated in this request."""
    signature_values: tuple[bytes, ...] = ()
    """SignatureValue of every signature in it, each verified."""
    encryption: str = ""
    """Short name of the algorithm that its data were encrypted with; empty where nothing was."""
    key_transport: str = ""
    """The same of its keys; empty where none was transported by RSA."""
