"""UsernameTokens that are refused, by what is wrong with the user: from a table in SQLite, as ``[users]`` has it."""

import os
from pathlib import Path
from typing import Final

import wsguard
from bench.causes import BODY, Cause, Group, echo
from tests.messages import NOW, message
from wsguard.audit.memory import MemoryAudit
from wsguard.interfaces import User
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_sql import SqlUserStore

PASSWORD: Final = os.urandom(8).hex()
USERS: Final = (User("alice", PASSWORD.encode()), User("blake", PASSWORD.encode(), enabled=False))
POLICY: Final = {"replay": {"url": "memory://"}, "users": {"url": "memory://"}}
CHECK: Final = "username_token.authentication"


def groups(directory: Path) -> tuple[Group, ...]:
    """The groups of users; ``directory`` is for files."""
    url, key = f"sqlite:///{directory / 'users.db'}", new_master_key()
    users = SqlUserStore(url, [key])
    users.import_users(USERS)
    return (
        _group("A UsernameToken: the name was asked for in the last seconds", users),
        _group("A UsernameToken: the name is looked up", SqlUserStore(url, [key], cache_seconds=0)),
    )


def _group(title: str, users: SqlUserStore) -> Group:
    audit = MemoryAudit(capacity=1)
    guard = wsguard.guard(echo, wsguard.Policy.model_validate(POLICY), clock=lambda: NOW, users=users, audit=audit)
    causes = (
        Cause("the password is wrong", CHECK, lambda: _message("alice", "no" + PASSWORD[2:])),
        Cause("there is no such user", CHECK, lambda: _message("clara", PASSWORD)),
        Cause("the user is disabled, the password is right", CHECK, lambda: _message("blake", PASSWORD)),
        Cause("the user is disabled, the password is wrong", CHECK, lambda: _message("blake", "no" + PASSWORD[2:])),
    )
    return Group(title, guard, audit, causes)


def _message(username: str, password: str) -> bytes:
    return message(body=BODY, username=username, password=password, nonce=os.urandom(16))
