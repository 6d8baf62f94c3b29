"""Whose certificates are believed: the files of ``[trust]``, and nothing that the system trusts."""

from wsguard.trust.choosing import CertificateTrust, load_trust

__all__ = ["CertificateTrust", "load_trust"]
