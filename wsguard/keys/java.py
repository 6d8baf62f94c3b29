"""Keys and trusted certificates out of JKS keystores."""

from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key

from wsguard.keys.aliases import entry_meant
from wsguard.keys.errors import FOREIGN, KeyFileError, nothing, refused_password
from wsguard.keys.jks import Entry, entries_of, is_intact
from wsguard.keys.octets import Malformed
from wsguard.keys.pair import KeyPair, pair
from wsguard.keys.protector import OtherPassword, OtherProtection, unprotected
from wsguard.policy.surroundings import KeyFile


def key_in_jks(source: KeyFile, octets: bytes, password: bytes | None) -> KeyPair:
    """The private key that ``source`` means, with its certificates. Keystore and key have the same password.

    Raises:
        KeyFileError: as ``load_key`` says.
    """
    text = _text(source.file, password)
    if not is_intact(octets, text):
        raise refused_password(source.file, password)
    keys = [entry for entry in _entries(source.file, octets) if entry.protected is not None]
    entry = entry_meant(source.file, source.alias, keys)
    key = _private_key(source.file, entry, text)
    return pair(source.file, key, _certificates(source.file, entry.certificates))


def trusted_in_jks(path: Path, octets: bytes) -> tuple[x509.Certificate, ...]:
    """The trusted certificates, in the order of the file. Those that belong to keys are not trusted, as in Java.

    Whether the file is intact is not looked at. That takes a password: files of trust have none here, and most have one
    that everybody knows. Who may write the file decides about trust in any case, as with PEM.

    Raises:
        KeyFileError: there is none, or the file is damaged.
    """
    trusted = [entry for entry in _entries(path, octets) if entry.protected is None]
    return _certificates(path, [entry.certificates[0] for entry in trusted]) or nothing(path, "trusted certificate")


def refused_jceks(path: Path, instead: str) -> KeyFileError:
    """The error for a JCEKS keystore, which may hold Java objects, and is not read; ``instead`` is a -deststoretype."""
    return KeyFileError(
        f"{path}: a JCEKS keystore; this version reads PEM, PKCS#12 and JKS. Convert it: keytool -importkeystore "
        f"-srckeystore {path.name} -srcstoretype JCEKS -destkeystore new.keystore -deststoretype {instead}"
    )


def _text(path: Path, password: bytes | None) -> str:
    if password is None:
        raise refused_password(path, password)
    try:
        return password.decode("utf-8")
    except UnicodeDecodeError:
        # The decoder's own error is cut off: it has the password.
        raise KeyFileError(f"{path}: the password is not UTF-8") from None


def _entries(path: Path, octets: bytes) -> tuple[Entry, ...]:
    try:
        return entries_of(octets)
    except Malformed as error:
        raise KeyFileError(f"{path}: a JKS keystore that is damaged: {error}") from error


def _private_key(path: Path, entry: Entry, password: str) -> object:
    try:
        return load_der_private_key(unprotected(entry.protected or b"", password), None)
    except OtherProtection as error:
        raise KeyFileError(f"{path}: its private key is protected in another way than Sun's JKS does it") from error
    except OtherPassword as error:
        raise KeyFileError(
            f"{path}: the password opens the keystore, but not the private key in it. Give both the same: "
            f"keytool -keypasswd -keystore {path.name} -alias {entry.alias!r}"
        ) from error
    except FOREIGN as error:
        raise KeyFileError(f"{path}: its private key is damaged, or of a kind that is not supported") from error


def _certificates(path: Path, encoded: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_der_x509_certificate(octets) for octets in encoded)
    except FOREIGN as error:
        raise KeyFileError(f"{path}: a certificate in it is damaged") from error
