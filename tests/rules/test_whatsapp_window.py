"""WhatsApp's window: open for a day after the person's last message, less a little for the way."""

from datetime import UTC, datetime, timedelta

from helpline.rules.whatsapp import closes_at, is_open

HEARD = datetime(2026, 10, 24, 17, 5, tzinfo=UTC)  # the clocks change that night


def test_it_closes_24_hours_after_their_last_message_whatever_the_clocks_do() -> None:
    assert closes_at(HEARD) == datetime(2026, 10, 25, 17, 5, tzinfo=UTC)
    assert is_open(HEARD, HEARD + timedelta(hours=23, minutes=57))
    assert not is_open(HEARD, HEARD + timedelta(hours=23, minutes=59))
    assert not is_open(HEARD, HEARD + timedelta(hours=24))


def test_who_never_wrote_has_none() -> None:
    assert closes_at(None) is None
    assert not is_open(None, HEARD)
