"""The inbox page in a real browser: it follows what is sent, finds it, and runs nothing of it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from smsgate.sandbox.process import SandboxProcess
from tests.integration.sandbox import sdk
from tests.integration.sandbox.chromium import PROGRAM, Chromium, Page

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs chromium on the PATH")

ROWS = "document.querySelectorAll('#messages > li').length"
LIVE = "document.querySelector('#link').textContent === 'live'"
ATTACK = "<svg onload=document.title=1>"


def visit(sandbox: SandboxProcess, steps: Callable[[Page], Awaitable[None]]) -> None:
    """Open the inbox and go through the steps."""

    async def visiting() -> None:
        async with Chromium() as browser:
            page = await browser.page()
            await page.tell("Runtime.enable")
            await page.open(f"{sandbox.url}/")
            await page.until(LIVE)
            await steps(page)

    asyncio.run(visiting())


def send(sandbox: SandboxProcess, phone: str = sdk.PHONE, **changed: str) -> None:
    assert sdk.client(sandbox.endpoint).send_sms(sdk.request(phone, **changed)).body.code == "OK"


def test_the_inbox_follows_finds_and_escapes(sandbox: SandboxProcess) -> None:
    async def steps(page: Page) -> None:
        await page.until("document.querySelector('#empty-title').textContent === 'No messages yet'")
        await follows(page)
        await escapes(page)
        await finds(page)
        await forgets(page)

    async def follows(page: Page) -> None:
        send(sandbox, out_id="first")
        await page.until(f"{ROWS} === 1")
        await page.until("document.querySelector('li .state').textContent === 'delivered'")
        send(sandbox, "19900000203", out_id="second")
        await page.until("document.querySelector('li .state').textContent === 'undelivered · MOBILE_IN_BLACK'")
        assert await page.value("[...document.querySelectorAll('li .phone')].map(each => each.textContent)") == [
            "19900000203",
            sdk.PHONE,
        ]
        assert await page.value("document.querySelector('#count-accepted').textContent") == "2"

    async def escapes(page: Page) -> None:
        param = f'{{"name":"{ATTACK}","order":"</p><script>1</script>","date":"&lt;b&gt;"}}'
        send(sandbox, template_code=sdk.NOTICE, template_param=param, out_id="<b>bold</b>")
        await page.until(f"{ROWS} === 3")
        text = await page.value("document.querySelector('li .text').textContent")
        assert ATTACK in text
        assert "</p><script>1</script>" in text
        assert "&lt;b&gt;" in text
        assert await page.value("document.querySelectorAll('li svg, li p p, li script, li b').length") == 0
        assert await page.value("document.title") == "Inbox · smsgate sandbox"

    async def finds(page: Page) -> None:
        await page.press("/")
        await page.type("second")
        await page.until(f"{ROWS} === 1")
        assert await page.value("document.querySelector('mark').textContent") == "second"
        assert await page.value("document.querySelector('#found').textContent") == "1 found"
        send(sandbox, out_id="a third that is not searched for")
        await page.until("document.querySelector('#count-accepted').textContent === '4'")
        assert await page.value(ROWS) == 1
        await page.press("Escape")
        await page.until(f"{ROWS} === 4")

    async def forgets(page: Page) -> None:
        sandbox.clear()
        await page.until(f"{ROWS} === 0")

    visit(sandbox, steps)


def test_the_inbox_comes_back_after_the_sandbox_was_away(sandbox: SandboxProcess) -> None:
    async def steps(page: Page) -> None:
        sandbox.fault(kind="refuse", seconds=0.5)
        await page.until("document.querySelector('#link').textContent === 'reconnecting'")
        await page.until(LIVE)
        send(sandbox)
        await page.until(f"{ROWS} === 1")

    visit(sandbox, steps)


def test_nothing_inline_runs_and_everything_has_a_name(sandbox: SandboxProcess) -> None:
    async def steps(page: Page) -> None:
        await page.value("document.body.insertAdjacentHTML('beforeend', '<i onclick=\"document.title=1\">x</i>')")
        await page.value("document.querySelector('i').click()")
        assert await page.value("document.title") == "Inbox · smsgate sandbox"
        assert await page.value("document.querySelector('#q').labels[0].textContent") == "Search"
        unnamed = "[...document.querySelectorAll('button, a, input')].filter(e => !(e.textContent || e.labels?.length))"
        assert await page.value(f"{unnamed}.length") == 0

    visit(sandbox, steps)


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_page_fits_its_window(sandbox: SandboxProcess, width: int) -> None:
    send(sandbox, "19900000203", out_id="x" * 200)

    async def steps(page: Page) -> None:
        await page.size(width, 800)
        await page.until(f"{ROWS} === 1")
        assert await page.value("document.documentElement.scrollWidth") <= width

    visit(sandbox, steps)
