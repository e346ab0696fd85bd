"""What is new is read for the search, a little at a time. A job of engine/jobs; what it does is in
desk/search."""

from helpline.desk import search
from helpline.desk.house import House

MOST_ROUNDS = 20
"""Of one beat: intake and sending have their turns in between."""


async def read_for_search(house: House) -> int:
    """Read until nothing is new, or some hundreds of texts. Returns how many."""
    read = 0
    for _ in range(MOST_ROUNDS):
        async with house.db.write() as session:
            some = await search.read_on(session, house.clock.now())
        read += some
        if not some:
            break
    return read
