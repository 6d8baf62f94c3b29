"""What is mutated, and the tests that must notice: quick ones, for each mutant that survives runs all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Files that are mutated together, and who watches over them. Paths are from the root of the project."""

    files: tuple[str, ...]
    """Of ``wsguard/``; may be patterns."""
    tests: tuple[str, ...]
    """Files and directories, and arguments of pytest that select."""


SUBJECTS: Final[Mapping[str, Subject]] = MappingProxyType(
    {
        "timestamp": Subject(files=("timestamp.py", "window.py"), tests=("tests/test_timestamp.py",)),
        "tokens": Subject(
            files=("tokens/derivation.py", "tokens/reading.py", "tokens/username.py", "token_keys.py"),
            tests=(
                *("tests/test_derived_password_keys.py", "tests/test_username_token.py"),
                "tests/test_username_token_stores.py",
            ),
        ),
        "remembering": Subject(files=("remembering.py",), tests=("tests/test_remembering.py",)),
        "signature": Subject(
            files=("signature/canonical.py", "signature/value.py", "signature/verification.py"),
            tests=(
                *("tests/signature/test_canonical.py", "tests/signature/test_coverage_headers.py"),
                "tests/signature/test_key_forms.py",
                *("tests/signature/test_key_trust.py", "tests/signature/test_legal_oddities.py"),
                *("tests/signature/test_misplaced.py", "tests/signature/test_references.py"),
                *("tests/signature/test_full_thread.py", "tests/signature/test_shared_keys.py"),
                *("tests/signature/test_signature_algorithms.py", "tests/signature/test_signature_values.py"),
                *("tests/signature/test_transforms.py", "tests/test_derived_password_keys.py"),
                *("tests/guard_encryption/test_symmetric_signatures.py", "tests/test_explain_signatures.py"),
            ),
        ),
        "signature-shape": Subject(
            files=("signature/reading.py",),
            tests=(
                *("tests/signature/test_prefix_lists.py", "tests/signature/test_reading.py"),
                "tests/signature/test_references.py",
                *("tests/signature/test_signature_algorithms.py", "tests/signature/test_signature_shape.py"),
                "tests/signature/test_transforms.py",
            ),
        ),
        "encryption": Subject(
            files=(
                *("encryption/agreement.py", "encryption/decrypting.py", "encryption/derivation.py"),
                *("encryption/derived.py", "encryption/keys.py", "encryption/methods.py", "encryption/plaintext.py"),
                *("encryption/refusals.py", "encryption/unwrapping.py"),
            ),
            tests=(
                *("tests/encryption", "tests/guard_encryption/test_key_references.py"),
                "tests/guard_encryption/test_shapes.py",
            ),
        ),
        "encryption-order": Subject(
            files=("encryption/finding.py", "encryption/opening.py", "encryption/places.py", "encryption/reading.py"),
            tests=(
                *("tests/guard_encryption/test_key_references.py", "tests/guard_encryption/test_limits.py"),
                *("tests/guard_encryption/test_orders.py", "tests/guard_encryption/test_plaintext_places.py"),
                *("tests/guard_encryption/test_resolved_later.py", "tests/guard_encryption/test_shapes.py"),
                *("tests/guard_encryption/test_symmetric_signatures.py", "tests/encryption/test_opening.py"),
                *("tests/encryption/test_attacks.py", "tests/encryption/test_budget.py"),
                *("tests/encryption/test_derivation.py", "tests/test_derived_password_keys.py"),
                *("tests/guard_encryption/test_content_binding.py", "tests/guard_encryption/test_no_oracle.py"),
            ),
        ),
        "engine": Subject(
            files=("engine.py", "judging.py", "case.py"),
            tests=(
                *("tests/test_clients.py", "tests/test_explain.py", "tests/test_faults.py", "tests/test_replay.py"),
                *("tests/test_derived_password_keys.py", "tests/test_hidden_in_ciphertext.py"),
                *("tests/test_timestamp.py", "tests/test_walking.py"),
                *("tests/signature/test_coverage_users.py", "tests/signature/test_replay_signature.py"),
                *("tests/signature/test_content_prefixes.py", "tests/signature/test_report_mode_signatures.py"),
                "tests/test_spyne.py::test_p3_every_reference_that_spyne_would_follow_out_of_the_body_is_refused",
                *("tests/guard_encryption/test_no_oracle.py", "tests/guard_encryption/test_noted_for_the_answer.py"),
                *("tests/guard_encryption/test_orders.py", "tests/guard_encryption/test_passwords_beside.py"),
                *("tests/guard_encryption/test_report_and_replay.py", "tests/guard_encryption/test_required.py"),
                *("tests/guard_encryption/test_resolved_later.py", "tests/guard_encryption/test_stays_closed.py"),
                *("tests/test_hand_off.py", "tests/test_spyne_types.py"),
            ),
        ),
        "coverage": Subject(
            files=("coverage.py", "requirements.py", "security_header.py", "walking.py"),
            tests=(
                *("tests/test_clients.py", "tests/test_timestamp.py", "tests/test_walking.py"),
                *("tests/signature/test_coverage.py", "tests/signature/test_coverage_headers.py"),
                *("tests/signature/test_coverage_users.py", "tests/signature/test_misplaced.py"),
                *("tests/signature/test_report_mode_signatures.py", "tests/signature/test_wrapping.py"),
                *("tests/signature/test_content_prefixes.py", "tests/signature/test_shared_keys.py"),
                *("tests/guard_encryption/test_content_binding.py", "tests/guard_encryption/test_deciding_settings.py"),
                *("tests/guard_encryption/test_orders.py", "tests/guard_encryption/test_plaintext_places.py"),
                *("tests/guard_encryption/test_required.py", "tests/guard_encryption/test_symmetric_signatures.py"),
            ),
        ),
        "stores": Subject(
            files=(
                *("stores/replay_memory.py", "stores/replay_sqlite.py", "stores/short_cache.py"),
                *("stores/users_memory.py", "stores/users_toml.py"),
            ),
            tests=(
                *("tests/stores/test_replay_contract.py", "tests/stores/test_replay_memory.py"),
                *("tests/stores/test_replay_sqlite.py", "tests/stores/test_replay_sqlite_file.py"),
                *("tests/stores/test_short_cache.py", "tests/stores/test_users_contract.py"),
                "tests/stores/test_users_toml.py",
                *("-k", "not postgres and not redis"),
            ),
        ),
        "users": Subject(
            files=(
                "stores/argon2_verifier.py",
                "stores/secrets_at_rest.py",
                "stores/users_sql.py",
                "stores/users_sql_*.py",
            ),
            tests=(
                *("tests/stores/test_argon2.py", "tests/stores/test_users_contract.py"),
                *("tests/stores/test_users_sql.py", "-k", "not postgres and not redis"),
            ),
        ),
    }
)
"""Name, as in ``make mutants SUBJECT=…`` -> what it is."""
