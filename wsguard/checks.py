"""The check names: stable, dotted, the same in every explanation, audit record, metric and document.

Each says what the check demands, what usually trips it, and what to do about it: the text that ``docs/checks.md`` and
``wsguard audit show`` print. Adding a check is adding a row here; renaming one breaks its users.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Check:
    """One named demand on a request."""

    name: str
    """Stable dotted name, for example ``timestamp.expired``."""
    demands: str
    """What a message must be like to pass."""
    cause: str
    """What usually makes an honest message fail."""
    cure: str
    """What the sender or the operator can do."""


def _table(*rows: tuple[str, str, str, str]) -> MappingProxyType[str, Check]:
    return MappingProxyType({row[0]: Check(*row) for row in rows})


CHECKS: Final = _table(
    # --- HTTP ---------------------------------------------------------------------------------------------------------
    (
        "http.method",
        "POST, in capitals; GET only for ?wsdl and without a body",
        "a health check or a browser on the service's address",
        "send POST; point health checks elsewhere",
    ),
    (
        "http.path",
        "a plain path: no %, ;, ?, #, \\, //, dot segments or controls, and none that only looks like a service's",
        "a proxy that decodes twice, a client that joins base and path with two slashes, or a slash at the end",
        "mend the address in the client or proxy",
    ),
    (
        "http.content_type",
        "text/xml or application/soap+xml, and nothing multipart",
        "a client with MTOM or attachments switched on, or application/xml",
        "switch MTOM off; send text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2)",
    ),
    (
        "http.length",
        "one Content-Length of decimal digits that the body really has, or a chunked body that the server delimits",
        "the connection broke, or a proxy rewrote the body and not its length",
        "look at the network; serve behind a server that sets wsgi.input_terminated",
    ),
    (
        "http.content_encoding",
        "no Content-Encoding, or one of http.content_encodings that inflates cleanly",
        "the client compresses its requests",
        "list gzip or deflate in http.content_encodings, or switch compression off",
    ),
    # --- Limits -------------------------------------------------------------------------------------------------------
    (
        "limits.body_bytes",
        "at most limits.body_bytes of request body, also after inflating",
        "a large document in the message",
        "raise limits.body_bytes",
    ),
    ("limits.depth", "elements nested at most limits.depth deep", "deeply nested data", "raise limits.depth"),
    (
        "limits.elements",
        "at most limits.elements elements",
        "a long list in one message",
        "raise limits.elements, or send it in parts",
    ),
    (
        "limits.memory_bytes",
        "elements, attributes, Ids and text that take at most limits.memory_bytes of memory",
        "a long list in one message, with attributes on each element",
        "raise limits.memory_bytes where the machine has it, or send it in parts",
    ),
    (
        "limits.attributes_per_element",
        "at most limits.attributes_per_element attributes on one element",
        "never seen from an honest client",
        "raise limits.attributes_per_element",
    ),
    (
        "limits.namespaces",
        "at most limits.namespaces namespaces in scope at one element",
        "a client that declares every namespace of its WSDL",
        "raise limits.namespaces",
    ),
    (
        "limits.prefix_list",
        "at most limits.prefix_list prefixes in one InclusiveNamespaces",
        "a client that lists every prefix in scope",
        "raise limits.prefix_list",
    ),
    (
        "limits.references",
        "at most limits.references references in the message's signatures",
        "every part signed one by one",
        "raise limits.references",
    ),
    (
        "limits.encrypted_keys",
        "at most limits.encrypted_keys encrypted keys",
        "a message encrypted for many recipients",
        "raise limits.encrypted_keys",
    ),
    (
        "limits.encrypted_data",
        "at most limits.encrypted_data encrypted parts, in few ReferenceLists where the message is large",
        "every part encrypted one by one",
        "name the parts in one ReferenceList; raise limits.encrypted_data",
    ),
    (
        "limits.response_bytes",
        "an answer of at most limits.response_bytes where it must be secured",
        "a large answer",
        "raise limits.response_bytes",
    ),
    # --- Envelope -----------------------------------------------------------------------------------------------------
    (
        "envelope.malformed",
        "well-formed XML 1.0 with namespaces",
        "text that was cut off, or built by joining strings without escaping",
        "build the message with an XML library",
    ),
    (
        "envelope.doctype",
        "no document type declaration (SOAP 1.1 §3, SOAP 1.2 part 1 §5)",
        "an XML library that writes one by default",
        "switch it off in the client",
    ),
    (
        "envelope.encoding",
        "one of http.charsets, said alike by HTTP, byte order mark and XML declaration, and kept to by every byte",
        "a Latin-1 message labelled utf-8, or the other way round",
        "label the message as it is encoded",
    ),
    (
        "envelope.structure",
        "one SOAP Envelope: at most one Header, then one Body with one operation; references inside the Body only; no processing instructions",
        "a Fault or an empty Body sent as a request, or a reference to nothing",
        "look at the message that was sent",
    ),
    (
        "envelope.duplicate_id",
        "no Id twice, whichever attribute carries it (wsu:Id, Id, ID, id, xml:id)",
        "templates with constant Ids, used twice in one message",
        "make Ids unique in the message",
    ),
    (
        "envelope.soap_action",
        "SOAPAction, action= and wsa:Action that name no other known operation than the Body's",
        "a proxy or a test tool that keeps the SOAPAction of the last call",
        "send the operation's own SOAPAction, or an empty one",
    ),
    # --- Security header ----------------------------------------------------------------------------------------------
    (
        "security.missing",
        "a wsse:Security header for our actor",
        "a client without WS-Security, or one that addresses another actor",
        "configure WS-Security in the client; look at `actor`",
    ),
    (
        "security.duplicate",
        "at most one wsse:Security header for our actor (WSS 1.1 §5)",
        "a client and a gateway that both add one",
        "let one of them add it, or give them different actors",
    ),
    (
        "security.unknown_token",
        "only elements in wsse:Security that this guard understands",
        "a token of a kind that is not supported: SAML, Kerberos, a security context",
        "see which in the record; switch it off in the client, or have it sign by a certificate",
    ),
    # --- Timestamp ----------------------------------------------------------------------------------------------------
    (
        "timestamp.missing",
        "a wsu:Timestamp where timestamp.use is required",
        "a client whose WS-Security profile has no Timestamp",
        "add it in the client, or set timestamp.use",
    ),
    (
        "timestamp.forbidden",
        "no wsu:Timestamp where timestamp.use is forbidden",
        "a client that sends one all the same",
        "switch it off in the client, or set timestamp.use",
    ),
    (
        "timestamp.malformed",
        "one wsu:Timestamp with wsu:Created and wsu:Expires as the policy demands, each once, in xsd:dateTime with a zone",
        "a local time without zone, or a template with two Timestamps",
        "send UTC with a final Z",
    ),
    (
        "timestamp.expired",
        "a message no older than timestamp.time_to_live and before its Expires",
        "a wrong clock, a message from a queue, or a slow network",
        "synchronise clocks; raise timestamp.time_to_live",
    ),
    (
        "timestamp.not_yet_valid",
        "Created at most timestamp.future_time_to_live ahead",
        "a clock that runs ahead, or local time labelled as UTC",
        "synchronise clocks",
    ),
    (
        "timestamp.lifetime",
        "Expires after Created by at most timestamp.max_lifetime",
        "a client that asks for hours",
        "shorten the lifetime in the client, or raise timestamp.max_lifetime",
    ),
    # --- UsernameToken ------------------------------------------------------------------------------------------------
    (
        "username_token.missing",
        "a wsse:UsernameToken where username_token.use is required",
        "a client whose WS-Security profile has no user",
        "add user and password in the client",
    ),
    (
        "username_token.forbidden",
        "no wsse:UsernameToken where username_token.use is forbidden",
        "a client that sends one all the same",
        "switch it off in the client",
    ),
    (
        "username_token.malformed",
        "one wsse:UsernameToken of Username, Password (or wsse11:Salt), Nonce and wsu:Created, each strictly spelled",
        "hexadecimal nonces, two tokens, wsse:Created, or fewer than 1,000 iterations",
        "look at the record: it says which part",
    ),
    (
        "username_token.password_type",
        "a password type listed in username_token.password_types",
        "a client set to PasswordText where the digest is demanded (a Password without Type is PasswordText)",
        "choose PasswordDigest in the client",
    ),
    (
        "username_token.expired",
        "a token created at most username_token.time_to_live ago",
        "a wrong clock, or a client that reuses its header",
        "make a new token for each message",
    ),
    (
        "username_token.not_yet_valid",
        "a token created at most username_token.future_time_to_live ahead",
        "a clock that runs ahead",
        "synchronise clocks",
    ),
    (
        "username_token.authentication",
        "a known and enabled user with the right password, or whose key made of it signed the message",
        "a mistyped password, or a digest over something else than the decoded nonce, Created as sent, and the password",
        "look at the record: it says whether the user is known",
    ),
    (
        "username_token.nonce_missing",
        "a wsse:Nonce with every PasswordDigest, and with PasswordText where username_token.require_nonce is set",
        "a client with the nonce switched off",
        "switch it on in the client",
    ),
    (
        "username_token.created_missing",
        "a wsu:Created with every PasswordDigest, and with PasswordText where username_token.require_created is set",
        "a client with the creation time switched off",
        "switch it on in the client",
    ),
    # --- Replay -------------------------------------------------------------------------------------------------------
    (
        "replay.nonce",
        "a UsernameToken never seen before",
        "a client or proxy that sends the same message again",
        "make a new token for each attempt, also on retries",
    ),
    (
        "replay.signature",
        "a signature never seen before",
        "a client or proxy that sends the same message again",
        "sign each attempt anew",
    ),
    # --- Signature ----------------------------------------------------------------------------------------------------
    (
        "signature.missing",
        "a ds:Signature where signature.use is required",
        "a client whose WS-Security profile does not sign",
        "configure signing in the client",
    ),
    (
        "signature.forbidden",
        "no ds:Signature where signature.use is forbidden",
        "a client that signs all the same",
        "switch it off in the client, or set signature.use",
    ),
    (
        "signature.malformed",
        "a ds:Signature of SignedInfo, SignatureValue and KeyInfo, without Object and Manifest (XML Signature §4, WSS 1.1 §8)",
        "an unusual signing library",
        "look at the record: it says which part",
    ),
    (
        "signature.algorithm",
        "signature methods, digests, canonicalizations and transforms listed in [algorithms] or permitted to this client",
        "a client that still signs or digests with SHA-1, or whose permission has ended",
        "choose a stronger algorithm in the client, or permit it with a date in [[algorithms.legacy]]",
    ),
    (
        "signature.reference",
        "references to elements of this message, each by #Id, each once, and none to an element around the signature",
        "a part that was renamed or removed on the way, or a signature over the whole document",
        "sign the parts by their Ids, sign last, and send what was signed",
    ),
    (
        "signature.digest",
        "the digest of every signed part as it arrived",
        "something between signer and us re-indented or re-encoded the message",
        "compare what was digested (wsguard explain --octets DIR) with the client's; send the octets that were signed",
    ),
    (
        "signature.value",
        "a SignatureValue that fits SignedInfo under the signer's key",
        "the wrong private key for this certificate, or a SignedInfo that was changed on the way",
        "look at the client's keystore",
    ),
    (
        "signature.coverage",
        "one trusted signature over all signature.required_parts in their places, bound to the user where both are required",
        "a client that signs the Body only, or an xsi:type from a namespace that is not expected",
        "look at the record: sign the part in the client, or name what it says in [[client]] or handoff.namespaces",
    ),
    # --- Certificate --------------------------------------------------------------------------------------------------
    (
        "certificate.unavailable",
        "a certificate in the message, or one that [trust] knows; for an HMAC the name of a key in keys.shared",
        "a reference by issuer and serial, key identifier or thumbprint to a certificate that is not here",
        "add it to trust.known_certificates, or have the client send it (DirectReference)",
    ),
    (
        "certificate.malformed",
        "X.509 certificates that can be read, within bounds, with an RSA or EC key, and forms that name the same one",
        "a damaged BinarySecurityToken, or a reference that names two certificates",
        "look at the client's keystore",
    ),
    (
        "certificate.untrusted",
        "a chain to a certificate of trust.ca_files, or a pinned certificate",
        "a certificate of another authority, or one that came without the authority between",
        "add its authority to trust.ca_files, the one between to trust.intermediate_files, or pin the certificate",
    ),
    (
        "certificate.expired",
        "a certificate, and authorities above it, valid at this time",
        "a certificate past its date",
        "renew it",
    ),
    (
        "certificate.revoked",
        "a certificate that no CRL lists, CRLs that are current, and one of every issuer with trust.crl_coverage = chain",
        "a revoked certificate, or a CRL past its nextUpdate",
        "renew the certificate; refresh the CRL",
    ),
    (
        "certificate.constraint",
        "subject and issuer as trust.subject_cert_constraints and trust.issuer_cert_constraints demand",
        "another certificate of the same authority",
        "look at the patterns: one has to match the whole name, as the record shows it",
    ),
    (
        "certificate.key_size",
        "an RSA key of algorithms.min_rsa_bits to 8192 bits, or an EC key on P-256, P-384 or P-521",
        "an old key",
        "make a new key",
    ),
    (
        "certificate.key_usage",
        "a certificate of no authority, whose key usage permits digital signatures if it says anything",
        "a certificate made for encryption only",
        "use the signing certificate",
    ),
    # --- Encryption ---------------------------------------------------------------------------------------------------
    (
        "encryption.missing",
        "something encrypted where encryption.use is required",
        "a client whose WS-Security profile does not encrypt",
        "configure encryption in the client, for our certificate",
    ),
    (
        "encryption.forbidden",
        "nothing encrypted where encryption.use is forbidden",
        "a client that encrypts all the same",
        "switch it off in the client, or set encryption.use",
    ),
    (
        "encryption.malformed",
        "EncryptedKey and EncryptedData of the shape that XML Encryption §3 describes, inline, each named once, and opened",
        "an unusual library, attachments, or encrypted content with something beside it",
        "look at the record: it says which part",
    ),
    (
        "encryption.algorithm",
        "algorithms listed in [algorithms], at the top of the file where the Body is encrypted",
        "a client that still uses CBC, Triple DES or RSA 1.5",
        "choose GCM and OAEP in the client, or permit it with a date in [[algorithms.legacy]]",
    ),
    (
        "encryption.key",
        "keys that are encrypted for one of keys.decrypt, or named in keys.shared",
        "a client that has our old certificate, or somebody else's",
        "give the client our certificate; keep the old key in keys.decrypt until it changed",
    ),
    (
        "encryption.failed",
        "data that decrypts to well-formed content",
        "the wrong key, or data changed on the way; on purpose nothing says which",
        "look at the client's keystore, and at what is between; wsguard explain opens a captured message",
    ),
    (
        "encryption.coverage",
        "all encryption.required_parts encrypted; in a message that nobody vouches for, the Body and all else under one key",
        "a client that encrypts one element only, or another part",
        "encrypt all of each required part in the client; where nobody signs, encrypt the Body if you encrypt anything",
    ),
    # --- Client and routing -------------------------------------------------------------------------------------------
    (
        "client.mismatch",
        "an authenticated peer that one [[client]] entry describes in full",
        "a user or certificate that no entry names",
        "add or mend the entry",
    ),
    ("client.disabled", "a client that is not switched off", "a client that was switched off", "switch it on"),
    (
        "client.operation",
        "an operation of a service that the client may call",
        "a client that calls another service",
        "add the service to the client's entry",
    ),
    ("exemption", "an operation that an [[exempt]] entry names", "", ""),
    (
        "operation.unknown",
        "a qualified operation that the application has, on a path that it is served on",
        "a wrong address, or a client made for another version",
        "look at the service's WSDL",
    ),
    # --- Answers ------------------------------------------------------------------------------------------------------
    (
        "response.not_secured",
        "an answer that can be secured as [response] demands, and somebody to encrypt it for",
        "an application that answers with HTML, compresses its answers, or has nobody's certificate to encrypt for",
        "look at the record: it says what was wrong; answers are SOAP envelopes within limits.response_bytes",
    ),
    # --- Ourselves ----------------------------------------------------------------------------------------------------
    (
        "store.unavailable",
        "a user table, replay store, audit and keys that answer",
        "a full disk, or a store that is down",
        "mend the store: until then every request is refused",
    ),
    (
        "internal.error",
        "a guard without defects",
        "a defect of wsguard: the message was refused",
        "report it with the traceback that the log has under the incident id",
    ),
)
"""Every check, by name."""
