"""Clearing away what nobody needs: sign-ins that are over and failed attempts. Once an hour."""

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col

from helpline.desk.house import House
from helpline.models import LoginAttempt, Session

KEPT = timedelta(days=30)


async def tidy_up(house: House) -> int:
    """Delete sessions and failed sign-ins older than 30 days."""
    before = house.clock.now() - KEPT
    async with house.db.write() as session:
        await session.execute(delete(Session).where(col(Session.expires_at) < before))
        await session.execute(delete(LoginAttempt).where(col(LoginAttempt.at) < before))
    return 0
