"""GetSmsTemplate: a template's text, kind and audit state."""

import json

from smsgate.sandbox.actions.parameters import Params, required
from smsgate.sandbox.answers import Code, accepted, refuse
from smsgate.sandbox.catalogue import KindNumber, Template
from smsgate.sandbox.provider import Provider


def get_sms_template(provider: Provider, params: Params) -> dict[str, object]:
    """Describe one template, whatever its audit state."""
    (code,) = required(params, "TemplateCode")
    template = provider.catalogue.templates.get(code)
    if template is None:
        raise refuse(Code.SMS_TEMPLATE_ILLEGAL)
    return accepted(**_described(template))


def _described(template: Template) -> dict[str, object]:
    rule = "captcha" if template.kind.value == "otp" else "others"
    return {
        "TemplateCode": template.code,
        "TemplateName": template.name or template.code,
        "TemplateContent": template.content,
        "TemplateStatus": str(template.status.value),
        "TemplateType": str(KindNumber[template.kind.name].value),
        "VariableAttribute": json.dumps(dict.fromkeys(template.variables, rule)),
    }
