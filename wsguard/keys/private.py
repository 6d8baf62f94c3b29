"""A private key, out of whatever format its file has."""

from wsguard.keys.errors import KeyFileError
from wsguard.keys.files import format_of, password_of, read
from wsguard.keys.java import key_in_jks, refused_jceks
from wsguard.keys.pair import SMALLEST_RSA_BITS, KeyPair, demand_strength
from wsguard.keys.pem import key_in_pem
from wsguard.keys.pfx import key_in_pkcs12
from wsguard.policy.surroundings import KeyFile


def load_key(source: KeyFile, *, min_rsa_bits: int = SMALLEST_RSA_BITS) -> KeyPair:
    """The private key in ``source``, with its certificate and chain where the file has them.

    Args:
        source: a PEM file (one private key, any certificates), a PKCS#12 file or a JKS keystore.
        min_rsa_bits: smallest RSA modulus, in bits, that is not called weak.

    Raises:
        KeyFileError: the file or its password cannot be read, the password is wrong, missing or not needed, there is no
            private key in it, or not exactly one that is meant, no certificate in it is the key's, the key is weak, or
            it is neither RSA nor EC on P-256, P-384 or P-521.
    """
    octets = read(source.file)
    password = password_of(source)
    pair = _in_its_format(source, octets, password)
    demand_strength(source.file, pair.private_key, min_rsa_bits)
    return pair


def _in_its_format(source: KeyFile, octets: bytes, password: bytes | None) -> KeyPair:
    match format_of(octets):
        case "JKS":
            return key_in_jks(source, octets, password)
        case "PKCS#12":
            return key_in_pkcs12(source, octets, password)
        case "PEM":
            return key_in_pem(source, octets, password)
        case "JCEKS":
            raise refused_jceks(source.file, "PKCS12")
        case None:
            raise KeyFileError(f"{source.file}: neither PEM nor PKCS#12 nor JKS")
