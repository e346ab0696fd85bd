"""Nothing personal in the logs: fields outside the list are dropped, and an error that a library
logs is reduced to its class and its place."""

import subprocess
import sys

SECRET = "they say I hit him"

SPEAKING = f'''
import asyncio, logging
from helpline import log
log.set_up()
log.log().warning("item.not_kept", channel="sms", text="{SECRET}", sender="{SECRET}")
def fail():
    raise ValueError("could not read: {SECRET}")
try:
    fail()
except ValueError as error:
    log.log().error("page.failed", where=log.where(error))
    logging.getLogger("aiohttp.server").exception("Error handling request from %s", "{SECRET}")
    logging.getLogger("asyncio").error("never retrieved", exc_info=error)
logging.getLogger("httpx").warning("POST https://api.telegram.org/bot{SECRET}/sendMessage")
async def forgotten():
    raise RuntimeError("{SECRET}")
async def main():
    task = asyncio.create_task(forgotten())
    await asyncio.sleep(0)
    del task
asyncio.run(main())
'''


def test_what_is_logged_names_nobody() -> None:
    done = subprocess.run([sys.executable, "-c", SPEAKING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    assert SECRET not in "".join(lines)
    assert '"channel": "sms"' in lines[0]
    assert lines[2:] == [
        "ERROR aiohttp.server ValueError at <string>:7",
        "ERROR asyncio ValueError at <string>:7",
        "ERROR asyncio RuntimeError at <string>:16",
    ]
