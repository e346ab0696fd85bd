"""The daily copy: begun by whichever node is first, made in a process of its own, written down.

The beat only begins it and looks how old the newest good one is; a copy of a large helpline takes
minutes. A lead hears when there was none for more than a day.
"""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from typing import Final

from helpline.desk import backups, escalation
from helpline.desk.house import House
from helpline.log import log, where
from helpline.vocabulary import AlertKind

REFERENCE: Final = "SYSTEM"
"""What a telephone shows instead of a case."""
_UNDER_WAY: set[asyncio.Task[None]] = set()


async def keep_copies(house: House) -> int:
    """Begin the day's copy when it is due; 1 when one was begun."""
    if house.settings.backup_dir is None:
        return 0
    now = house.clock.now()
    async with house.db.write() as session:
        run_id = await backups.begin(session, house.node, now)
        if await backups.is_too_old(session, now):
            contract = house.contracts[min(house.contracts)]
            key = f"backup:{now:%Y%m%d}"
            cause = escalation.Cause(AlertKind.UPKEEP, key, REFERENCE, rungs=("lead",))
            await escalation.raise_alert(session, contract, cause, now)
    if run_id is None:
        return 0
    task = asyncio.create_task(_make(house, run_id))
    _UNDER_WAY.add(task)
    task.add_done_callback(_UNDER_WAY.discard)
    return 1


async def all_made() -> None:
    """Wait for the copies that this process has begun."""
    await asyncio.gather(*_UNDER_WAY)


async def _make(house: House, run_id: int) -> None:
    try:
        ended = await _made_apart(house)
    except Exception as error:
        ended = backups.Ended(failure=where(error))
    if ended.failure:
        log().error("backup.failed", where=ended.failure)
    async with house.db.write() as session:
        await backups.end(session, run_id, ended, house.clock.now())


async def _made_apart(house: House) -> backups.Ended:
    """What the process says. It ends with this one."""
    settings = house.settings
    asked = {
        "folder": str(settings.backup_dir),
        "url": settings.database_url,
        "backup_key": settings.backup_key_bytes.hex(),
        "keys": [key.hex() for key in settings.key_list],
        "now": house.clock.now().isoformat(),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "helpline.backup"), stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        said, _ = await process.communicate(json.dumps(asked).encode() + b"\n")
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode != 0:
        return backups.Ended(failure=f"its process ended with {process.returncode}")
    told = json.loads(said)
    if "failure" in told:
        return backups.Ended(failure=told["failure"])
    return backups.Ended(told["name"], told["rows"], told["size"])
