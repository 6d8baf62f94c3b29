"""When a control applies: what the configuration demands of a message, and what it carries in this way."""

from wsguard.proving.case import Case


def always(case: Case) -> bool:
    """Whatever is demanded."""
    return True


def dated(case: Case) -> bool:
    """It carries a Timestamp."""
    return case.honest.timestamp


def date_demanded(case: Case) -> bool:
    """It must."""
    return case.demands.timestamp.use == "required"


def from_a_user(case: Case) -> bool:
    """It carries a UsernameToken."""
    return bool(case.honest.password_type)


def with_a_digest(case: Case) -> bool:
    """It carries a PasswordDigest."""
    return case.honest.password_type == "PasswordDigest"  # noqa: S105 - a kind of password


def user_demanded(case: Case) -> bool:
    """It must carry a UsernameToken."""
    return case.demands.username_token.use == "required"


def signed(case: Case) -> bool:
    """It carries a Signature."""
    return bool(case.honest.signed_by)


def signed_by_certificate(case: Case) -> bool:
    """It carries one whose key a certificate vouches for."""
    return case.honest.signed_by == "certificate"


def signature_demanded(case: Case) -> bool:
    """It must carry one, and does."""
    return signed(case) and case.demands.signature.use == "required"


def body_signature_demanded(case: Case) -> bool:
    """Its Body must be signed."""
    return signature_demanded(case) and "Body" in case.demands.signature.required_parts


def dated_and_signature_demanded(case: Case) -> bool:
    """It must be signed, and its Timestamp is."""
    return signature_demanded(case) and dated(case)


def authenticated(case: Case) -> bool:
    """It says whose it is."""
    return case.honest.authenticates


def encrypted(case: Case) -> bool:
    """Something of it is encrypted."""
    return case.honest.recipient is not None


def encryption_demanded(case: Case) -> bool:
    """Something of it must be."""
    return encrypted(case) and case.demands.encryption.use == "required"


def clients_are_named(case: Case) -> bool:
    """Only peers with an entry are served."""
    return bool(case.scene.policy.client) and authenticated(case)
