"""A connector as Pega describes it: a keystore, a signature, a Timestamp and an encrypted Body, in zeep.

``wsguard.client`` does it. zeep itself signs, but neither encrypts nor decrypts.
"""

from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from lxml.etree import _Element

from sample_service.certificates import CLUB, PEGA, keystore
from wsguard.client import ZeepSecurity, from_files
from wsguard.names import ENCRYPTED_DATA, ENCRYPTED_KEY, TOKEN_TYPE, WSSE, WSU_ID, XENC
from wsguard.policy.demands import AlgorithmDemands

OLD: Final = "tripledes-cbc"
"""What Pega's published example encrypts with."""


def connector(
    certificates: Path,
    client: str = PEGA,
    *,
    encryption: str = "aes256-gcm",
    signs: bool = True,
    encrypts: bool = True,
    recipient: Path | None = None,
) -> ZeepSecurity:
    """What zeep takes for ``wsse``.

    Args:
        certificates: directory that ``make_certificates`` made.
        client: whose keystore signs requests and opens answers.
        encryption: of the Body. Answers come in the same, so it is taken in them too.
        signs: whether requests are signed.
        encrypts: whether requests are encrypted. Answers must be, whatever is said here.
        recipient: another certificate to encrypt for than the club's.
    """
    own, club = keystore(certificates, client), keystore(certificates, CLUB)
    usual = AlgorithmDemands()
    return from_files(
        sign=own.source if signs else None,
        decrypt=own.source,
        encrypt_for=(recipient or club.certificate) if encrypts else None,
        encryption=encryption,
        server_certificate=club.certificate,
        algorithms=usual.model_copy(update={"encryption": (*usual.encryption, encryption)}),
        expect=("signed", "timestamp", "confirmation", "encrypted"),
    )


class AsPublished:
    """The same with every Id and reference written as Pega's example has them. What they mean is not changed by it."""

    def __init__(self, security: ZeepSecurity) -> None:
        self._security: Final = security

    def apply(self, envelope: _Element, headers: Any) -> tuple[_Element, Any]:  # noqa: ANN401 - zeep's interface
        """Secure ``envelope``; the Ids that are renamed are not signed."""
        number = uuid4().int % 100_000_000
        envelope[-1].set(WSU_ID, f"Id-{number}")
        secured, headers = self._security.apply(envelope, headers)
        key, data = next(secured.iter(ENCRYPTED_KEY)), next(secured.iter(ENCRYPTED_DATA))
        key_id, data_id = f"EncKeyId-urn:uuid:{uuid4().hex.upper()}", f"EncDataId-{number}"
        key.set("Id", key_id)
        data.set("Id", data_id)
        next(key.iter(f"{{{XENC}}}DataReference")).set("URI", f"#{data_id}")
        reference = next(data.iter(f"{{{WSSE}}}SecurityTokenReference"))
        reference.attrib.pop(TOKEN_TYPE)
        reference[0].set("URI", f"#{key_id}")
        return secured, headers

    def verify(self, envelope: _Element) -> _Element:
        """Demand the same of answers as before."""
        return self._security.verify(envelope)
