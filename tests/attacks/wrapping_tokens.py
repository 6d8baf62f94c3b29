"""A: a signed Timestamp, UsernameToken or certificate that is moved aside, and a fresh or another one in its place."""

from dataclasses import replace
from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.moving import EVIL_BODY, FOREIGN, SECURITY, WRAPPER
from tests.attacks.tokens import user
from tests.messages import SOAP12, stamp, timestamp
from tests.signature.signatures import ALICE, BOB, SIGNED_BODY, bent, both_sign, honest
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, signed

TOKENS: Final = Chapter("A", "signed")
USERS: Final = Chapter("A", "both")

XSW: Final = "McIntosh and Austel, XML signature element wrapping attacks and countermeasures, 2005"
GRUSCHKA: Final = "Gruschka and Lo Iacono, Vulnerable cloud: SOAP message security validation revisited, 2009"


def an_hour_ago() -> str:
    """The Timestamp of a message that Alice signed then."""
    return timestamp(stamp(-4000), stamp(-3700))


def fresh(id: str = 'wsu:Id="TS-2"') -> str:
    """A Timestamp that nobody signed."""
    return timestamp(stamp(-1), stamp(299)).replace('wsu:Id="TS-1"', id)


# --- Timestamp --------------------------------------------------------------------------------------------------------

ASIDE: Final = {
    "a header block": ("<S:Header>", "<S:Header>{}"),
    "a wrapper in the Header": ("<S:Header>", f"<S:Header>{WRAPPER}"),
    "a Security header for somebody else": ("<S:Header>", f"<S:Header>{FOREIGN}"),
    "a Header of the other SOAP": (
        "<S:Header>",
        f'<S:Header><T:Header xmlns:T="{SOAP12}">{FOREIGN}</T:Header>',
    ),
}


@TOKENS.each_refused("signature.coverage", ASIDE, source=XSW)
def the_expired_signed_timestamp_beside_a_fresh_one_is_put_into(place: tuple[str, str]) -> Built:
    anchor, text = place
    sent = bent(honest(stamp=an_hour_ago()), (an_hour_ago(), fresh())).decode()
    return bent(sent, (anchor, text.format(an_hour_ago())))


@TOKENS.refused("security.duplicate", source=XSW)
def the_expired_signed_timestamp_is_put_into_a_second_security_header() -> Built:
    sent = bent(honest(stamp=an_hour_ago()), (an_hour_ago(), fresh())).decode()
    return bent(sent, ("<S:Header>", f"<S:Header>{SECURITY}{an_hour_ago()}</wsse:Security>"))


@TOKENS.refused("timestamp.malformed", source=XSW)
def the_expired_signed_timestamp_is_put_into_the_fresh_one() -> Built:
    around = fresh().replace("</wsu:Timestamp>", f"{an_hour_ago()}</wsu:Timestamp>")
    return bent(honest(stamp=an_hour_ago()), (an_hour_ago(), around))


@TOKENS.refused("signature.malformed", source=XSW)
def the_expired_signed_timestamp_is_put_into_an_object_of_the_signature() -> Built:
    sent = bent(honest(stamp=an_hour_ago()), (an_hour_ago(), fresh())).decode()
    return bent(sent, ("</ds:KeyInfo>", f"</ds:KeyInfo><ds:Object>{an_hour_ago()}</ds:Object>"))


@TOKENS.refused("signature.malformed", source=XSW)
def the_expired_signed_timestamp_is_put_into_the_reference_to_the_certificate() -> Built:
    sent = bent(honest(stamp=an_hour_ago()), (an_hour_ago(), fresh())).decode()
    embedded = f"<wsse:Embedded>{an_hour_ago()}</wsse:Embedded>"
    return bent(sent, ("<wsse:SecurityTokenReference>", f"<wsse:SecurityTokenReference>{embedded}"))


BESIDE: Final = {
    "with another Id, before it": (True, 'wsu:Id="TS-2"'),
    "with another Id, behind it": (False, 'wsu:Id="TS-2"'),
    "without Id, before it": (True, ""),
    "without Id, behind it": (False, ""),
}
DOUBLED: Final = {
    "with the same Id, before it": (True, 'wsu:Id="TS-1"'),
    "with the same Id, behind it": (False, 'wsu:Id="TS-1"'),
    "with the same Id without namespace, before it": (True, 'Id="TS-1"'),
}


def _beside(first: bool, id: str) -> bytes:
    both = fresh(id) + an_hour_ago() if first else an_hour_ago() + fresh(id)
    return bent(honest(stamp=an_hour_ago()), (an_hour_ago(), both))


@TOKENS.each_refused("timestamp.malformed", BESIDE, source=GRUSCHKA)
def beside_the_expired_signed_timestamp_stands_a_fresh_one(how: tuple[bool, str]) -> Built:
    return _beside(*how)


