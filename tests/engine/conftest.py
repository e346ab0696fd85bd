"""A house with Twilio's real bots, once on each database."""

from collections.abc import AsyncIterator

import pytest

from tests.engine.twilio_house import TwilioHouse, opened_twilio_house


@pytest.fixture
async def at_work(database_url: str) -> AsyncIterator[TwilioHouse]:
    async with opened_twilio_house(database_url) as house:
        yield house
