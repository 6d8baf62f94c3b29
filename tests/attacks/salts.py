"""F: UsernameTokens without a password, whose user signs with a key that is made of it."""

from dataclasses import replace
from typing import Any, Final

from tests.attacks.cases import Built, Chapter
from tests.deriving_passwords import SALT, TO_TOKEN, WITH_TOKEN, by_password, key_of, salted, salted_token
from tests.encrypting import Encryption, reference_list, to_id
from tests.guard_encryption.deriving import derived_octets, derived_token
from tests.guard_encryption.sealing import content_of
from tests.messages import PROFILE, Token, timestamp
from tests.signature.signatures import ALICE
from tests.signing import BODY, TIMESTAMP, Signing, binary_token, sign, unsigned

SALTS: Final = Chapter("F", "salted")
LEGAL_SALTS: Final = Chapter("legal", "salted")

_PROFILE: Final = "UsernameToken Profile 1.1 §4"
_TO_DERIVED: Final = TO_TOKEN.replace("UT-1", "DK-1")


@SALTS.each_refused(
    "username_token.authentication",
    {
        "the right password of nobody": ("nobody", key_of()),
        "another password": ("alice", key_of("hunter2")),
        "no password": ("alice", key_of("")),
        "the password of the stand-in": ("nobody", key_of("\0" * 16)),
        "the password, not digested": ("alice", b"secret"),
        "the salt": ("alice", SALT),
        "one iteration less": ("alice", key_of(iterations=999)),
        "zeros": ("alice", bytes(20)),
    },
    source=_PROFILE,
)
def the_key_is_of(who: tuple[str, bytes]) -> Built:
    name, key = who
    return salted(salted_token(name), by_password(key))


@SALTS.refused("username_token.authentication", source=_PROFILE)
def a_name_and_a_salt_that_nothing_is_signed_with() -> Built:
    return unsigned(salted_token(), timestamp()).encode()


@SALTS.refused("username_token.authentication")
def a_name_and_a_salt_in_a_message_that_somebody_else_signed() -> Built:
    return salted(None, replace(Signing.by(ALICE), parts=WITH_TOKEN), binary_token(ALICE.certificate))


@SALTS.each_refused("signature.coverage", {"Body": (TIMESTAMP,), "Timestamp": (BODY,), "everything": WITH_TOKEN[2:]})
def the_user_signed_all_but(parts: Any) -> Built:
    return salted(None, by_password(parts=parts))


@SALTS.refused("signature.coverage")
def an_old_signature_of_the_user_over_the_Timestamp_beside_one_of_somebody_else() -> Built:  # noqa: N802
    own, other = by_password(id="SIG-U", parts=(TIMESTAMP,)), replace(Signing.by(ALICE), parts=WITH_TOKEN)
    text = unsigned(binary_token(ALICE.certificate), salted_token(), "@SIG-U@", "@SIG-1@", timestamp())
    return sign(text, own, other)


@SALTS.refused("replay.signature")
def what_alice_signed_in_the_name_of_carol_who_has_the_same_password() -> Built:
    octets = salted()
    return octets, octets.replace(b">alice<", b">carol<")


@SALTS.refused("signature.digest")
def another_Body_under_the_signature_of_the_user() -> Built:  # noqa: N802
    return salted().replace(b"hello", b"evil!")


@SALTS.each_refused(
    "username_token.malformed",
    {
        "few iterations": salted_token(iterations="999"),
        "iterations that take long": salted_token(iterations="999999999"),
        "a short salt": salted_token(salt=SALT[:8]),
        "a password too": salted_token(more=f'<wsse:Password Type="{PROFILE}#PasswordText">secret</wsse:Password>'),
    },
    source=_PROFILE,
)
def a_token_with(token: str) -> Built:
    return salted(token)


@SALTS.refused("username_token.password_type")
def a_digest_where_only_keys_are_taken() -> Built:
    return unsigned(Token().xml(), timestamp()).encode()


@SALTS.refused("encryption.key", source="Len, Grubbs and Ristenpart 2021: partitioning oracles")
def a_Body_under_a_key_derived_from_a_password() -> Built:  # noqa: N802
    security = (salted_token(), derived_token("UT-1"), reference_list("ED-1"), "@SIG-1@", timestamp())
    text = sign(unsigned(*security), by_password()).decode()
    content = content_of(text)
    encryption = Encryption(
        key=b"", session=derived_octets(key_of()), algorithm="aes256-gcm", data_key_info=to_id("DK-1")
    )
    return text.replace(content, replace(encryption, plaintext=content.encode()).data_xml()).encode()


@LEGAL_SALTS.each_accepted(
    {
        "the default of iterations": (salted_token(iterations=None), by_password()),
        "many iterations": (salted_token(iterations="10000"), by_password(key_of(iterations=10_000))),
        "its own signature over it": (None, by_password(parts=WITH_TOKEN)),
        "SHA-1 in the HMAC": (None, by_password(method="hmac-sha1")),
    },
    source=_PROFILE,
)
def a_salted_token_with(how: Any) -> Built:
    token, signing = how
    return salted(token, signing)


@LEGAL_SALTS.accepted(source="WS-SecureConversation 1.3 §7; WSS4J signs so")
def a_signature_under_a_key_derived_from_the_key_of_the_user() -> Built:
    signing = by_password(derived_octets(key_of()), key_info=_TO_DERIVED)
    return salted(None, signing, derived_token("UT-1"))


EVERY: Final = tuple(SALTS)
LEGAL: Final = tuple(LEGAL_SALTS)
