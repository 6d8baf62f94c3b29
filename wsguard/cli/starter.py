"""The configuration that ``wsguard init`` writes. A line with ``#`` and no space is a setting to uncomment."""

from typing import Final

STARTER: Final = """\
# What this service demands of a SOAP message, and where the guard keeps what it must remember.
#
# A line "#key = value" shows a default, or an example where it says so: take the # away and change it.
# A line "# text" is text. Paths are relative to this file. Passwords and keys never stand here: they come from an
# environment variable (*_env) or a file of their own (*_file). An unknown key, a wrong type and an impossible
# combination are refused at start, all at once.
#
#   wsguard check wsguard.toml       what is in force, and what deserves a second look
#   wsguard doctor wsguard.toml      libraries, algorithms, clock, permissions, stores

#unsafe_unauthenticated = false         # true: neither a UsernameToken nor a Signature is needed. Loud
#actor = ""                             # our SOAP actor or role; none and "next" are ours too

# --- What every message must carry --------------------------------------------------------------------------------

[timestamp]
use = "required"                        # required | optional | forbidden
#require_created = true
#require_expires = false
#time_to_live = 300                     # seconds after Created
#future_time_to_live = 60               # seconds that Created may lie ahead of our clock
#max_lifetime = 3600                    # seconds from Created to Expires

[username_token]
use = "required"                        # required | optional | forbidden
password_types = ["PasswordDigest"]     # and/or "PasswordText": then the password itself travels, so use TLS
#require_nonce = true                   # for PasswordText; a PasswordDigest always needs both
#require_created = true
#time_to_live = 300
#future_time_to_live = 60
#max_failures = 10                      # wrong passwords for one user from one address ...
#failure_window = 60                    # ... in so many seconds

[signature]
# To demand a signature in the place of a user: "required" here, and username_token.use = "forbidden". To demand both:
# "required" for both, and either add "UsernameToken" to required_parts or name user and certificate in one [[client]].
use = "optional"                        # required | optional | forbidden; whose: [trust]
#required_parts = ["Body", "Timestamp"] # also "UsernameToken", "BinarySecurityToken", "{namespace}Header"

[encryption]
use = "optional"                        # required | optional | forbidden
#required_parts = ["Body"]              # also "UsernameToken", "Signature", "{namespace}Header"
#require_signed_encrypted_data = false

# --- Where things are kept ----------------------------------------------------------------------------------------

[users]
# For more than a few users: "sqlite:///wsguard-users.db" or any SQLAlchemy URL, where passwords are encrypted and
# users are added and disabled without a restart. "wsguard users import" takes the ones of users.toml along.
url = "toml:users.toml"                 # lines of "name" = "password"; keep the file at mode 0600
#master_key_env = "WSGUARD_MASTER_KEY"  # of a database: environment variable with the keys from "wsguard users new-key"

[replay]
url = "sqlite:///wsguard-replay.db"     # nonces seen; memory:// for tests. url_env or url_file if the URL is a secret

[audit]
url = "sqlite:///wsguard-audit.db"      # or "jsonl:audit.jsonl", "stderr:"; a list writes to all
#record = "rejected"                    # rejected | all
#on_failure = "refuse"                  # refuse | unsafe_continue
#key_env = ""                           # environment variable with the key that chains the records
#retention_days = 90

# --- Keys and certificates: for signatures and encryption -----------------------------------------------------------

[keys]
# Examples, with the files that "wsguard init" made:
#decrypt = [{ file = "server.p12", password_file = "server-password.txt" }]    # several: a rotation
#sign = { file = "server.p12", password_file = "server-password.txt" }
#shared = [{ name = "KeyName", key_env = "WSGUARD_SHARED_KEY" }]

[trust]
# Whose signatures are believed: here the one of client.pem, which "wsguard init" made. The system's authorities never
# are. Constraints are anchored regular expressions over the name in a certificate (RFC 4514); one must match.
ca_files = ["development-ca.pem"]
subject_cert_constraints = ["CN=wsguard development client"]
#intermediate_files = []
#known_certificates = []                # for references by issuer and serial, key identifier or thumbprint
#pinned_certificates = []               # exact certificates that need no chain
#crl_files = []                         # revocation lists; a stale one refuses
#crl_coverage = "listed"                # listed | chain: every issuer must have one
#issuer_cert_constraints = []

[algorithms]
# What is not listed is refused. All names: docs/configuration.md.
#digest = ["sha256", "sha384", "sha512"]
#canonicalization = ["exc-c14n"]
#encryption = ["aes128-gcm", "aes192-gcm", "aes256-gcm"]
#key_transport = ["rsa-oaep-mgf1p", "rsa-oaep"]
#min_rsa_bits = 2048
# An example: one old client may use one old algorithm until a date.
#[[algorithms.legacy]]
#algorithm = "rsa-sha1"
#clients = ["partner"]
#until = 2027-03-31

# --- The answer, and what the application is given -------------------------------------------------------------------

[response]
#timestamp = false
#sign = false
#signed_parts = ["Body", "Timestamp"]
#encrypt = ""                           # "useReqSigCert" or a client's name
#signature_confirmation = false
#secure_faults = true
#key_identifier = "DirectReference"     # IssuerSerial | SKIKeyIdentifier | Thumbprint | X509KeyIdentifier

[handoff]
#remove_security_header = true
#namespaces = []                        # what xsi:type may be bound to in a signed message
#unsigned_headers = "drop"              # drop | keep; only asked where a signature is required

[faults]
#detail = "auto"                        # auto | unified | standard | detailed: how much a peer is told

# --- Bounds ---------------------------------------------------------------------------------------------------------

[http]
#content_encodings = []                 # "gzip", "deflate"
#charsets = ["utf-8", "utf-16", "us-ascii", "iso-8859-1"]

[limits]
#body_bytes = 2097152
#depth = 64
#elements = 50000
#attributes_per_element = 100
#namespaces = 64
#prefix_list = 32
#references = 30
#encrypted_keys = 4
#encrypted_data = 16
#response_bytes = 16777216

# --- Exceptions, each by name: examples -----------------------------------------------------------------------------

# One service that differs. Any section from [timestamp] to [signature], [encryption], [algorithms], [trust],
# [response] and [handoff] may be overridden. A spyne service class is found by its name alone.
#[services.MemberService]
#timestamp.time_to_live = 120

# One service that needs no security header.
#[[exempt]]
#service = "LeadService"                # or operations = ["{urn:x}getLead"] and/or paths = ["/soap/lead"]
#reason = "public lead form"
#owner = "marketing"
#review = 2027-06-30

# The peers we know. Where there is one entry, only peers with an entry are served.
#[[client]]
#name = "partner"
#username = "alice"                     # and/or certificate = "partner.pem"
#services = []                          # empty: all
#mode = "enforce"                       # enforce | report, with report_until = a date
"""
