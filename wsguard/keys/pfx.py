"""PKCS#12 (RFC 7292): private keys with certificates, and certificates alone."""

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key, pkcs12

from wsguard.keys.aliases import entry_meant
from wsguard.keys.bags import KeyBag, key_bags
from wsguard.keys.errors import FOREIGN, KeyFileError, nothing, refused_password
from wsguard.keys.iterations import demand_few_iterations
from wsguard.keys.pair import KeyPair, pair
from wsguard.policy.surroundings import KeyFile


def key_in_pkcs12(source: KeyFile, octets: bytes, password: bytes | None) -> KeyPair:
    """The private key that ``source`` means, with its certificates.

    Raises:
        KeyFileError: as ``load_key`` says.
    """
    content = _opened(source.file, octets, password)
    if content.key is None:
        raise KeyFileError(f"{source.file}: no private key in it")
    bags = key_bags(octets)
    if len(bags) > 1:
        key: object = _private_key(source.file, entry_meant(source.file, source.alias, bags), password)
    else:
        _demand_alias(source, content, bags)
        key = content.key
    return pair(source.file, key, _certificates(content))


def certificates_in_pkcs12(path: Path, octets: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a file without password and private key, in its order.

    Raises:
        KeyFileError: it has a password or a private key, has no certificate, or is damaged.
    """
    demand_few_iterations(path, octets)
    try:
        content = pkcs12.load_pkcs12(octets, None)
    except FOREIGN as error:
        raise KeyFileError(
            f"{path}: a PKCS#12 file with a password, which files of certificates have no setting for, or damaged. "
            f"Convert it: openssl pkcs12 -in {path.name} -nokeys -out new.pem"
        ) from error
    if content.key is not None:
        raise KeyFileError(f"{path}: a private key in it, where certificates alone belong")
    return tuple(_certificates(content)) or nothing(path, "certificate")


def _opened(path: Path, octets: bytes, password: bytes | None) -> pkcs12.PKCS12KeyAndCertificates:
    demand_few_iterations(path, octets)
    try:
        return pkcs12.load_pkcs12(octets, password)
    except UnsupportedAlgorithm as error:
        raise KeyFileError(f"{path}: a kind of key or encryption that is not supported") from error
    except FOREIGN as error:
        raise refused_password(path, password) from error


def _certificates(content: pkcs12.PKCS12KeyAndCertificates) -> list[x509.Certificate]:
    own = [content.cert] if content.cert else []
    return [entry.certificate for entry in [*own, *content.additional_certs]]


def _private_key(path: Path, bag: KeyBag, password: bytes | None) -> object:
    try:
        return load_der_private_key(bag.octets, password if bag.encrypted else None)
    except UnsupportedAlgorithm as error:
        raise KeyFileError(f"{path}: a kind of key or encryption that is not supported") from error
    except FOREIGN as error:
        raise refused_password(path, password) from error


def _demand_alias(source: KeyFile, content: pkcs12.PKCS12KeyAndCertificates, bags: tuple[KeyBag, ...]) -> None:
    """The only key goes by its certificate's name too: Windows calls keys otherwise than their certificates."""
    name = (content.cert.friendly_name or b"" if content.cert else b"").decode("utf-8", "replace")
    if name.casefold() != source.alias.casefold():
        entry_meant(source.file, source.alias, bags or (KeyBag(name, b"", encrypted=False),))
