"""What of a request its answer depends on: noted while the request is judged, also of one that is refused."""

from dataclasses import dataclass, field

from cryptography import x509

from wsguard.policy import Demands


@dataclass(slots=True)
class Exchange:
    """One request, as its answer sees it."""

    demands: Demands
    """Whose ``response`` holds: the service's, once it is known."""
    exempt: bool = False
    """Its answer is left alone."""
    plain: Demands = field(init=False)
    """Whose ``response`` holds for a fault: as far as could be told before anything was decrypted."""
    sealed: bool = False
    """Something of it was decrypted, or could not be, and it was refused: a fault must not tell which (FACTS S12)."""
    recipient: x509.Certificate | None = None
    """The certificate of the signer that counts: validated in this request."""
    signature_values: tuple[bytes, ...] = ()
    """SignatureValue of every signature in it, each verified."""
    encryption: str = ""
    """Short name of the algorithm that its data were encrypted with; empty where nothing was."""
    key_transport: str = ""
    """The same of its keys; empty where none was transported by RSA."""

    def __post_init__(self) -> None:
        self.plain = self.demands
