"""From POST to delivered, through every part."""

from datetime import datetime

from tests.integration.nodes.gateway import SIGN, TEMPLATE, Gateway, fresh_phone, states


def test_a_posted_message_arrives_once_and_its_reader_sees_every_step(gateway: Gateway) -> None:
    phone = fresh_phone()
    body = {"to": phone, "template": TEMPLATE, "params": {"code": "246810"}, "lane": "otp", "reference": "order 7"}

    answer = gateway.post(body)

    assert answer.status_code == 202
    accepted = answer.json()
    assert accepted["state"] == "queued"
    assert answer.headers["Location"] == f"/v1/messages/{accepted['id']}"
    known = gateway.until_state(accepted["id"], "delivered")
    assert states(known) == ["queued", "sending", "sent", "delivered"]
    times = [datetime.fromisoformat(event["at"]) for event in known["timeline"]]
    assert times == sorted(times)
    assert (known["attempts"], known["reference"], known["final"]) == (1, "order 7", True)
    (sms,) = gateway.sandbox.messages(phone=phone)
    assert sms["out_id"] == accepted["id"]
    assert sms["text"] == f"【{SIGN}】您的验证码为：246810，请勿泄露于他人！"
    assert sms["biz_id"] == known["provider_id"]


def test_every_lane_delivers(gateway: Gateway) -> None:
    ids = {lane: gateway.send(lane=lane) for lane in ("otp", "notice", "bulk")}

    lanes = {lane: gateway.until_state(message_id, "delivered")["lane"] for lane, message_id in ids.items()}

    assert lanes == {"otp": "otp", "notice": "notice", "bulk": "bulk"}


def test_a_message_without_a_lane_is_a_notice_valid_for_a_day(gateway: Gateway) -> None:
    answer = gateway.post({"to": fresh_phone(), "template": TEMPLATE, "params": {"code": "246810"}}).json()

    assert (answer["lane"], answer["valid_for"]) == ("notice", 24 * 3600)
    assert gateway.until_state(answer["id"], "delivered")["lane"] == "notice"


def test_the_answer_and_the_record_show_the_number_masked_and_no_parameter(gateway: Gateway) -> None:
    phone = fresh_phone()

    answer = gateway.post({"to": phone, "template": TEMPLATE, "params": {"code": "Hq5Wz1"}})
    gateway.until_state(answer.json()["id"], "delivered")
    shown = gateway.web.ask("GET", answer.headers["Location"], gateway.key).text

    for text in (answer.text, shown):
        assert phone not in text
        assert "Hq5Wz1" not in text
    assert answer.json()["to"] == f"+86{phone[:3]}****{phone[-4:]}"
