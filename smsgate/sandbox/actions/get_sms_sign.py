"""GetSmsSign: a signature's audit state."""

from smsgate.sandbox.actions.parameters import Params, required
from smsgate.sandbox.answers import Code, accepted, refuse
from smsgate.sandbox.catalogue import Scene
from smsgate.sandbox.provider import Provider

_TAG = {Scene.GENERAL: "2", Scene.OTP: "2", Scene.TEST: "4"}


def get_sms_sign(provider: Provider, params: Params) -> dict[str, object]:
    """Describe one signature, whatever its audit state."""
    (name,) = required(params, "SignName")
    sign = provider.catalogue.signs.get(name)
    if sign is None:
        raise refuse(Code.SMS_SIGNATURE_ILLEGAL)
    return accepted(SignName=sign.name, SignStatus=sign.status.value, SignTag=_TAG[sign.scene])
