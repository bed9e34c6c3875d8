"""A key that two named variables of the environment hold, for accounts that are used side by side."""

import os
from typing import Final

from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_credentials.models import CredentialModel


class Key:
    """The key as the environment has it when a request is signed, in the form in which the SDK asks for it."""

    def __init__(self, key_id_env: str, key_secret_env: str) -> None:
        self._names: Final = (key_id_env, key_secret_env)

    def get_credential(self) -> CredentialModel:
        """Read the key.

        Raises:
            CredentialException: It is not set; the text names the variables.
        """
        key_id, secret = (os.environ.get(name) for name in self._names)
        if not key_id or not secret:
            raise CredentialException(f"set {self._names[0]} and {self._names[1]}")
        return CredentialModel(
            access_key_id=key_id, access_key_secret=secret, type="access_key", provider_name="static_ak"
        )
