"""What tests hand to a process apart; little is loaded for it."""

import asyncio
import os
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def who_is_there(session: AsyncSession) -> int:
    """Its process, which has a database too."""
    await session.execute(text("SELECT 1"))
    return os.getpid()


async def waits_for(session: AsyncSession, pipe: str) -> int:
    """Its process, when something was written there."""
    await asyncio.to_thread(Path(pipe).read_text)
    return os.getpid()
