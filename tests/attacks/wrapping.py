"""A: what was signed is moved aside, and something else stands in its place: the variants of the literature."""

from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.moving import (
    BODY_OF_THE_OTHER_SOAP,
    EVIL_BODY,
    FOREIGN,
    SPOTS,
    WRAPPER,
    evil_body,
    moved,
)
from tests.messages import PAYLOAD, stamp, timestamp
from tests.signature.shapes import TYPED
from tests.signature.signatures import ALICE, EVIL, NAMESPACES, SIGNED_BODY, bent, honest
from tests.signing import BODY, TIMESTAMP, Part, Signing, signed
from wsguard.names import XSD

WRAPPING: Final = Chapter("A", "signed")

MCINTOSH_AUSTEL: Final = "McIntosh and Austel, XML signature element wrapping attacks and countermeasures, 2005"
GRUSCHKA: Final = "Gruschka and Lo Iacono, Vulnerable cloud: SOAP message security validation revisited, 2009"
CLOUDS: Final = "Somorovsky et al., All your clouds are belong to us, 2011"
NAMESPACE_INJECTION: Final = "Jensen et al., The curse of namespaces in the domain of XML signature, 2009"
XSW: Final = "Somorovsky et al., On breaking SAML: be whoever you want to be, 2012"

SAME_ID: Final = 'wsu:Id="body"'
REPLY_TO: Final = '<a:ReplyTo xmlns:a="http://www.w3.org/2005/08/addressing" wsu:Id="reply">{}</a:ReplyTo>'


def taken_out(text: str) -> tuple[str, str]:
    """The message without its ds:Signature, and the signature."""
    start, end = text.index("<ds:Signature "), text.index("</ds:Signature>") + len("</ds:Signature>")
    return text[:start] + text[end:], text[start:end]


# --- McIntosh and Austel ----------------------------------------------------------------------------------------------


@WRAPPING.refused("signature.coverage", source=MCINTOSH_AUSTEL)
def the_signed_body_is_moved_into_a_header_of_the_senders_own() -> Built:
    """Simple ancestry context."""
    return moved(SPOTS["the first header block"])


