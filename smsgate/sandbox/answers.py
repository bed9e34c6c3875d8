"""What the provider answers: its codes, their HTTP status and their words, in the shapes that the SDKs read."""

import json
from enum import StrEnum
from typing import Final
from uuid import uuid4

HOST: Final = "dysmsapi.aliyuncs.com"


class Code(StrEnum):
    """Business codes: they come with HTTP 200, so an SDK raises nothing."""

    OK = "OK"
    MOBILE_NUMBER_ILLEGAL = "isv.MOBILE_NUMBER_ILLEGAL"
    MOBILE_COUNT_OVER_LIMIT = "isv.MOBILE_COUNT_OVER_LIMIT"
    SMS_SIGNATURE_ILLEGAL = "isv.SMS_SIGNATURE_ILLEGAL"
    SIGN_STATE_ILLEGAL = "isv.SIGN_STATE_ILLEGAL"
    SMS_SIGNATURE_SCENE_ILLEGAL = "isv.SMS_SIGNATURE_SCENE_ILLEGAL"
    SMS_TEMPLATE_ILLEGAL = "isv.SMS_TEMPLATE_ILLEGAL"
    SMS_TEST_SIGN_TEMPLATE_LIMIT = "isv.SMS_TEST_SIGN_TEMPLATE_LIMIT"
    TEMPLATE_MISSING_PARAMETERS = "isv.TEMPLATE_MISSING_PARAMETERS"
    TEMPLATE_PARAMS_ILLEGAL = "isv.TEMPLATE_PARAMS_ILLEGAL"
    PARAM_LENGTH_LIMIT = "isv.PARAM_LENGTH_LIMIT"
    PARAM_NOT_SUPPORT_URL = "isv.PARAM_NOT_SUPPORT_URL"
    INVALID_JSON_PARAM = "isv.INVALID_JSON_PARAM"
    INVALID_PARAMETERS = "isv.INVALID_PARAMETERS"
    DOMESTIC_NUMBER_NOT_SUPPORTED = "isv.DOMESTIC_NUMBER_NOT_SUPPORTED"
    BUSINESS_LIMIT_CONTROL = "isv.BUSINESS_LIMIT_CONTROL"
    DAY_LIMIT_CONTROL = "isv.DAY_LIMIT_CONTROL"
    AMOUNT_NOT_ENOUGH = "isv.AMOUNT_NOT_ENOUGH"
    OUT_OF_SERVICE = "isv.OUT_OF_SERVICE"
    BLACK_KEY_CONTROL_LIMIT = "isv.BLACK_KEY_CONTROL_LIMIT"
    SMS_CONTENT_ILLEGAL = "isv.SMS_CONTENT_ILLEGAL"
    SYSTEM_ERROR = "isp.SYSTEM_ERROR"
    GATEWAY_ERROR = "isp.GATEWAY_ERROR"
    RAM_PERMISSION_DENY = "isp.RAM_PERMISSION_DENY"


WORDS: Final[dict[str, str]] = {
    Code.OK: "OK",
    Code.MOBILE_NUMBER_ILLEGAL: "手机号码格式错误",
    Code.MOBILE_COUNT_OVER_LIMIT: "手机号码数量超过限制",
    Code.SMS_SIGNATURE_ILLEGAL: "该账号下找不到对应签名",
    Code.SIGN_STATE_ILLEGAL: "签名状态不可用",
    Code.SMS_SIGNATURE_SCENE_ILLEGAL: "签名和模板类型不一致",
    Code.SMS_TEMPLATE_ILLEGAL: "该账号下找不到对应模板",
    Code.SMS_TEST_SIGN_TEMPLATE_LIMIT: "测试模板和测试签名限制",
    Code.TEMPLATE_MISSING_PARAMETERS: "模板变量缺少对应参数值",
    Code.TEMPLATE_PARAMS_ILLEGAL: "传入的变量内容和申请模板时变量所选择的属性类型不配",
    Code.PARAM_LENGTH_LIMIT: "参数超过长度限制",
    Code.PARAM_NOT_SUPPORT_URL: "变量不支持传入URL",
    Code.INVALID_JSON_PARAM: "参数格式错误，请修改为字符串值",
    Code.INVALID_PARAMETERS: "参数异常",
    Code.DOMESTIC_NUMBER_NOT_SUPPORTED: "国际/港澳台消息模板不支持发送境内号码",
    Code.BUSINESS_LIMIT_CONTROL: "触发分钟级流控Permits:1",
    Code.DAY_LIMIT_CONTROL: "触发日发送限额",
    Code.AMOUNT_NOT_ENOUGH: "账户余额不足",
    Code.OUT_OF_SERVICE: "业务停机",
    Code.BLACK_KEY_CONTROL_LIMIT: "黑名单管控",
    Code.SMS_CONTENT_ILLEGAL: "短信内容包含禁止发送内容",
    Code.SYSTEM_ERROR: "系统错误，请重新调用",
    Code.GATEWAY_ERROR: "网关错误，请尝试重新发送",
    Code.RAM_PERMISSION_DENY: "RAM权限不足",
}


class Rejection(Exception):
    """The provider says no: an answer on its way out, which carries what the caller gets to read."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(code)

    def body(self) -> dict[str, object]:
        """Shape it as the service itself does, or, for a gateway's refusal, as the API gateway in front of it."""
        body: dict[str, object] = {"RequestId": request_id(), "Message": self.message, "Code": self.code}
        if self.status != 200:  # noqa: PLR2004 - HTTP's own number
            body |= {
                "HostId": HOST,
                "Recommend": f"https://api.aliyun.com/troubleshoot?q={self.code}&product=Dysmsapi"
                f"&requestId={body['RequestId']}",
            }
        return body


def refuse(code: Code, message: str | None = None) -> Rejection:
    """Make a business refusal (HTTP 200)."""
    return Rejection(200, code, message if message is not None else WORDS[code])


def missing(parameter: str) -> Rejection:
    """Make the gateway's refusal of a request that lacks a required parameter."""
    return Rejection(400, f"Missing{parameter}", f"{parameter} is mandatory for this action.")


def invalid(parameter: str) -> Rejection:
    """Make the gateway's refusal of a parameter whose value is out of its range."""
    return Rejection(400, f"Invalid{parameter}", f"Specified parameter {parameter} is not valid.")


def accepted(**fields: object) -> dict[str, object]:
    """Make the body of a good answer."""
    return {"RequestId": request_id(), "Message": "OK", "Code": Code.OK.value, **fields}


def request_id() -> str:
    return str(uuid4()).upper()


def encoded(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
