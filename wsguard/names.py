"""The field's names: namespaces, qualified names, algorithm and value-type identifiers. Constants only."""

from types import MappingProxyType
from typing import Final

# --- Namespaces -------------------------------------------------------------------------------------------------------

SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSSE11: Final = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
"""Both an algorithm and the namespace of InclusiveNamespaces."""
XSD: Final = "http://www.w3.org/2001/XMLSchema"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
SOAP11_ENCODING: Final = "http://schemas.xmlsoap.org/soap/encoding/"
SOAP12_ENCODING: Final = "http://www.w3.org/2003/05/soap-encoding"
WSA_2004: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSA_2005: Final = "http://www.w3.org/2005/08/addressing"
XML: Final = "http://www.w3.org/XML/1998/namespace"

# --- SOAP -------------------------------------------------------------------------------------------------------------

SOAP_NEXT: Final = "http://schemas.xmlsoap.org/soap/actor/next"
"""SOAP 1.1 §4.2.2: the actor that every node plays."""
SOAP12_NEXT: Final = f"{SOAP12}/role/next"
SOAP12_ULTIMATE_RECEIVER: Final = f"{SOAP12}/role/ultimateReceiver"

# --- WS-Security elements ---------------------------------------------------------------------------------------------

SECURITY: Final = f"{{{WSSE}}}Security"
USERNAME_TOKEN: Final = f"{{{WSSE}}}UsernameToken"
USERNAME: Final = f"{{{WSSE}}}Username"
PASSWORD: Final = f"{{{WSSE}}}Password"
NONCE: Final = f"{{{WSSE}}}Nonce"
SALT: Final = f"{{{WSSE11}}}Salt"
ITERATION: Final = f"{{{WSSE11}}}Iteration"
TIMESTAMP: Final = f"{{{WSU}}}Timestamp"
CREATED: Final = f"{{{WSU}}}Created"
EXPIRES: Final = f"{{{WSU}}}Expires"
WSU_ID: Final = f"{{{WSU}}}Id"
XML_ID: Final = f"{{{XML}}}id"
IDS: Final = frozenset({WSU_ID, XML_ID, "Id", "ID", "id"})
"""Attributes that give an element of WS-Security its Id: the standard's, and those that stacks send instead."""
ENCRYPTED_HEADER: Final = f"{{{WSSE11}}}EncryptedHeader"
BINARY_SECURITY_TOKEN: Final = f"{{{WSSE}}}BinarySecurityToken"
SECURITY_TOKEN_REFERENCE: Final = f"{{{WSSE}}}SecurityTokenReference"
SIGNATURE: Final = f"{{{DS}}}Signature"
KEY_INFO: Final = f"{{{DS}}}KeyInfo"
ENCRYPTED_DATA: Final = f"{{{XENC}}}EncryptedData"
ENCRYPTED_KEY: Final = f"{{{XENC}}}EncryptedKey"
REFERENCE_LIST: Final = f"{{{XENC}}}ReferenceList"
WSA_ACTIONS: Final = (f"{{{WSA_2005}}}Action", f"{{{WSA_2004}}}Action")

# --- UsernameToken profile 1.1 ----------------------------------------------------------------------------------------

_USERNAME_TOKEN_PROFILE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
PASSWORD_DIGEST: Final = f"{_USERNAME_TOKEN_PROFILE}#PasswordDigest"
PASSWORD_TEXT: Final = f"{_USERNAME_TOKEN_PROFILE}#PasswordText"
USERNAME_TOKEN_TYPE: Final = f"{_USERNAME_TOKEN_PROFILE}#UsernameToken"
"""ValueType of a reference to a wsse:UsernameToken."""
_MESSAGE_SECURITY: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0"
BASE64_BINARY: Final = f"{_MESSAGE_SECURITY}#Base64Binary"

# --- X.509 certificate token profile 1.1 ------------------------------------------------------------------------------

_X509_TOKEN_PROFILE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0"
X509_V3: Final = f"{_X509_TOKEN_PROFILE}#X509v3"
X509_PKI_PATH: Final = f"{_X509_TOKEN_PROFILE}#X509PKIPathv1"
PKCS7: Final = f"{_X509_TOKEN_PROFILE}#PKCS7"
X509_SUBJECT_KEY_IDENTIFIER: Final = f"{_X509_TOKEN_PROFILE}#X509SubjectKeyIdentifier"
THUMBPRINT_SHA1: Final = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"
ENCRYPTED_KEY_SHA1: Final = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#EncryptedKeySHA1"

# --- Transforms -------------------------------------------------------------------------------------------------------

ENVELOPED_SIGNATURE: Final = f"{DS}enveloped-signature"
STR_TRANSFORM: Final = f"{_MESSAGE_SECURITY}#STR-Transform"

# --- Algorithms: short name -> identifier -----------------------------------------------------------------------------
# A short name is the identifier's fragment in lower case; two identifiers that would share one are kept apart below.