@WRAPPING.refused("signature.coverage", source=MCINTOSH_AUSTEL)
def a_signed_optional_header_is_moved_into_a_wrapper_and_another_takes_its_place() -> Built:
    """Optional element context."""
    block, evil = REPLY_TO.format("http://alice.example"), REPLY_TO.format("http://evil.example")
    text = signed(Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#reply"))), header=block).decode()
    return bent(text, (block, WRAPPER.format(block) + evil.replace(' wsu:Id="reply"', "")))


@WRAPPING.refused("signature.coverage", source=MCINTOSH_AUSTEL)
def a_signed_optional_header_is_moved_into_a_wrapper_and_nothing_takes_its_place() -> Built:
    block = REPLY_TO.format("http://alice.example")
    text = signed(Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#reply"))), header=block).decode()
    return bent(text, (block, WRAPPER.format(block)))


@WRAPPING.refused("signature.coverage", source=MCINTOSH_AUSTEL)
def the_signed_timestamp_is_moved_into_a_security_header_for_somebody_else_and_a_fresh_one_takes_its_place() -> Built:
    """Sibling value context."""
    fresh = timestamp(stamp(1)).replace("TS-1", "TS-2")
    return bent(honest(), (timestamp(), fresh), ("<S:Header>", f"<S:Header>{FOREIGN.format(timestamp())}"))


@WRAPPING.refused("signature.coverage", source=MCINTOSH_AUSTEL)
def two_children_of_the_operation_that_were_signed_one_by_one_change_their_order() -> Built:
    """Sibling order context."""
    one, two = '<e:text wsu:Id="one">1</e:text>', '<e:text wsu:Id="two">2</e:text>'
    body = f'<e:Echo xmlns:e="urn:echo">{one}{two}</e:Echo>'
    text = signed(Signing.by(ALICE, parts=(Part("#one"), Part("#two"), TIMESTAMP)), body=body).decode()
    return bent(text, (one + two, two + one))


# --- Gruschka and Lo Iacono, Somorovsky and others --------------------------------------------------------------------


@WRAPPING.refused("envelope.duplicate_id", source=GRUSCHKA)
def the_body_is_doubled_under_its_id_and_the_first_one_is_executed() -> Built:
    return bent(honest(), (SIGNED_BODY, evil_body(SAME_ID) + SIGNED_BODY))


@WRAPPING.refused("envelope.duplicate_id", source=GRUSCHKA)
def the_body_is_doubled_under_its_id_and_the_last_one_is_executed() -> Built:
    return bent(honest(), (SIGNED_BODY, SIGNED_BODY + evil_body(SAME_ID)))


@WRAPPING.refused("envelope.duplicate_id", source=CLOUDS)
def the_signed_body_is_repeated_unchanged_beside_an_operation_that_is_dispatched_on() -> Built:
    """The first to be found is executed, the last is verified, and both have the Id."""
    return moved(SPOTS["the Header"], evil_body(SAME_ID))


@WRAPPING.refused("envelope.duplicate_id", source="CVE-2012-4418: Apache Axis2, XML signature wrapping")
def the_signed_body_stands_in_the_operation_of_a_body_with_its_id() -> Built:
    return moved(SPOTS["the operation"], evil_body(SAME_ID))


# --- XSW1 to XSW8, with the Body in the place of the assertion --------------------------------------------------------


@WRAPPING.refused("envelope.duplicate_id", source=XSW)
def xsw1_the_evil_message_has_the_signature_and_the_signature_the_signed_body() -> Built:
    return moved(SPOTS["an Object of the Signature"], evil_body(SAME_ID))


@WRAPPING.refused("security.unknown_token", source=XSW)
def xsw2_the_signed_body_stands_before_its_detached_signature() -> Built:
    return moved(SPOTS["the Security header"])


@WRAPPING.refused("envelope.structure", source=XSW)
def xsw3_the_evil_body_stands_before_the_signed_one() -> Built:
    return bent(honest(), (SIGNED_BODY, evil_body('wsu:Id="evil"') + SIGNED_BODY))


@WRAPPING.refused("signature.coverage", source=XSW)
def xsw4_the_signed_body_is_the_child_of_the_evil_one() -> Built:
    return bent(honest(), (SIGNED_BODY, f'<S:Body wsu:Id="evil">{SIGNED_BODY}</S:Body>'))


@WRAPPING.refused("signature.missing", source=XSW)
def xsw5_the_evil_operation_has_the_signature_and_the_signed_body_stands_aside() -> Built:
    text, signature = taken_out(moved(SPOTS["the last header block"]).decode())
    return bent(text, ("<e:text>evil</e:text>", f"<e:text>evil</e:text>{signature}"))


@WRAPPING.refused("signature.missing", source=XSW)
def xsw6_the_evil_operation_has_the_signature_which_has_the_signed_body() -> Built:
    text, signature = taken_out(moved(SPOTS["an Object of the Signature"]).decode())
    return bent(text, ("<e:text>evil</e:text>", f"<e:text>evil</e:text>{signature}"))


@WRAPPING.refused("envelope.duplicate_id", source=XSW)
def xsw7_an_extension_holds_an_evil_body_with_the_id_of_the_signed_one() -> Built:
    return bent(honest(), ("<S:Header>", f"<S:Header>{WRAPPER.format(evil_body(SAME_ID))}"))


@WRAPPING.refused("signature.malformed", source=XSW)
def xsw8_an_object_of_the_signature_holds_the_signed_body_without_a_name_for_it() -> Built:
    return moved(SPOTS["an Object of the Signature"], evil_body('wsu:Id="evil"'))


# --- All of the message -----------------------------------------------------------------------------------------------


@WRAPPING.refused("security.missing", source=CLOUDS)
def all_of_the_signed_message_is_a_header_block_of_another() -> Built:
    return f"<S:Envelope {NAMESPACES}><S:Header>{honest()}</S:Header>{EVIL_BODY}</S:Envelope>".encode()


@WRAPPING.refused("security.missing", source=CLOUDS)
def all_of_the_signed_message_is_a_parameter_of_the_operation_of_another() -> Built:
    body = EVIL_BODY.replace("</e:Echo>", f"{honest()}</e:Echo>")
    return f"<S:Envelope {NAMESPACES}><S:Header/>{body}</S:Envelope>".encode()


@WRAPPING.refused("envelope.structure", source=CLOUDS)
def all_of_the_signed_message_stands_before_the_body_of_another() -> Built:
    return f"<S:Envelope {NAMESPACES}>{honest()}{EVIL_BODY}</S:Envelope>".encode()


@WRAPPING.refused("envelope.structure")
def all_of_the_signed_message_is_in_an_element_that_is_no_envelope() -> Built:
    return f"<S:Wrapper {NAMESPACES}>{honest()}{EVIL_BODY}</S:Wrapper>".encode()


STRUCTURES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "the signed Body, then one of the other SOAP": ((SIGNED_BODY, SIGNED_BODY + BODY_OF_THE_OTHER_SOAP),),
    "one of the other SOAP, then the signed Body": ((SIGNED_BODY, BODY_OF_THE_OTHER_SOAP + SIGNED_BODY),),
    "the signed Body, then one without namespace": ((SIGNED_BODY, f"{SIGNED_BODY}<Body>{EVIL}</Body>"),),
    "the signed Body, then a bare operation": ((SIGNED_BODY, SIGNED_BODY + EVIL),),
    "a bare operation, then the signed Body": ((SIGNED_BODY, EVIL + SIGNED_BODY),),
    "a second Header behind the signed Body": (("</S:Envelope>", f"<S:Header>{EVIL}</S:Header></S:Envelope>"),),
    "a second Header before ours": (("<S:Header>", f"<S:Header>{EVIL}</S:Header><S:Header>"),),
    "the signed Body before the Header": ((SIGNED_BODY, ""), ("<S:Header>", f"{SIGNED_BODY}<S:Header>")),
    "the signed Body as a header block, and none": ((SIGNED_BODY, ""), ("<S:Header>", f"<S:Header>{SIGNED_BODY}")),
    "a second Envelope behind the Header": (("</S:Header>", f"</S:Header><S:Envelope>{EVIL_BODY}</S:Envelope>"),),
}


@WRAPPING.each_refused("envelope.structure", STRUCTURES, source=GRUSCHKA)
def an_envelope_of_another_shape(changes: tuple[tuple[str, str], ...]) -> Built:
    return bent(honest(), *changes)


# --- Namespaces -------------------------------------------------------------------------------------------------------


@WRAPPING.refused("signature.coverage", source=NAMESPACE_INJECTION)
def a_prefix_in_the_signed_content_gets_another_namespace_above_it() -> Built:
    """Exclusive canonicalization writes no prefix that only a value uses, so the signature still fits."""
    text = signed(Signing.by(ALICE), body=TYPED, envelope_attributes=f'xmlns:xs="{XSD}"').decode()
    return bent(text, (f'xmlns:xs="{XSD}"', 'xmlns:xs="urn:evil"'))


@WRAPPING.refused("signature.digest", source=NAMESPACE_INJECTION)
def a_prefix_of_the_signed_body_gets_another_namespace_where_the_body_is_put() -> Built:
    around = '<w:W xmlns:w="urn:w" xmlns:S="urn:evil">{}</w:W>'
    return bent(honest(), (SIGNED_BODY, EVIL_BODY), ("<S:Header>", f"<S:Header>{around.format(SIGNED_BODY)}"))


@WRAPPING.refused("signature.digest", source=NAMESPACE_INJECTION)
def the_namespace_of_the_signed_operation_changes_and_its_prefix_does_not() -> Built:
    evil = PAYLOAD.replace('xmlns:e="urn:echo"', 'xmlns:e="urn:echo/evil"')
    return bent(honest(), (PAYLOAD, evil))


EVERY: Final = (*WRAPPING,)
