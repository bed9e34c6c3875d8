// Sends, sends a batch and queries through the official SDK; prints what came back as one JSON object.
// Usage: node send.mjs ENDPOINT DAY [ACCESS_KEY_SECRET]

import dysmsapi from "@alicloud/dysmsapi20170525";
import openapi from "@alicloud/openapi-core";

const [endpoint, day, accessKeySecret = "testsecret"] = process.argv.slice(2);
const { default: Client, SendSmsRequest, SendBatchSmsRequest, QuerySendDetailsRequest } = dysmsapi;
const { Config } = openapi.$OpenApiUtil;

const client = new Client(new Config({ endpoint, protocol: "HTTP", accessKeyId: "testid", accessKeySecret }));
const sign = "阿里云短信测试";
const templateCode = "SMS_154950909";

async function ask(call) {
  try {
    return (await call()).body;
  } catch (error) {
    return { raised: error.code, status: error.statusCode };
  }
}

const sms = await ask(() => client.sendSms(new SendSmsRequest({
  phoneNumbers: "13800138000,+8613800138001",
  signName: sign,
  templateCode,
  templateParam: JSON.stringify({ code: "123456" }),
  outId: "node ~*'()!/云",
})));
const batch = await ask(() => client.sendBatchSms(new SendBatchSmsRequest({
  phoneNumberJson: JSON.stringify(["13800138002", "13800138003"]),
  signNameJson: JSON.stringify([sign, sign]),
  templateCode,
  templateParamJson: JSON.stringify([{ code: "1111" }, { code: "2222" }]),
})));
const details = await ask(() => client.querySendDetails(new QuerySendDetailsRequest({
  phoneNumber: "13800138000",
  sendDate: day,
  pageSize: 10,
  currentPage: 1,
})));
console.log(JSON.stringify({ sms, batch, details }));