_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007: Final = "http://www.w3.org/2007/05/xmldsig-more#"
_XENC11: Final = "http://www.w3.org/2009/xmlenc11#"

SIGNATURE_ALGORITHMS: Final = MappingProxyType(
    {
        "rsa-sha1": f"{DS}rsa-sha1",
        "rsa-sha256": f"{_MORE}rsa-sha256",
        "rsa-sha384": f"{_MORE}rsa-sha384",
        "rsa-sha512": f"{_MORE}rsa-sha512",
        "rsa-pss-sha256": f"{_MORE_2007}sha256-rsa-MGF1",
        "rsa-pss-sha384": f"{_MORE_2007}sha384-rsa-MGF1",
        "rsa-pss-sha512": f"{_MORE_2007}sha512-rsa-MGF1",
        "ecdsa-sha1": f"{_MORE}ecdsa-sha1",
        "ecdsa-sha256": f"{_MORE}ecdsa-sha256",
        "ecdsa-sha384": f"{_MORE}ecdsa-sha384",
        "ecdsa-sha512": f"{_MORE}ecdsa-sha512",
        "hmac-sha1": f"{DS}hmac-sha1",
        "hmac-sha256": f"{_MORE}hmac-sha256",
        "hmac-sha384": f"{_MORE}hmac-sha384",
        "hmac-sha512": f"{_MORE}hmac-sha512",
    }
)
DIGEST_ALGORITHMS: Final = MappingProxyType(
    {
        "sha1": f"{DS}sha1",
        "sha256": f"{XENC}sha256",
        "sha384": f"{_MORE}sha384",
        "sha512": f"{XENC}sha512",
    }
)
CANONICALIZATION_ALGORITHMS: Final = MappingProxyType(
    {
        "exc-c14n": EXC_C14N,
        "exc-c14n-with-comments": f"{EXC_C14N}WithComments",
        "c14n": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "c14n-with-comments": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
        "c14n11": "http://www.w3.org/2006/12/xml-c14n11",
    }
)
ENCRYPTION_ALGORITHMS: Final = MappingProxyType(
    {
        "aes128-gcm": f"{_XENC11}aes128-gcm",
        "aes192-gcm": f"{_XENC11}aes192-gcm",
        "aes256-gcm": f"{_XENC11}aes256-gcm",
        "aes128-cbc": f"{XENC}aes128-cbc",
        "aes192-cbc": f"{XENC}aes192-cbc",
        "aes256-cbc": f"{XENC}aes256-cbc",
        "tripledes-cbc": f"{XENC}tripledes-cbc",
    }
)
KEY_TRANSPORT_ALGORITHMS: Final = MappingProxyType(
    {
        "rsa-oaep-mgf1p": f"{XENC}rsa-oaep-mgf1p",
        "rsa-oaep": f"{_XENC11}rsa-oaep",
        "rsa-1_5": f"{XENC}rsa-1_5",
        "kw-aes128": f"{XENC}kw-aes128",
        "kw-aes192": f"{XENC}kw-aes192",
        "kw-aes256": f"{XENC}kw-aes256",
        "ecdh-es": f"{_XENC11}ECDH-ES",
    }
)

# --- XML Encryption 1.1, WS-SecureConversation ------------------------------------------------------------------------

XENC11: Final = _XENC11
ENCRYPTED_CONTENT: Final = f"{XENC}Content"
ENCRYPTED_ELEMENT: Final = f"{XENC}Element"
CONCAT_KDF: Final = f"{_XENC11}ConcatKDF"
MASK_GENERATION_ALGORITHMS: Final = MappingProxyType(
    {
        "mgf1sha1": f"{_XENC11}mgf1sha1",
        "mgf1sha224": f"{_XENC11}mgf1sha224",
        "mgf1sha256": f"{_XENC11}mgf1sha256",
        "mgf1sha384": f"{_XENC11}mgf1sha384",
        "mgf1sha512": f"{_XENC11}mgf1sha512",
    }
)
WSC_2005_02: Final = "http://schemas.xmlsoap.org/ws/2005/02/sc"
WSC_2005_12: Final = "http://docs.oasis-open.org/ws-sx/ws-secureconversation/200512"
DERIVED_KEY_TOKENS: Final = frozenset({f"{{{WSC_2005_02}}}DerivedKeyToken", f"{{{WSC_2005_12}}}DerivedKeyToken"})

# --- What is only made, or named in what is made ----------------------------------------------------------------------

SIGNATURE_CONFIRMATION: Final = f"{{{WSSE11}}}SignatureConfirmation"
TOKEN_TYPE: Final = f"{{{WSSE11}}}TokenType"
ENCRYPTED_KEY_TOKEN: Final = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#EncryptedKey"
"""WSS 1.1 §7.7: the TokenType of an EncryptedKey that is referred to."""
