"""XML encryption in SOAP messages (XML Encryption 1.1, WSS 1.1 §9): opened, within limits, and without an oracle.

Everything goes through ``cryptography``. libxmlsec is not asked for anything here: what it resolves, opens and prints
by itself (FACTS S8 to S11) cannot happen. See docs/adr/0010.
"""

from wsguard.encryption.keys import Secret
from wsguard.encryption.opening import Decryptor, MessageDecryption, OpenedPart
from wsguard.encryption.places import Path, at, path_of
from wsguard.interfaces import DecryptionKey

__all__ = ["DecryptionKey", "Decryptor", "MessageDecryption", "OpenedPart", "Path", "Secret", "at", "path_of"]
