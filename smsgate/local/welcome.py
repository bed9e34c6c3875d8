"""What `smsgate up` says once everything runs: where things are, and a first message to paste."""

import sys
from pathlib import Path

from rich.console import Console

from smsgate.local.plan import Plan
from smsgate.local.state import DEV_KEY, ENVIRONMENT
from smsgate.settings import Settings


def print_welcome(console: Console, settings: Settings, plan: Plan) -> None:
    """Print the addresses, and snippets that work as they stand."""
    web = f"http://127.0.0.1:{settings.http_port}"
    redis_url = plan.environment["SMSGATE_REDIS_URL"]
    flower = (
        f"user smsgate, password {plan.environment['SMSGATE_FLOWER_PASSWORD']}"
        if not settings.flower_password
        else "user smsgate, password as set"
    )
    lines = [
        "",
        f"HTTP API   {web}/v1/messages   (key: {DEV_KEY})",
        f"Flower     http://127.0.0.1:{settings.flower_port}   ({flower})",
        f"Redis      {_without_password(redis_url)}",
    ]
    if plan.real:
        lines.append("Provider   the real one: every SMS to a real number costs money")
    else:
        lines.append(f"Inbox      http://127.0.0.1:{settings.sandbox_port}   (what the sandbox's phones received)")
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    shown = redis_url if redis_url == _without_password(redis_url) else "$SMSGATE_REDIS_URL"
    console.print(_snippets(web, shown), markup=False, highlight=False, soft_wrap=True)
    console.print("Serving until Ctrl-C. Logs: .smsgate/log")


def _snippets(web: str, redis_url: str) -> str:
    """Write them flush left: Python read from a shell's quotes takes no indentation."""
    return f"""
# Send one over HTTP:
curl -sS {web}/v1/messages -H "Authorization: Bearer $(cat {DEV_KEY})" \\
  -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +%s%N)" \\
  -d '{{"to": "13800138000", "template": "SMS_154950909", "params": {{"code": "123456"}}, "lane": "otp"}}'

# Send one from Python:
SMSGATE_REDIS_URL={redis_url} {_program("python")} -c '
from workers.tasks import send_sms
print(send_sms.delay("13800138000", "SMS_154950909", {{"code": "123456"}}, lane="otp").id)'

# Point this shell at the system, then see what became of a message, and whether all is well:
. {ENVIRONMENT}
{_program("smsgate")} show ID
{_program("smsgate")} doctor --template SMS_154950909
"""


def _program(name: str) -> str:
    """Name a program of this environment, as briefly as the working directory allows."""
    path = Path(sys.executable).parent / name
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
