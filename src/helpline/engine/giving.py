"""What members are given by itself: news they agreed to, a few a minute; reminders of what they
booked, and that it is at another time; the two policies that every carer is sent. A job of
engine/jobs; what it does is in desk/news, desk/inviting and desk/proofs, and how far each has come
stands in the database.
"""

from helpline.desk import inviting, library, news, proofs
from helpline.desk.house import House
from helpline.rules import audience

BEAT = 10.0
"""Seconds between two looks: the pace of a minute is spread over them."""


async def give(house: House) -> int:
    """One beat for every contract, each in a transaction of its own. Returns how many messages."""
    made = 0
    for contract in house.contracts.values():
        async with house.db.write() as session:
            now = house.clock.now()
            await library.keep_in_step(session, contract, now)
            made += await inviting.tell_changes(session, contract, house.wording, now)
            made += await inviting.remind(session, contract, house.wording, now)
        async with house.db.write() as session:
            now, site = house.clock.now(), house.settings.public_url
            made += await news.step(session, contract, house.wording, now, BEAT)
            lately = await news.made_lately(session, contract, now)
            left = audience.allowance(contract.news.per_minute, lately, now, BEAT)
            made += await proofs.send_due(session, contract, house.wording, site, now, left)
    if made:
        house.wakes.sending.set()
    return made
