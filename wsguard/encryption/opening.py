"""Opening what is encrypted in one message, at the turn of each element of our Security header (WSS 1.1 §9).

1. An EncryptedKey with a ReferenceList, and a ReferenceList by itself, open the data that they name; data inside of
   other data that they name are opened once those are. An EncryptedKey without list is read, and opened when needed.
2. An EncryptedData or EncryptedHeader that stands where it is found may be opened by itself, where it has a KeyInfo.
3. Each target is an EncryptedData of this message or an EncryptedHeader, and is named once.
4. Encrypted content has its parent for itself, and the parent is not our Security header: so no element moves.
5. All shapes, places and keys of one turn come before the first octet is decrypted: their refusals say nothing of it.
6. Decrypt, put in place, parse anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lxml.etree import _Element

from wsguard.algorithms import Algorithms
from wsguard.encryption.decrypting import decrypt
from wsguard.encryption.finding import KeyFinder, KeyOfToken
from wsguard.encryption.keys import Secret
from wsguard.encryption.places import Path, at, path_of
from wsguard.encryption.plaintext import Piece, place
from wsguard.encryption.reading import Budget, EncryptedData, inside, read_encrypted_data, read_reference_list
from wsguard.encryption.refusals import malformed
from wsguard.explanation import Explanation
from wsguard.interfaces import DecryptionKey
from wsguard.message.key_info import KeyInfo, KeyInfoReader
from wsguard.message.lexical import has_text, local_name, name_of
from wsguard.message.parse import Tree
from wsguard.names import ENCRYPTED_DATA, ENCRYPTED_HEADER, ENCRYPTED_KEY, IDS, REFERENCE_LIST
from wsguard.policy.surroundings import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPart:
    """Something of a message that was encrypted."""

    path: Path
    """Leads to the element that was encrypted, or to the one whose content was, in every later tree of the message."""
    content: bool
    """Whether it was the content of that element, all of it; else the element itself."""
    wrapped: bool = False
    """Whether it stood in an EncryptedHeader, in whose place it is now."""
    algorithm: str
    """Short name."""
    octets: int
    """Of the ciphertext, with its initialisation vector."""
    secret: Secret
    """What it was encrypted with."""

    def element(self, root: _Element) -> _Element:
        """The element that was encrypted, or whose content was, in a tree from after it was opened."""
        return at(root, self.path)


@dataclass(frozen=True, slots=True)
class _Scene:
    """The message as it is at one moment."""

    tree: Tree
    security: _Element

    @property
    def reader(self) -> KeyInfoReader:
        return KeyInfoReader(self.security, self.tree.ids, malformed)

    def after(self, tree: Tree) -> "_Scene":
        return _Scene(tree, at(tree.root, path_of(self.security)))


class Decryptor:
    """Opens messages with the keys of one configuration. Immutable; the same object serves all threads."""

    def __init__(self, keys: Sequence[DecryptionKey], shared: Mapping[str, bytes], limits: Limits) -> None:
        """
        Args:
            keys: our private keys; several during a rotation.
            shared: ds:KeyName -> the symmetric key.
            limits: ``encrypted_keys``, ``encrypted_data`` and those of a message.
        """
        self._keys: Final = tuple(keys)
        self._shared: Final = shared
        self._limits: Final = limits

    def message(
        self, algorithms: Algorithms, explanation: Explanation, user_keys: KeyOfToken | None = None
    ) -> "MessageDecryption":
        """What opens one message.

        Args:
            algorithms: those of this message.
            explanation: is told of everything that was opened.
            user_keys: makes keys of UsernameTokens; None: there are none.
        """
        budget = Budget(self._limits)
        return MessageDecryption(
            KeyFinder(self._keys, self._shared, algorithms, budget, user_keys), budget, algorithms, explanation
        )


class MessageDecryption:
    """Opens one message, and knows what was opened. Mutable; for one message."""

    def __init__(self, finder: KeyFinder, budget: Budget, algorithms: Algorithms, explanation: Explanation) -> None:
        self.opened: Final[list[OpenedPart]] = []
        """In the order in which they were opened."""
        self.begun = False
        """Whether anything was decrypted, or could not be. From then on every refusal, by whatever check, may tell an
        attacker something of the plaintext: it must look like ``encryption.failed`` until a signature was verified."""
        self._finder: Final = finder
        self._budget: Final = budget
        self._algorithms: Final = algorithms
        self._explanation: Final = explanation
        self._named: Final[set[str]] = set()
        self._ids: Final[set[str]] = set()

    def open(self, element: _Element, tree: Tree, security: _Element) -> Tree:
        """Open what ``element`` tells to open.

        Args:
            element: an EncryptedKey or ReferenceList of ``security``, or an EncryptedData or EncryptedHeader.
            tree: the message as it is now; it stays as it is.
            security: our Security header in it.

        Returns:
            the message with everything in its place, or ``tree`` where there was nothing to open.

        Raises:
            SecurityFault: ``encryption.malformed``, ``.algorithm``, ``.key``, ``.failed``; ``certificate.*`` and
                ``security.unknown_token`` of a reference.
            MessageFault: ``limits.encrypted_keys``, ``limits.encrypted_data``.
            ValueError: ``element`` is something else.
        """
        scene = _Scene(tree, security)
        if element.tag in (ENCRYPTED_DATA, ENCRYPTED_HEADER):
            return self._opened(scene, [_whole(element)], None).tree
        targets = self._targets(element)
        if again := self._named.intersection(targets):
            raise malformed(expected="each DataReference once", seen=f"#{min(again)} twice")
        self._named.update(targets)
        key = path_of(element) if element.tag == ENCRYPTED_KEY else None
        left = [target for target in targets if target not in self._ids]
        while left:
            there = [target for target in left if target in scene.tree.ids]
            if not there:
                raise malformed(expected="a DataReference to EncryptedData of this message", seen=f"#{left[0]}")
            scene = self._opened(scene, [_whole(scene.tree.ids[target]) for target in there], key)
            left = [target for target in left if target not in there]
        return scene.tree

    def secret(self, info: KeyInfo, tree: Tree, security: _Element) -> Secret:
        """The symmetric key that the ds:KeyInfo of a signature names: an EncryptedKey, a derived, shared or user's key.

        Where a key could not be unwrapped it is a random one, under which no signature fits.

        Raises:
            SecurityFault: ``encryption.key``, it names no symmetric key, or one that is for none of ours; otherwise as
                ``open``.
            MessageFault: ``limits.encrypted_keys``.
        """
        return self._finder.of_key_info(info, _Scene(tree, security).reader, signs=True)

    def _targets(self, element: _Element) -> tuple[str, ...]:
        if element.tag == ENCRYPTED_KEY:
            return self._finder.encrypted_key(element).references
        if element.tag == REFERENCE_LIST:
            return read_reference_list(element, self._budget.limits)
        raise ValueError(f"{name_of(element)} opens nothing")

    def _opened(self, scene: _Scene, elements: list[_Element], key: Path | None) -> _Scene:
        self._budget.take_data(len(elements))
        if len(set(elements)) < len(elements):
            raise malformed(expected="each EncryptedHeader once", seen="one twice")
        listed_by = None if key is None else at(scene.tree.root, key)
        found = [self._found(element, listed_by, scene) for element in elements]
        self.begun = True
        pieces = [
            Piece(element, data.content, decrypt(data.algorithm, secret.octets, data.cipher))
            for element, data, secret in found
        ]
        after = scene.after(place(scene.tree, pieces, self._budget))
        for element, data, secret in found:
            self._note(_part(element, data, secret), after.tree)
            for holder in (element, data.element):
                self._ids.update(value for name, value in holder.items() if name in IDS)
        return after

    def _found(
        self, element: _Element, listed_by: _Element | None, scene: _Scene
    ) -> tuple[_Element, EncryptedData, Secret]:
        if element.tag not in (ENCRYPTED_DATA, ENCRYPTED_HEADER):
            raise malformed(expected="a DataReference to EncryptedData", seen=name_of(element))
        data = read_encrypted_data(inside(element), self._algorithms)
        _check_place(element, data, scene.security)
        return element, data, self._finder.of_data(data, listed_by, scene.reader)

    def _note(self, part: OpenedPart, tree: Tree) -> None:
        self.opened.append(part)
        what = local_name(name_of(part.element(tree.root)))
        self._explanation.passed(
            "encryption",
            expected="data that one of our keys opens",
            seen=f"{'content of ' if part.content else ''}{what}, {part.algorithm}, {part.secret.method}"
            f" by {part.secret.key}",
            setting=part.secret.key if not part.secret.shared else "keys.shared",
        )


def _whole(element: _Element) -> _Element:
    """The EncryptedHeader around ``element`` where there is one: it is replaced, not what it wraps (WSS 1.1 §9.4)."""
    parent = element.getparent()
    return element if parent is None or parent.tag != ENCRYPTED_HEADER else parent


def _check_place(element: _Element, data: EncryptedData, security: _Element) -> None:
    parent = element.getparent()
    if parent is None:
        raise malformed(expected="EncryptedData inside the Envelope", seen="it as the root")
    if element.tag == ENCRYPTED_HEADER and parent is not security.getparent():
        raise malformed(expected="EncryptedHeader in the Header", seen=f"it in {name_of(parent)}")
    if data.content and (parent is security or len(parent) > 1 or has_text(parent)):
        # XML Encryption 1.1 §4.4: it replaces the content, and what would stand beside it was not encrypted.
        raise malformed(expected="encrypted content alone in its parent", seen=f"it in {name_of(parent)}")


def _part(element: _Element, data: EncryptedData, secret: Secret) -> OpenedPart:
    place_of = path_of(element)
    return OpenedPart(
        path=place_of[:-1] if data.content else place_of,
        content=data.content,
        wrapped=element is not data.element,
        algorithm=data.algorithm,
        octets=len(data.cipher),
        secret=secret,
    )
