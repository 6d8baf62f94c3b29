"""XML signatures in a wsse:Security header (XML Signature 1.1, WSS 1.1 §8): verified, and never merely present."""

from wsguard.signature.canonical import inherited_attributes
from wsguard.signature.reading import Canonicalization
from wsguard.signature.verification import (
    AnybodysKey,
    MessageContext,
    OpenedLater,
    SharedKey,
    SignatureVerifier,
    Signer,
    Symmetric,
    VerifiedSignature,
)

__all__ = [
    "AnybodysKey",
    "Canonicalization",
    "MessageContext",
    "OpenedLater",
    "SharedKey",
    "SignatureVerifier",
    "Signer",
    "Symmetric",
    "VerifiedSignature",
    "inherited_attributes",
]
