"""The symmetric keys of one message: which element gives which key, and by which of ours.

1. What stands in ds:KeyInfo decides: an xenc:EncryptedKey or xenc:AgreementMethod in it, a reference to an
   EncryptedKey, wsc:DerivedKeyToken or wsse:UsernameToken of our Security header, the digest of an EncryptedKey there,
   or the name of a shared key.
2. Without ds:KeyInfo it is the EncryptedKey that lists the data.

An EncryptedKey is for a private key or a shared key of ours and never for another EncryptedKey, and a derived key is
derived from one of these or from a password: so references cannot go in circles. A key is unwrapped, or made of a
password, when it is first needed, once.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from lxml.etree import _Element

from wsguard.algorithms import Algorithms
from wsguard.encryption.agreement import AGREEMENT_METHOD, read_agreement
from wsguard.encryption.derived import read_derived_key
from wsguard.encryption.keys import Secret, keys_for
from wsguard.encryption.methods import KEY_LENGTHS
from wsguard.encryption.places import Path, path_of
from wsguard.encryption.reading import Budget, EncryptedData, EncryptedKey, key_of, read_encrypted_key
from wsguard.encryption.refusals import malformed, no_key
from wsguard.encryption.unwrapping import agreed_and_wrapped, agreed_with, transported, wrapped
from wsguard.explanation import plain
from wsguard.interfaces import DecryptionKey, UserKey
from wsguard.message.key_info import KeyInfo, KeyInfoReader
from wsguard.message.lexical import name_of
from wsguard.names import DERIVED_KEY_TOKENS, ENCRYPTED_KEY, USERNAME_TOKEN

_FALLBACK: Final = 32
"""Octets of the random key that stands for one that could not be unwrapped: as long as the longest of an algorithm."""


KeyOfToken = Callable[[_Element], UserKey]
"""Makes the key of a wsse:UsernameToken; raises a ``Fault`` where none is made of it."""


class KeyFinder:
    """Finds the keys of one message and remembers them. Mutable; for one message."""

    def __init__(
        self,
        keys: Sequence[DecryptionKey],
        shared: Mapping[str, bytes],
        algorithms: Algorithms,
        budget: Budget,
        user_keys: KeyOfToken | None,
    ) -> None:
        """
        Args:
            keys: our private keys.
            shared: ds:KeyName -> the symmetric key.
            algorithms: those of this message.
            budget: what is left of it.
            user_keys: where keys of users are taken.
        """
        self._keys: Final = keys
        self._shared: Final = shared
        self._algorithms: Final = algorithms
        self._budget: Final = budget
        self._user_keys: Final = user_keys
        # By place: an EncryptedKey of the header stays where it is, whatever is decrypted around it.
        self._read: Final[dict[Path, EncryptedKey]] = {}
        self._unwrapped: Final[dict[Path, Secret]] = {}
        self._users: Final[dict[Path, UserKey]] = {}

    def encrypted_key(self, element: _Element) -> EncryptedKey:
        """The xenc:EncryptedKey of our Security header, read once.

        Raises:
            SecurityFault: ``encryption.malformed``, ``encryption.algorithm``.
            MessageFault: ``limits.encrypted_keys``, ``limits.encrypted_data``.
        """
        place = path_of(element)
        if place not in self._read:
            self._read[place] = self._counted(element)
        return self._read[place]

    def of_header_key(self, element: _Element, reader: KeyInfoReader) -> Secret:
        """What the xenc:EncryptedKey of our Security header holds; unwrapped once.

        Raises:
            SecurityFault: as ``encrypted_key``; ``encryption.key``, it is for none of ours; ``certificate.*``.
            MessageFault: as ``encrypted_key``.
        """
        place = path_of(element)
        if place not in self._unwrapped:
            self._unwrapped[place] = self._unwrap(self.encrypted_key(element), reader)
        return self._unwrapped[place]

    def of_data(self, data: EncryptedData, listed_by: _Element | None, reader: KeyInfoReader) -> Secret:
        """The key that ``data`` are encrypted with.

        Args:
            data: them.
            listed_by: the EncryptedKey of our Security header whose ReferenceList names them, if one does.
            reader: of the message.

        Raises:
            SecurityFault: as ``of_header_key``, ``of_key_info``.
            MessageFault: as ``encrypted_key``.
        """
        if data.key_info is None:
            if listed_by is None:
                raise no_key("EncryptedData without KeyInfo", "a KeyInfo, or an EncryptedKey that lists the data")
            return self.of_header_key(listed_by, reader)
        if (embedded := key_of(data.key_info, ENCRYPTED_KEY)) is not None:
            return self._unwrap(self._counted(embedded), reader)
        if (agreement := key_of(data.key_info, AGREEMENT_METHOD)) is not None:
            return self._agreed(agreement, KEY_LENGTHS[data.algorithm], reader)
        secret = self.of_key_info(reader.read(data.key_info), reader)
        if secret.method == "KeyName" and len(secret.octets) != KEY_LENGTHS[data.algorithm]:
            raise no_key(f"{secret.key}, of {len(secret.octets)} octets", f"a key for {data.algorithm}")
        return secret

    def of_key_info(self, info: KeyInfo, reader: KeyInfoReader, *, signs: bool = False) -> Secret:
        """The symmetric key that a ds:KeyInfo names, which is not the key of a certificate.

        A password is for signatures alone: one ciphertext can be made to open under thousands of passwords (Len, Grubbs
        and Ristenpart, Partitioning Oracle Attacks, 2021), and an HMAC fits one.

        Args:
            info: what it says.
            reader: of the message.
            signs: whether it is for a signature.

        Raises:
            SecurityFault: ``encryption.key``, it names none; as ``of_header_key``; ``encryption.malformed``,
                ``encryption.algorithm`` of a derived key.
            MessageFault: as ``encrypted_key``.
        """
        if info.token is not None and info.token.tag in DERIVED_KEY_TOKENS:
            return self._derived(info.token, reader, signs=signs)
        if signs and (token := _user_token(info, reader)) is not None:
            return self._of_user(token, to_derive=False)
        return self._underived(info, reader)

    def _underived(self, info: KeyInfo, reader: KeyInfoReader) -> Secret:
        if info.token is not None:
            if info.token.tag != ENCRYPTED_KEY or info.token.getparent() is not reader.security:
                raise no_key(name_of(info.token), "a reference to a key of this Security header")
            return self.of_header_key(info.token, reader)
        if info.encrypted_key:
            return self.of_header_key(self._with_digest(info.encrypted_key, reader), reader)
        if info.certificate is not None:
            raise no_key(info.certificate.form, "a reference to a symmetric key")
        octets = self._shared_key(info)
        return Secret(octets, info.key_name, "KeyName", shared=info.key_name)

    def _derived(self, element: _Element, reader: KeyInfoReader, *, signs: bool) -> Secret:
        derived = read_derived_key(element)
        info = reader.read_reference(derived.reference)
        if signs and (token := _user_token(info, reader)) is not None:
            secret = self._of_user(token, to_derive=True)
        else:
            secret = self._underived(info, reader)
        return replace(secret, octets=derived.of(secret.octets), method=f"{secret.method}, derived")

    def _of_user(self, element: _Element, *, to_derive: bool) -> Secret:
        if self._user_keys is None:
            raise no_key("UsernameToken", "a key that is not made of a password")
        place = path_of(element)
        if place not in self._users:
            if self._users:
                raise malformed(expected="the key of one UsernameToken", seen="of two")
            self._users[place] = self._user_keys(element)
        key = self._users[place]
        if not (to_derive or key.for_signatures):
            raise no_key("a Salt to derive keys with", "a Salt whose first octet is 1")
        return Secret(key.octets, f"the password of {plain(key.user)}", "UsernameToken", user=key)

    def _with_digest(self, digest: bytes, reader: KeyInfoReader) -> _Element:
        """WSS 1.1 §7.3: EncryptedKeySHA1. One that was sent in an earlier message is not kept."""
        for element in reader.security.iterchildren(ENCRYPTED_KEY):
            if hashlib.sha1(self.encrypted_key(element).cipher, usedforsecurity=False).digest() == digest:
                return element
        raise no_key("EncryptedKeySHA1 of another", "an EncryptedKey of this message")

    def _counted(self, element: _Element) -> EncryptedKey:
        self._budget.take_key()
        return read_encrypted_key(element, self._algorithms, self._budget.limits)

    def _unwrap(self, key: EncryptedKey, reader: KeyInfoReader) -> Secret:
        if not key.method.algorithm.startswith("kw-"):
            return self._transported(key, reader)
        if key.key_info is None:
            raise no_key(f"{key.method.algorithm} without KeyInfo", "the KeyName of a key in keys.shared")
        if (agreement := key_of(key.key_info, AGREEMENT_METHOD)) is not None:
            return self._agreed_and_wrapped(key, agreement, reader)
        info = reader.read(key.key_info)
        wrapping = self._shared_key(info)
        if len(wrapping) != KEY_LENGTHS[key.method.algorithm]:
            raise no_key(f"{info.key_name}, of {len(wrapping)} octets", f"a key for {key.method.algorithm}")
        octets = wrapped(key.cipher, wrapping)
        return Secret(_or_random(octets), info.key_name, key.method.algorithm, shared=info.key_name)

    def _transported(self, key: EncryptedKey, reader: KeyInfoReader) -> Secret:
        candidates = self._candidates(key.key_info, reader)
        if key.method.algorithm == "rsa-1_5" and len(candidates) > 1:
            # Of several keys nobody can tell which one it was: each yields octets (FACTS S16).
            raise no_key(f"rsa-1_5 for one of {len(candidates)} keys", "rsa-1_5 with a KeyInfo that names one key")
        octets, found = transported(key.method, key.cipher, candidates)
        return Secret(_or_random(octets), (found or candidates[0]).name, key.method.algorithm)

    def _agreed_and_wrapped(self, key: EncryptedKey, element: _Element, reader: KeyInfoReader) -> Secret:
        agreement = read_agreement(element, self._algorithms)
        candidates = self._candidates(agreement.recipient, reader)
        octets, found = agreed_and_wrapped(key.method, key.cipher, agreement, candidates)
        method = f"ecdh-es and {key.method.algorithm}"
        return Secret(_or_random(octets), (found or candidates[0]).name, method)

    def _agreed(self, element: _Element, length: int, reader: KeyInfoReader) -> Secret:
        agreement = read_agreement(element, self._algorithms)
        candidates = self._candidates(agreement.recipient, reader)
        if len(candidates) > 1:
            # Nothing but the data tells which one it was.
            raise no_key(f"one of {len(candidates)} keys", "a RecipientKeyInfo that names one key")
        octets = agreed_with(agreement, candidates[0], length)
        return Secret(_or_random(octets), candidates[0].name, "ecdh-es")

    def _candidates(self, key_info: _Element | None, reader: KeyInfoReader) -> tuple[DecryptionKey, ...]:
        info = None if key_info is None else reader.read(key_info)
        if info is not None and info.certificate is None:
            raise no_key(info.key_name or "another kind of key", "a reference to a certificate of keys.decrypt")
        found = keys_for(None if info is None else info.certificate, self._keys)
        if not found:
            raise no_key("none" if info is None or info.certificate is None else f"{info.certificate.form} of another")
        return found

    def _shared_key(self, info: KeyInfo) -> bytes:
        key = None if info.certificate is not None else self._shared.get(info.key_name)
        if key is None:
            raise no_key(info.key_name or "another kind of key", "the KeyName of a key in keys.shared")
        return key


def _user_token(info: KeyInfo, reader: KeyInfoReader) -> _Element | None:
    """The wsse:UsernameToken of our Security header that ``info`` names, if it names one."""
    token = info.token
    found = token is not None and token.tag == USERNAME_TOKEN and token.getparent() is reader.security
    return token if found else None


def _or_random(octets: bytes | None) -> bytes:
    another = secrets.token_bytes(_FALLBACK)
    return another if octets is None else octets
