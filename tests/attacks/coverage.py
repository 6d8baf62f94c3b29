"""B: a good signature that does not cover what counts, or that is not where it counts."""

from dataclasses import replace
from typing import Any, Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.moving import EVIL_BODY, FOREIGN, SECURITY, WRAPPER
from tests.attacks.tokens import user
from tests.attacks.wrapping import taken_out
from tests.messages import DS, PAYLOAD, timestamp
from tests.signature.signatures import ALICE, BOB, SIGNED_BODY, STRANGER, bent, both_sign, honest, refers_to
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign, signed, unsigned

COVERAGE: Final = Chapter("B", "signed")
USERS: Final = Chapter("B", "both")

FULL: Final = (BODY, TIMESTAMP)
BLOCK: Final = '<h:H xmlns:h="urn:h" wsu:Id="H">1</h:H>'
EVERY_ID: Final = PAYLOAD.replace("<e:Echo ", '<e:Echo wsu:Id="operation" ').replace(
    "<e:text>", '<e:text wsu:Id="text">'
)
UNSIGNED_PARTS: Final = "CVE-2012-2379: Apache CXF, parts that nobody signed"


def over(*parts: Part, **envelope: Any) -> bytes:
    """Alice signs these."""
    return signed(Signing.by(ALICE, parts=parts), **envelope)


# --- Too little -------------------------------------------------------------------------------------------------------

LESS: Final = {
    "the Timestamp only": (TIMESTAMP,),
    "the Body only": (BODY,),
    "the operation, and not the Body": (Part("#operation"), TIMESTAMP),
    "a parameter of the operation": (Part("#text"), TIMESTAMP),
    "the operation and its parameter": (Part("#operation"), Part("#text"), TIMESTAMP),
    "a header block and the Timestamp": (Part("#H"), TIMESTAMP),
    "the certificate only": (Part("#X509-1"),),
    "the certificate and the Timestamp": (Part("#X509-1"), TIMESTAMP),
    "everything but the Body": (TIMESTAMP, Part("#X509-1"), Part("#H"), Part("#operation")),
}


@COVERAGE.each_refused("signature.coverage", LESS, source=UNSIGNED_PARTS)
def the_signature_covers(parts: tuple[Part, ...]) -> Built:
    return over(*parts, body=EVERY_ID, header=BLOCK)


@COVERAGE.refused("timestamp.missing")
def the_signature_covers_the_body_and_there_is_no_timestamp() -> Built:
    return over(BODY, stamp="")


@COVERAGE.refused("signature.malformed", source="XML Signature §5.1: a Manifest is verified by the application")
def the_signature_covers_a_manifest_that_names_the_body() -> Built:
    manifest = (
        '<ds:Object><ds:Manifest Id="M"><ds:Reference URI="#body"><ds:DigestMethod Algorithm="'
        f'{DS}sha1"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:Manifest></ds:Object>'
    )
    part = Part("#M", attributes=f'Type="{DS}Manifest"')
    return signed(Signing.by(ALICE, parts=(part, TIMESTAMP), appended=manifest))


@COVERAGE.refused("signature.coverage")
def the_signature_covers_an_element_with_the_name_of_the_body_in_a_header_block() -> Built:
    return over(Part("#copy"), TIMESTAMP, header=WRAPPER.format(f'<S:Body wsu:Id="copy">{PAYLOAD}</S:Body>'))


@COVERAGE.refused("signature.coverage")
def the_signature_covers_an_element_with_the_name_of_the_timestamp_in_the_operation() -> Built:
    stamp = timestamp().replace("TS-1", "TS-2")
    return over(BODY, Part("#TS-2"), body=PAYLOAD.replace("</e:Echo>", f"{stamp}</e:Echo>"))


@COVERAGE.refused("signature.coverage")
def the_signature_covers_a_security_header_for_somebody_else() -> Built:
    foreign = FOREIGN.format(timestamp().replace("TS-1", "TS-2"))
    return over(BODY, Part("#TS-2"), header=foreign)


# --- Not there, or not in its place -----------------------------------------------------------------------------------


@COVERAGE.refused("signature.missing", source="CVE-2012-5351: Apache Axis2, signature exclusion")
def the_signature_is_left_out() -> Built:
    return bent(taken_out(honest())[0], (SIGNED_BODY, EVIL_BODY))


@COVERAGE.refused("security.missing")
def the_security_header_is_left_out() -> Built:
    text = honest()
    return (text[: text.index(SECURITY)] + text[text.index("</S:Header>") :]).encode()


@COVERAGE.refused("security.missing")
def the_header_is_left_out() -> Built:
    text = honest()
    return (text[: text.index("<S:Header>")] + text[text.index("</S:Header>") + len("</S:Header>") :]).encode()


@COVERAGE.refused("signature.missing")
def a_certificate_stands_there_and_no_signature() -> Built:
    return unsigned(binary_token(ALICE.certificate), timestamp()).encode()


@COVERAGE.refused("signature.malformed", source="CVE-2013-2153: Apache Santuario C++, references without children")
def a_signature_stands_there_and_is_empty() -> Built:
    text, _ = taken_out(honest())
    return bent(text, ("</wsse:Security>", '<ds:Signature Id="SIG-1"/></wsse:Security>'))


