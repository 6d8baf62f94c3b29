"""Others that verify the same signed message, each parsing it first as its users do."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import xmlsec
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from zeep.wsse import signature as zeep_signature

from bench.profiles import CLIENT
from wsguard.names import DS

Verify = Callable[[bytes], object]
"""Raises where the message does not verify."""


def _libxmlsec() -> Verify:
    """All of it by libxmlsec: canonical forms, digests, value; the key is loaded once."""
    key = xmlsec.Key.from_memory(CLIENT.certificate.public_bytes(Encoding.PEM), xmlsec.constants.KeyDataFormatCertPem)

    def verify(octets: bytes) -> None:
        root = etree.fromstring(octets)
        xmlsec.tree.add_ids(root, ["Id"])
        context = xmlsec.SignatureContext()
        context.key = key
        context.verify(next(root.iter(f"{{{DS}}}Signature")))

    return verify


def _zeep() -> Verify:
    """zeep's ``Signature`` plug-in, as it verifies answers."""
    key = xmlsec.Key.from_memory(CLIENT.certificate.public_bytes(Encoding.PEM), xmlsec.constants.KeyDataFormatCertPem)
    verify: Any = zeep_signature._verify_envelope_with_key
    return lambda octets: verify(etree.fromstring(octets), key)


def _signxml() -> Verify | None:
    """signxml, told what to expect; None where it is not here."""
    try:
        from signxml.verifier import SignatureConfiguration, XMLVerifier
    except ModuleNotFoundError:
        return None
    configuration = SignatureConfiguration(expect_references=2, require_x509=True, location=".//")

    def verify(octets: bytes) -> None:
        XMLVerifier().verify(octets, x509_cert=CLIENT.certificate, id_attribute="Id", expect_config=configuration)

    return verify


def rivals() -> Mapping[str, Verify]:
    """Those that are here, by name; the first is the one that goals are stated against."""
    signxml = _signxml()
    return {
        "libxmlsec full verify": _libxmlsec(),
        "zeep verify": _zeep(),
        **({} if signxml is None else {"signxml verify": signxml}),
    }


FIRST: Final = "libxmlsec full verify"
