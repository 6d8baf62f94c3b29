"""Every case there is, in the order of the classes."""

from typing import Final

from tests.attacks import (
    addressing,
    algorithms,
    answers,
    bombs,
    chains,
    ciphertext,
    ciphertext_elsewhere,
    compressed,
    coverage,
    digests,
    documents,
    downgrades,
    encodings,
    encryption_wrapping,
    exemptions,
    harmless,
    http,
    key_info,
    key_names,
    key_references,
    key_transport,
    legal_both,
    legal_encryption,
    legal_signatures,
    legal_soap,
    legal_spellings,
    legal_tokens,
    legal_transport,
    look_alikes,
    multiref,
    parsing,
    plaintext,
    plaintext_headers,
    poisoning,
    references,
    replays,
    rsa_oracles,
    salts,
    signed_info,
    structure,
    timestamps,
    token_shapes,
    token_windows,
    transforms,
    trust,
    usernames,
    values,
    weak_signatures,
    wrapping,
    wrapping_ids,
    wrapping_matrix,
    wrapping_tokens,
)
from tests.attacks.cases import CLASSES, Case

_A: Final = (*wrapping.EVERY, *wrapping_matrix.EVERY, *wrapping_ids.EVERY, *wrapping_tokens.EVERY)
_B: Final = coverage.EVERY
_C: Final = (
    *references.EVERY,
    *transforms.EVERY,
    *signed_info.EVERY,
    *digests.EVERY,
    *algorithms.EVERY,
    *values.EVERY,
)
_D: Final = (*trust.EVERY, *chains.EVERY, *key_info.EVERY, *key_references.EVERY, *key_names.EVERY)
_E: Final = timestamps.EVERY
_F: Final = (
    *usernames.EVERY,
    *token_shapes.EVERY,
    *token_windows.EVERY,
    *look_alikes.EVERY,
    *replays.EVERY,
    *poisoning.EVERY,
    *salts.EVERY,
)
_G: Final = (*parsing.EVERY, *bombs.EVERY, *compressed.EVERY, *documents.EVERY, *encodings.EVERY)
_H: Final = (*structure.EVERY, *multiref.EVERY, *addressing.EVERY)
_I: Final = (*exemptions.EVERY, *http.EVERY)
_J: Final = (
    *ciphertext.EVERY,
    *ciphertext_elsewhere.EVERY,
    *rsa_oracles.EVERY,
    *key_transport.EVERY,
    *plaintext.EVERY,
    *plaintext_headers.EVERY,
    *encryption_wrapping.EVERY,
)
_K: Final = (*downgrades.EVERY, *weak_signatures.EVERY)
_L: Final = answers.EVERY
_LEGAL: Final = (
    *legal_tokens.EVERY,
    *legal_soap.EVERY,
    *legal_transport.EVERY,
    *legal_signatures.EVERY,
    *legal_spellings.EVERY,
    *legal_encryption.EVERY,
    *legal_both.EVERY,
)
_BESIDE_ATTACKS: Final = (
    *harmless.LEGAL,
    *poisoning.LEGAL,
    *salts.LEGAL,
    *parsing.LEGAL,
    *multiref.LEGAL,
    *addressing.LEGAL,
    *exemptions.LEGAL,
    *http.LEGAL,
)
"""What is legal, and looks so much like an attack that it is written down beside it."""

EVERYTHING: Final[tuple[Case, ...]] = (
    *_A,
    *_B,
    *_C,
    *_D,
    *_E,
    *_F,
    *_G,
    *_H,
    *_I,
    *_J,
    *_K,
    *_L,
    *_LEGAL,
    *_BESIDE_ATTACKS,
)
"""Sorted by class; names are unique within a class."""

HOSTILE: Final = tuple(case for case in EVERYTHING if case.check)
LEGAL: Final = tuple(case for case in EVERYTHING if not case.check)

assert [case.kind for case in EVERYTHING] == sorted((case.kind for case in EVERYTHING), key=[*CLASSES].index)
