"""Controls that are broken in part: all but a few octets, seconds, places or names still count."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from tests.proving.breaking import WHOLE, Broken, broken
from tests.proving.breaks import unable, without, yes
from tests.proving.breaks_in_part import (
    answers,
    answers_for_the_first,
    answers_sent_all_the_same,
    any_role_in_soap_1_2,
    any_security_in_soap_1_2,
    anybody_an_authority,
    anybodys_key,
    attributes_kept,
    authorities_valid_for_ever,
    comments_kept,
    digest_of_eight_octets,
    digests_of_eight_octets,
    empty,
    expires_later,
    faults_in_detail,
    in_either_case,
    instructions_dropped,
    kept_for_a_second,
    keys_with,
    lists_of_some,
    lost_records_served,
    names_in_either_case,
    of_eight_octets,
    one_block_of_several,
    only_the_certificate_revoked,
    part_of_the_body,
    path_taken_as,
    services_that_begin_alike,
    spoofed_words,
    taken_where,
    trailers_taken,
    users_unsigned,
    valid_since_ever,
    verdicts_by_serial,
    verdicts_shared,
    windows_wider,
    without_limit,
)
from wsguard.answers import AnswerSecurer
from wsguard.clients import ClientTable
from wsguard.middleware import Guard

BROKEN_IN_PART: Final[Mapping[str, Broken]] = {
    # --- Time and replay
    "windows half a minute wider": broken(
        "user", windows_wider, "soap12", "timestamp.created", "timestamp.future", "username_token.window"
    ),
    "an Expires a little later": broken("user", expires_later, "soap12", "timestamp.expires"),
    "what was seen forgotten after a second": broken(
        "user", without("wsguard.judging.retention", lambda _: timedelta(seconds=1)), "replay.late"
    ),
    "a store that keeps for a second": broken("user", kept_for_a_second, "replay.late"),
    "signatures over no date forgotten": broken(
        "signed-body-only", without("wsguard.judging.signature_until", lambda *case: case[-1]), "replay.undated"
    ),
    "what was seen known on its path only": broken("user", keys_with("path"), "replay.path"),
    "what was seen known as a whole only": broken("signed", keys_with("octets"), "replay.unsigned"),
    # --- Users and clients
    "passwords in either case": broken("user-and-text", taken_where(in_either_case), "soap12", "user.password_in_part"),
    "passwords of eight octets": broken(
        "user-and-text", taken_where(of_eight_octets), "soap12", "user.password_in_part"
    ),
    "passwords left empty": broken("user-and-text", taken_where(empty), "soap12", "user.password_in_part"),
    "password digests of eight octets": broken("user", taken_where(digest_of_eight_octets), "user.digest"),
    "names in either case": broken("user", names_in_either_case, "user.name"),
    "a user beside any signer, where both must be": broken("signed-and-user", users_unsigned, "user.unsigned"),
    "a user beside any signer, where one may be": broken("signed-and-perhaps-user", users_unsigned, "user.unsigned"),
    "whoever has half of an entry and all of another": broken(
        "clients-halves", unable(ClientTable, "_stands_by", yes), "client.both"
    ),
    "the same with the user of another": broken("clients-both", unable(ClientTable, "_stands_by", yes), "client.both"),
    "services of names that begin alike": broken("clients", services_that_begin_alike, "client.services", "honest"),
    # --- Signatures and certificates
    "digests of eight octets": broken("signed", digests_of_eight_octets, "signature.whole_digest"),
    "one block of several": broken("signed-many-parts", one_block_of_several, "signature.every_block"),
    "a key that anybody made": broken("encrypted-hmac", anybodys_key, "signature.known_key"),
    "certificates valid since ever": broken("signed", valid_since_ever, "certificate.bent"),
    "authorities valid for ever": broken("signed", authorities_valid_for_ever, "certificate.bent"),
    "anybody an authority": broken("signed", anybody_an_authority, "certificate.bent"),
    "old lists": broken(
        "signed-constraints-and-lists", without("wsguard.trust.revocation._demand_current"), "certificate.bent"
    ),
    "authorities that nobody can revoke": broken(
        "signed-constraints-and-lists", only_the_certificate_revoked, "certificate.bent"
    ),
    "authorities without a list": broken("signed-constraints-and-lists", lists_of_some, "certificate.bent"),
    "names that an authority may not give": broken(
        "signed", without("wsguard.trust.judging.check_name_constraints"), "certificate.bent"
    ),
    "pinned certificates for ever": broken(
        "signed-pinned", without("wsguard.trust.judging.is_valid", yes), "certificate.bent"
    ),
    "verdicts by serial number": broken("signed", verdicts_by_serial, "certificate.bent"),
    "verdicts of one trust in another": broken("two-trusts", verdicts_shared, "certificate.other_trust"),
    # --- Encryption
    "a part of the Body for all of it": broken("encrypted", part_of_the_body, "encryption.whole_body"),
    "ciphertext that nobody signed": broken(
        "encrypted-and-covered", without("wsguard.requirements._is_inside", yes), "encryption.signed"
    ),
    "ciphertext that nothing opened": broken(
        "encrypted", without("wsguard.engine.refuse_what_stayed_closed"), "encryption.opened"
    ),
    "faults that tell what came out": broken(
        "encrypted", without("wsguard.engine._concealed", lambda fault, begun: fault), "faults.alike"
    ),
    "faults in detail": broken("user", faults_in_detail, WHOLE),
    # --- Answers
    "answers without anything": broken(
        "encrypted-answers",
        unable(AnswerSecurer, "answer", lambda one, octets, *_: octets),
        "answer",
        "answer.withheld",
        "handoff.environ",
        "honest",
        "soap12",
    ),
    "answers in the clear": broken(
        "encrypted-answers", answers({"encrypt_for": None}), "answer", "handoff.environ", "honest", "soap12"
    ),
    "answers for whoever was first": broken("encrypted-answers", answers_for_the_first, "answer"),
    "answers without Timestamp": broken(
        "answers-if-signed", answers({"timestamp": None, "signed_parts": ("Body",)}), "answer", "honest"
    ),
    "answers that nobody signed": broken(
        "signed-keeping", answers({"sign": None}), "answer", "envelope.comments", "handoff.environ", "honest", "soap12"
    ),
    "answers that confirm nothing": broken(
        "answers-if-signed", answers({"signature_confirmations": None}), "answer", "honest"
    ),
    "answers to nobody in particular": broken(
        "answers-if-signed",
        answers_sent_all_the_same,
        "answer",
        "answer.withheld",
        "envelope.comments",
        "handoff.environ",
        "honest",
        "soap12",
    ),
    "answers for anybody but the named one": broken(
        "answers-for-one", answers({"encrypt_for": None}), "answer", "handoff.environ", "honest", "soap12"
    ),
    # --- SOAP 1.2, limits, HTTP
    "SOAP 1.2 without security": broken("user", any_security_in_soap_1_2, "soap12"),
    "any role of SOAP 1.2": broken("user", any_role_in_soap_1_2, "soap12"),
    "any number of elements": broken("http", without_limit("elements"), "limits.elements"),
    "any number of attributes": broken("user", without_limit("attributes_per_element"), "limits.attributes"),
    "any number of namespaces": broken("user", without_limit("namespaces"), "limits.namespaces"),
    "any number of references": broken("signed", without_limit("references"), "limits.references"),
    "any number of encrypted keys": broken("encrypted", without_limit("encrypted_keys"), "limits.encrypted_keys"),
    "octets after what is inflated": broken("http", trailers_taken, "http.content_encoding", "http.trailer"),
    "GET with a body": broken(
        "user",
        without(
            "wsguard.middleware.is_wsdl_request",
            lambda environ: "QUERY_STRING" in environ and environ["QUERY_STRING"] == "wsdl",
        ),
        "http.method",
    ),
    "two charsets": broken(
        "user", without("wsguard.received._charset", lambda header, parsed: parsed), "envelope.charset"
    ),
    "exempt paths in either case": broken("exemptions-by-path", path_taken_as(str.lower), "exemption.width"),
    "exempt paths with a slash": broken(
        "exemptions-by-path", path_taken_as(lambda path: path.rstrip("/")), "exemption.width"
    ),
    "processing instructions dropped": broken("user", instructions_dropped, "envelope.instructions"),
    "comments kept": broken("user", comments_kept, "envelope.comments"),
    # --- Hand-off and records
    "words of others handed on": broken("user", spoofed_words, "handoff.environ"),
    "words of others handed on to what is open": broken(
        "exemptions", spoofed_words, "exemption.environ", "handoff.environ"
    ),
    "attributes that nobody signed": broken(
        "signed", attributes_kept, "envelope.comments", "handoff.environ", "honest", "soap12"
    ),
    "messages served without record": broken("recorded", lost_records_served, "handoff.record"),
    "open messages served without record": broken("exemptions-by-path", lost_records_served, "exemption.record"),
    "messages that are never recorded": broken(
        "recorded",
        unable(Guard, "_record_before_handoff", lambda *_: False),
        "envelope.comments",
        "handoff.environ",
        "handoff.record",
        "honest",
        "soap12",
    ),
}