@TOKENS.each_refused("envelope.duplicate_id", DOUBLED, source=GRUSCHKA)
def beside_the_expired_signed_timestamp_is_a_fresh_one(how: tuple[bool, str]) -> Built:
    return _beside(*how)


@TOKENS.refused("timestamp.expired")
def the_expired_message_is_sent_as_it_is() -> Built:
    return honest(stamp=an_hour_ago()).encode()


@TOKENS.refused("signature.digest")
def the_expired_signed_timestamp_gets_new_times() -> Built:
    return bent(honest(stamp=an_hour_ago()), (an_hour_ago(), timestamp()))


@TOKENS.refused("signature.reference")
def the_expired_signed_timestamp_is_left_out_for_a_fresh_one() -> Built:
    return bent(honest(stamp=an_hour_ago()), (an_hour_ago(), fresh()))


@TOKENS.refused("signature.coverage")
def another_trusted_client_signs_a_fresh_timestamp_beside_an_old_signed_body() -> Built:
    return both_sign(Signing.by(ALICE, parts=(BODY,)), Signing.by(BOB, parts=(TIMESTAMP,)))


@TOKENS.refused("signature.coverage")
def another_trusted_client_signs_everything_but_the_body_of_the_first() -> Built:
    return both_sign(Signing.by(ALICE, parts=(BODY,)), Signing.by(BOB, parts=(TIMESTAMP, Part("#SIG-A"))))


# --- The Security header ----------------------------------------------------------------------------------------------


@TOKENS.refused("signature.missing", source=XSW)
def the_signed_security_header_is_given_to_somebody_else_and_a_fresh_one_to_us() -> Built:
    ours = f"<S:Header>{SECURITY}{fresh()}</wsse:Security>{FOREIGN.partition('{}')[0]}"
    return bent(honest(), (f"<S:Header>{SECURITY}", ours), (SIGNED_BODY, EVIL_BODY))


@TOKENS.refused("signature.coverage", source=XSW)
def the_certificate_of_the_signer_is_signed_and_another_takes_its_place() -> Built:
    """Both are for one key, so that the value fits under either."""
    mine = binary_token(ALICE.certificate)
    parts = (BODY, TIMESTAMP, Part("#X509-1"))
    text = signed(Signing.by(ALICE, parts=parts)).decode()
    text = bent(text, ('<wsse:Reference URI="#X509-1"/>', '<wsse:Reference URI="#X509-2"/>')).decode()
    return bent(text, (mine, mine.replace("X509-1", "X509-2")), ("<S:Header>", f"<S:Header>{WRAPPER.format(mine)}"))


# --- UsernameToken ----------------------------------------------------------------------------------------------------


def both(**changes: str) -> tuple[str, str, str]:
    """Alice's message with her signed UsernameToken; her token in it, and one of Bob's."""
    token = user()
    hers = token.xml().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
    his = replace(user(), username="bob", password="hunter2").xml()
    parts = (BODY, TIMESTAMP, Part("#UT-1"))
    return signed(Signing.by(ALICE, parts=parts), token=token, **changes).decode(), hers, his


@USERS.each_refused("signature.coverage", ASIDE, source=XSW)
def the_signed_username_token_of_one_beside_the_token_of_another_is_put_into(place: tuple[str, str]) -> Built:
    text, hers, his = both()
    anchor, around = place
    return bent(text, (hers, his), (anchor, around.format(hers)))


@USERS.refused("username_token.malformed", source=XSW)
def the_token_of_another_stands_before_the_signed_username_token() -> Built:
    text, hers, his = both()
    return bent(text, (hers, his + hers))


@USERS.refused("username_token.malformed", source=XSW)
def the_token_of_another_stands_behind_the_signed_username_token() -> Built:
    text, hers, his = both()
    return bent(text, (hers, hers + his))


@USERS.refused("username_token.malformed", source=XSW)
def the_token_of_another_holds_the_signed_username_token() -> Built:
    text, hers, his = both()
    return bent(text, (hers, his.replace("</wsse:UsernameToken>", f"{hers}</wsse:UsernameToken>")))


@USERS.refused("signature.digest")
def the_token_of_another_has_the_id_of_the_signed_username_token() -> Built:
    text, hers, his = both()
    return bent(text, (hers, his.replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')))


@USERS.refused("signature.digest")
def the_signed_username_token_names_another_user_with_the_same_password() -> Built:
    """PasswordDigest does not cover the name: Carol has the password of Alice."""
    text, _, _ = both()
    return bent(text, ("<wsse:Username>alice<", "<wsse:Username>carol<"))


@USERS.refused("envelope.duplicate_id", source=XSW)
def the_token_of_another_and_the_signed_username_token_have_one_id() -> Built:
    text, hers, his = both()
    his = his.replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
    return bent(text, (hers, his), ("<S:Header>", f"<S:Header>{WRAPPER.format(hers)}"))


EVERY: Final = (*TOKENS, *USERS)
