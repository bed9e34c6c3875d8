"""The actions that the sandbox knows; each takes the call's parameters and makes the answer's body."""

from collections.abc import Callable
from typing import Final

from smsgate.sandbox.actions.get_sms_sign import get_sms_sign
from smsgate.sandbox.actions.get_sms_template import get_sms_template
from smsgate.sandbox.actions.query_send_details import query_send_details
from smsgate.sandbox.actions.send_batch_sms import send_batch_sms
from smsgate.sandbox.actions.send_sms import send_sms
from smsgate.sandbox.answers import Rejection, missing
from smsgate.sandbox.provider import Provider

Body = dict[str, object]
Action = Callable[[Provider, dict[str, str]], Body]

VERSION: Final = "2017-05-25"
ACTIONS: Final[dict[str, Action]] = {
    "SendSms": send_sms,
    "SendBatchSms": send_batch_sms,
    "QuerySendDetails": query_send_details,
    "GetSmsTemplate": get_sms_template,
    "GetSmsSign": get_sms_sign,
}


def find(name: str, version: str) -> Action:
    """Look an action up.

    Raises:
        Rejection: It has no name or version, or there is no such one.
    """
    if not name:
        raise missing("Action")
    if not version:
        raise missing("Version")
    if version != VERSION:
        raise Rejection(400, "InvalidVersion", "Specified parameter Version is not valid.")
    action = ACTIONS.get(name)
    if action is None:
        message = "Specified api is not found, please check your url and method."
        raise Rejection(404, "InvalidAction.NotFound", message)
    return action
