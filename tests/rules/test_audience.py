"""Who gets news: each reason not to, the way that is chosen, hours that meet, and the pace."""

from datetime import UTC, datetime, time, timedelta

import pytest

from helpline.rules import audience
from helpline.rules.audience import Reader, Way, allowance, counted, judge, next_hour, own_way
from helpline.rules.safety import SafeRules
from helpline.vocabulary import WhyNot

ZONE, NINE, SEVEN = "Europe/London", time(9), time(19)
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
SMS, MAIL = Way(1, "sms"), Way(2, "email")
YES = frozenset({"sms", "email"})


@pytest.mark.parametrize(
    ("reader", "why"),
    [
        (Reader(1, ways=[SMS]), WhyNot.NO_CONSENT),
        (Reader(1, YES), WhyNot.NO_WAY),
        (Reader(1, frozenset({"email"}), [SMS]), WhyNot.NO_WAY),
        (Reader(1, YES, [Way(1, "sms", is_mobile=False)]), WhyNot.NO_WAY),
        (Reader(1, YES, [Way(1, "sms", is_bad=True)]), WhyNot.NO_WAY),
        (Reader(1, YES, [Way(1, "sms", has_opted_out=True)]), WhyNot.NO_WAY),
        (Reader(1, frozenset({"whatsapp"}), [Way(1, "whatsapp")]), WhyNot.NO_WAY),
        (Reader(1, YES, [SMS], SafeRules(not_by=("sms",))), WhyNot.NO_WAY),
        (Reader(1, YES, [SMS], SafeRules(neutral_only=True)), WhyNot.NO_WAY),
        (Reader(1, YES, [SMS], in_crisis=True), WhyNot.CRISIS),
        (Reader(1, YES, [SMS, Way(3, "telegram", is_blocked=True)]), WhyNot.BLOCKED),
        (Reader(1, YES, [SMS]), None),
    ],
)
def test_each_reason_not_to_get_news(reader: Reader, why: WhyNot | None) -> None:
    verdict = judge(reader, NOON, ZONE, NINE, SEVEN)
    assert (verdict.why, verdict.gets) == (why, why is None)


def test_it_goes_by_what_they_wrote_from_last_else_by_text() -> None:
    assert judge(Reader(1, YES, [MAIL, SMS]), NOON, ZONE, NINE, SEVEN).way == SMS
    used = Way(2, "email", used_at=NOON - timedelta(days=400))
    assert judge(Reader(1, YES, [SMS, used]), NOON, ZONE, NINE, SEVEN).way == used


def test_what_they_asked_for_themself_needs_no_word_about_news_but_a_safe_way() -> None:
    assert own_way(Reader(1, ways=[MAIL])) == MAIL
    assert own_way(Reader(1, ways=[MAIL], rules=SafeRules(not_by=("email",)))) is None
    assert own_way(Reader(1, ways=[MAIL], rules=SafeRules(neutral_only=True))) is None


@pytest.mark.parametrize(
    ("rules", "now", "opens"),
    [
        (SafeRules(), NOON, None),
        (SafeRules(), NOON.replace(hour=20), datetime(2026, 11, 4, 9, tzinfo=UTC)),
        (SafeRules(begins=time(15), ends=time(17)), NOON, NOON.replace(hour=15)),
        (
            SafeRules(begins=time(15), ends=time(17)),
            NOON.replace(hour=18),
            datetime(2026, 11, 4, 15, tzinfo=UTC),
        ),
        # they never meet: theirs count
        (SafeRules(begins=time(21), ends=time(23)), NOON, NOON.replace(hour=21)),
        (SafeRules(begins=time(21), ends=time(23)), NOON.replace(hour=22), None),
    ],
)
def test_both_our_hours_and_theirs_must_be_open(
    rules: SafeRules, now: datetime, opens: datetime | None
) -> None:
    assert next_hour(rules, now, ZONE, NINE, SEVEN) == opens


def test_the_count_names_every_reason_zero_too() -> None:
    readers = [Reader(1, YES, [SMS]), Reader(2), Reader(3, YES, [SMS], in_crisis=True)]
    count = counted(judge(one, NOON, ZONE, NINE, SEVEN) for one in readers)
    wanted = {"gets": 1, "later": 0, "no_consent": 1, "no_way": 0, "crisis": 1, "blocked": 0}
    assert count == wanted


def test_never_more_than_a_minutes_share() -> None:
    assert allowance(30, [], NOON, 10) == 5
    assert allowance(30, [NOON - timedelta(seconds=59)] * 28, NOON, 10) == 2
    assert allowance(30, [NOON - timedelta(seconds=61)] * 28, NOON, 10) == 5
    assert allowance(30, [NOON] * 40, NOON, 10) == 0
    assert allowance(1, [], NOON, 10) == 1


def test_a_day_as_a_reminder_says_it() -> None:
    assert audience.local_day(datetime(2026, 12, 1, 9, tzinfo=UTC), "Europe/London") == (
        "Tuesday 1 December"
    )
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)  # already the next day there
    assert audience.local_day(late, "Europe/London") == "Thursday 2 July"