ELSEWHERE: Final = {
    "a header block": ("<S:Header>", "<S:Header>{}"),
    "a wrapper in the Header": ("<S:Header>", f"<S:Header>{WRAPPER}"),
    "a Security header for somebody else": ("<S:Header>", f"<S:Header>{FOREIGN}"),
    "the operation": ('<e:Echo xmlns:e="urn:echo">', '<e:Echo xmlns:e="urn:echo">{}'),
    "a Security header in the operation": (
        '<e:Echo xmlns:e="urn:echo">',
        f'<e:Echo xmlns:e="urn:echo">{SECURITY}{{}}</wsse:Security>',
    ),
}


@COVERAGE.each_refused("signature.missing", ELSEWHERE)
def the_signature_is_moved_into(place: tuple[str, str]) -> Built:
    text, signature = taken_out(honest())
    anchor, around = place
    return bent(text, (anchor, around.format(signature)))


@COVERAGE.refused("security.unknown_token")
def the_signature_is_moved_into_a_wrapper_in_the_security_header() -> Built:
    text, signature = taken_out(honest())
    return bent(text, (SECURITY, SECURITY + WRAPPER.format(signature)))


@COVERAGE.refused("envelope.structure")
def the_signature_is_moved_beside_the_operation() -> Built:
    text, signature = taken_out(honest())
    return bent(text, ("</S:Body>", f"{signature}</S:Body>"))


@COVERAGE.refused("security.unknown_token", source="CVE-2025-25292: namespaces that two parsers see differently")
def the_signature_is_of_a_namespace_that_only_looks_like_its_own() -> Built:
    return bent(honest(), (f'xmlns:ds="{DS}"', f'xmlns:ds="{DS[:-1]}/"'))


# --- Several signatures -----------------------------------------------------------------------------------------------


@COVERAGE.refused("signature.coverage")
def two_clients_sign_one_part_each() -> Built:
    return both_sign(Signing.by(ALICE, parts=(TIMESTAMP,)), Signing.by(BOB, parts=(BODY,)))


@COVERAGE.refused("signature.coverage")
def one_client_signs_the_parts_of_two_messages_that_are_put_together() -> Built:
    return sign(
        unsigned(binary_token(ALICE.certificate), "@SIG-1@", "@SIG-2@", timestamp()),
        Signing.by(ALICE, parts=(BODY,)),
        Signing.by(ALICE, parts=(TIMESTAMP,), id="SIG-2"),
    )


@COVERAGE.refused("signature.coverage")
def an_endorsing_signature_lends_what_the_first_one_covers() -> Built:
    return both_sign(Signing.by(ALICE, parts=(BODY,)), Signing.by(BOB, parts=(Part("#SIG-A"), TIMESTAMP)))


@COVERAGE.refused("signature.coverage")
def an_endorsing_signature_covers_only_the_value_of_the_first_one() -> Built:
    first = Signing.by(ALICE, parts=(BODY,), replaced={"<ds:SignatureValue>": '<ds:SignatureValue Id="SV-A">'})
    return both_sign(first, Signing.by(BOB, parts=(Part("#SV-A"), TIMESTAMP)))


@COVERAGE.refused("signature.digest")
def a_second_signature_does_not_fit() -> Built:
    return both_sign(Signing.by(ALICE), Signing.by(BOB, parts=(Part("#SIG-A", value="A" * 43 + "="),)))


@COVERAGE.refused("certificate.untrusted")
def a_second_signature_is_a_strangers() -> Built:
    stranger = Signing.by(STRANGER, id="SIG-2", key_info=refers_to("X509-2"))
    tokens = binary_token(ALICE.certificate), binary_token(STRANGER.certificate, id="X509-2")
    return sign(unsigned(*tokens, "@SIG-1@", "@SIG-2@", timestamp()), Signing.by(ALICE), stranger)


@COVERAGE.refused("certificate.untrusted")
def the_first_signature_is_a_strangers_over_everything_and_the_second_a_clients_over_little() -> Built:
    stranger = Signing.by(STRANGER)
    alice = Signing.by(ALICE, id="SIG-2", parts=(TIMESTAMP,), key_info=refers_to("X509-2"))
    tokens = binary_token(STRANGER.certificate), binary_token(ALICE.certificate, id="X509-2")
    return sign(unsigned(*tokens, "@SIG-1@", "@SIG-2@", timestamp()), stranger, alice)


# --- A user beside a signer -------------------------------------------------------------------------------------------


@USERS.refused("signature.coverage", source=UNSIGNED_PARTS)
def the_username_token_is_covered_by_no_signature() -> Built:
    return signed(Signing.by(ALICE), token=user())


@USERS.refused("signature.coverage")
def a_stolen_username_token_is_put_beside_the_signature_of_another_client() -> Built:
    return signed(Signing.by(BOB), token=user())


@USERS.refused("signature.coverage")
def only_the_second_signer_covers_the_username_token() -> Built:
    token = user().xml().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
    return both_sign(Signing.by(ALICE), Signing.by(BOB, parts=(Part("#UT-1"),)), token)


@USERS.refused("signature.coverage")
def a_child_of_the_username_token_is_covered_and_not_the_token() -> Built:
    token = user()
    named = {"Username": '<wsse:Username wsu:Id="U-1">alice</wsse:Username>'}
    return signed(Signing.by(ALICE, parts=(*FULL, Part("#U-1"))), token=replace(token, parts=named))


@USERS.refused("username_token.missing")
def the_signature_covers_everything_and_the_username_token_is_left_out() -> Built:
    return signed(Signing.by(ALICE))


EVERY: Final = (*COVERAGE, *USERS)
