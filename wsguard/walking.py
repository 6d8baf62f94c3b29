"""Step 3 of the engine: what our Security header tells to do, in the order in which it stands there.

An EncryptedKey or ReferenceList opens what it names, a Signature is verified over the message as it is at that moment
(WSS 1.1 §8, §9: each is prepended to what was there before). So what was signed first and encrypted then comes out
right, and so does what was encrypted first. Elements are found by Id over the whole header, wherever they stand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from lxml import etree
from lxml.etree import _Element

from wsguard.algorithms import Algorithms
from wsguard.encryption import MessageDecryption, OpenedPart, Path, Secret, at, path_of
from wsguard.explanation import Explanation
from wsguard.faults import FailedCheck
from wsguard.message.envelope import Outline, read_outline
from wsguard.message.lexical import name_of
from wsguard.message.parse import Tree
from wsguard.names import (
    DS,
    ENCRYPTED_DATA,
    ENCRYPTED_HEADER,
    ENCRYPTED_KEY,
    REFERENCE_LIST,
    SECURITY_TOKEN_REFERENCE,
    SIGNATURE,
    XENC,
)
from wsguard.policy import Demands
from wsguard.signature import (
    AnybodysKey,
    Canonicalization,
    MessageContext,
    OpenedLater,
    SharedKey,
    SignatureVerifier,
    Signer,
    Symmetric,
    VerifiedSignature,
)

MANY_OCTETS: Final = 64
"""Of ciphertext that only a padding tells from noise: 32 or more of plaintext. One key in 2^44 makes text of them, and
nobody chooses which. Of 16, one in 2^34 makes an element; and who signed ciphertext did not say under which key."""

_TURNS: Final = frozenset({SIGNATURE, ENCRYPTED_KEY, REFERENCE_LIST})
"""Elements that tell to do something."""


@dataclass(frozen=True, slots=True)
class Walked:
    """A message after everything in its Security header was done."""

    tree: Tree
    """The message with everything opened."""
    signatures: tuple[VerifiedSignature, ...] = ()
    """In order; what they cover is said in elements of ``tree``."""
    opened: tuple[OpenedPart, ...] = ()


class Walk:
    """Goes through one Security header. Mutable; for one message."""

    def __init__(
        self,
        verifier: SignatureVerifier,
        opening: MessageDecryption,
        demands: Demands,
        algorithms: Algorithms,
        now: datetime,
        explanation: Explanation,
    ) -> None:
        """
        Args:
            verifier: of signatures.
            opening: opens this message.
            demands: whose trust holds.
            algorithms: those of this message.
            now: aware.
            explanation: is told of everything that was done.
        """
        self._verifier: Final = verifier
        self._opening: Final = opening
        self._demands: Final = demands
        self._algorithms: Final = algorithms
        self._now: Final = now
        self._explanation: Final = explanation
        self._verified: Final[list[tuple[VerifiedSignature, tuple[Path, ...], int]]] = []
        """With the places of what each covers, and how much was opened before."""

    def through(self, tree: Tree, outline: Outline, actor: str) -> Walked:
        """Do everything that the header of ``tree`` tells to do.

        Args:
            tree: the message as it came; it stays as it is.
            outline: of it.
            actor: our own actor or role.

        Raises:
            Fault: what ``SignatureVerifier.verify`` and ``MessageDecryption.open`` raise.
        """
        if outline.security is None:
            return Walked(tree)
        place = path_of(outline.security)
        # Positions hold: in this header an element is opened to one element (wsguard.encryption.places).
        waiting = [index for index, child in enumerate(outline.security) if child.tag in _TURNS | {ENCRYPTED_DATA}]
        while True:
            security = at(tree.root, place)
            # Not by index: lxml counts children from the first, which is quadratic in them.
            children = list(security)
            turn = next((index for index in waiting if children[index].tag in _TURNS), None)
            before = tree
            if turn is not None:
                waiting.remove(turn)
                tree = self._step(children[turn], tree, security)
            elif (closed := _closed(outline)) is not None:
                # Nothing in the header named it: EncryptedData that say their key themselves (WSS 1.1 §9.2).
                tree = self._opening.open(closed, tree, security)
            else:
                return Walked(tree, tuple(self._signatures(tree)), tuple(self._opening.opened))
            if tree is not before:
                outline = read_outline(tree, actor)

    @property
    def signers(self) -> tuple[Signer, ...]:
        """Whose signatures were verified so far."""
        return tuple(signature.signer for signature, _, _ in self._verified)

    def _step(self, element: _Element, tree: Tree, security: _Element) -> Tree:
        if element.tag != SIGNATURE:
            return self._opening.open(element, tree, security)
        self._verify(element, tree, security)
        return tree

    def _verify(self, element: _Element, tree: Tree, security: _Element) -> None:
        context = MessageContext(
            security=security,
            ids=tree.ids,
            demands=self._demands,
            algorithms=self._algorithms,
            now=self._now,
            explanation=self._explanation,
            symmetric=lambda info: _symmetric(self._opening.secret(info, tree, security)),
        )
        before = sum(signature.references for signature, _, _ in self._verified)
        signature = self._verifier.verify(element, context, before)
        for covered in signature.covered:
            _demand_visible(covered)
        signature = replace(signature, covered={one: _in_place(one, how) for one, how in signature.covered.items()})
        paths = tuple(path_of(covered) for covered in signature.covered)
        self._verified.append((signature, paths, len(self._opening.opened)))

    def _signatures(self, tree: Tree) -> list[VerifiedSignature]:
        """What was verified, in the elements of ``tree``."""
        if not self._opening.opened:
            return [signature for signature, _, _ in self._verified]
        found = []
        for signature, paths, before in self._verified:
            later = self._opening.opened[before:]
            ends = [_end_of(path, later) for path in paths]
            covered = {
                at(tree.root, end): method
                for end, method in zip(ends, signature.covered.values(), strict=True)
                if end is not None
            }
            opened_later = tuple(
                OpenedLater(part.element(tree.root), part.content, _is_authentic(part)) for part in later
            )
            found.append(replace(signature, covered=covered, opened_later=opened_later))
        return found


def _demand_visible(covered: _Element) -> None:
    """Refuse a signed element inside of ciphertext's own elements: once that is opened it would be gone, and signed.

    Raises:
        FailedCheck: ``signature.coverage``.
    """
    of_keys = etree.QName(covered).namespace in (DS, XENC) or covered.tag == SECURITY_TOKEN_REFERENCE
    if of_keys and covered.tag not in (SIGNATURE, ENCRYPTED_DATA):
        return
    if any(ancestor.tag in (ENCRYPTED_DATA, ENCRYPTED_KEY) for ancestor in covered.iterancestors()):
        raise FailedCheck(
            "signature.coverage",
            expected="signed elements in the Body, as header blocks, or in our Security header",
            seen=f"{name_of(covered)} inside of something encrypted",
        )


def _is_authentic(part: OpenedPart) -> bool:
    return part.algorithm.endswith("-gcm") or part.octets >= MANY_OCTETS


def _end_of(path: Path, opened: Sequence[OpenedPart]) -> Path | None:
    """Where that is which stood at ``path`` before all this was opened; None where it is no more.

    EncryptedData of one element live on as that element, also where an EncryptedHeader around them went with them: who
    carries the message may put it around them, or take it away. Those of content live on as nothing that could be said
    to be signed, and neither does what was inside of EncryptedData: another may stand there.
    """
    for part in opened:
        place = (*part.path, 0) if part.content or part.wrapped else part.path
        if path == place and not part.content:
            path = part.path
        elif path[: len(place)] == place:
            return None
    return path


def _in_place(element: _Element, method: Canonicalization) -> Canonicalization:
    """What ``method`` signed of the place where ciphertext stands, once that is opened.

    What the EncryptedData or EncryptedHeader declares itself goes with it. Nobody can see in the canonical form whether
    a prefix was declared there or around it.
    """
    holder = element.getparent()
    if holder is not None and element.tag == ENCRYPTED_DATA and holder.tag == ENCRYPTED_HEADER:
        holder = holder.getparent()
    if element.tag not in (ENCRYPTED_DATA, ENCRYPTED_HEADER) or holder is None:
        return method
    here, around = element.nsmap, holder.nsmap
    same = [prefix or "" for prefix in (None, *here) if here.get(prefix) == around.get(prefix)]
    signed = [prefix for prefix in same if not method.exclusive or prefix in method.prefixes]
    return Canonicalization("exc-c14n", tuple(dict.fromkeys(signed)))


def _symmetric(secret: Secret) -> Symmetric:
    if secret.user is not None:
        return replace(secret.user, octets=secret.octets)
    return SharedKey(secret.shared, secret.octets) if secret.shared else AnybodysKey(secret.octets)


def _closed(outline: Outline) -> _Element | None:
    """EncryptedData where somebody would have to look: in our Security header, as the Body, or as all that is in it."""
    if (
        outline.security is not None
        and (found := next(outline.security.iterchildren(ENCRYPTED_DATA), None)) is not None
    ):
        return found
    if outline.body.tag == ENCRYPTED_DATA:
        return outline.body
    return outline.body[0] if outline.hides_its_operation else None
