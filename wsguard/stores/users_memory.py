"""Users that are given as they are: for tests and demonstrations."""

from collections.abc import Iterable, Mapping

from wsguard.interfaces import User


class MemoryUserStore:
    """Finds the users that it was made with."""

    def __init__(self, users: Mapping[str, str | bytes] | Iterable[User] = ()) -> None:
        """
        Args:
            users: name -> password (text is taken in UTF-8), or whole users.

        Raises:
            ValueError: a name is there twice, or a password is text that UTF-8 cannot hold.
        """
        given = [_user(*item) for item in users.items()] if isinstance(users, Mapping) else list(users)
        self._users = {user.name: user for user in given}
        if len(self._users) != len(given):
            names = [user.name for user in given]
            raise ValueError(f"users given twice: {sorted({name for name in names if names.count(name) > 1})}")

    def find(self, name: str) -> User | None:
        """The user with exactly this name, or None."""
        return self._users.get(name)

    def close(self) -> None:
        """Nothing is held."""


def _user(name: str, password: str | bytes) -> User:
    if isinstance(password, bytes):
        return User(name, password)
    try:
        return User(name, password.encode())
    except UnicodeEncodeError:
        # The encoder's own error is cut off: it holds the password.
        raise ValueError(f"the password of {name!r} holds half a surrogate pair") from None
