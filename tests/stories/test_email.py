"""E-mail as stories: a real mail server and a real mailbox on loopback, the real routing and outbox
between them. Whoever writes is answered, and whatever a program writes is answered by nobody."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bots.email import Email
from helpline.channels import Media
from helpline.desk import attachments, cases, safety
from helpline.engine.fetching import fetch_all
from helpline.engine.mailbox import SomeUnread, read_mailbox
from helpline.engine.reconcile import reconcile
from helpline.models import (
    Address,
    Alert,
    Attachment,
    Case,
    Contact,
    Deadline,
    Event,
    InboundItem,
    OutMessage,
    Person,
    Task,
)
from helpline.rules.safety import SafeRules
from helpline.sealing import ring
from tests.fakes.mail import US, MailProvider, Taken
from tests.world import STRANGER, World, opened_world

CAROL = "carol@there.example"
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)


class Post:
    """A world with a mailbox."""

    def __init__(self, world: World, provider: MailProvider) -> None:
        self.world, self.provider = world, provider

    async def collect(self) -> None:
        """The mailbox is read, everything due happens, what came with letters is taken out."""
        await read_mailbox(self.world.house)
        await self.world.settle()
        await fetch_all(self.world.house)

    async def write(self, text: str, sender: str = CAROL, **more: str) -> None:
        self.provider.write(sender, text, self.world.now, **more)
        await self.collect()

    async def answer(self, to: Taken, text: str, **more: str) -> None:
        self.provider.answer(to, text, self.world.now, **more)
        await self.collect()

    async def one(self, table: type, *where: object) -> object:
        (found,) = await self.world.all(table, *where)
        return found

    async def reply(self, text: str) -> None:
        case = await self.one(Case)
        async with self.world.house.db.write() as session:
            found = await session.get(Case, case.id)  # type: ignore[attr-defined]
            contract = self.world.house.contracts["essex"]
            await cases.reply(session, contract, found, text, self.world.worker, self.world.now)
        await self.world.settle()

    @property
    def sent(self) -> list[Taken]:
        return self.provider.taken


@pytest.fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    async with MailProvider() as provider, opened_world(database_url) as world:
        urls = {"smtp_url": provider.smtp_url, "imap_url": provider.imap_url}
        settings = world.house.settings.model_copy(update=urls)
        mail = Email(provider.smtp_url, provider.imap_url, settings.mail_addresses)
        channels = {**world.house.channels, "email": mail}
        world.house = replace(world.house, settings=settings, channels=channels)
        yield Post(world, provider)


async def test_a_letter_becomes_a_case_and_its_writer_is_told_that_it_arrived(post: Post) -> None:
    await post.write("I do not know what to do any more.", subject="Please call me")
    case = await post.one(Case)
    assert case.method == "email"
    assert len(await post.world.all(Deadline)) == 2
    (told,) = post.sent
    assert told.recipient == CAROL
    assert case.reference in told.text and "999" in told.text
    assert told.letter["auto-submitted"] == "auto-replied"
    heard = await post.one(Contact, Contact.direction == "in")
    assert heard.body == "Please call me\n\nI do not know what to do any more."


async def test_no_subject_says_what_it_is_about_and_who_we_are_is_our_address(post: Post) -> None:
    await post.write("They say that I hit him.", subject="Allegation about Tom")
    for told in post.sent:
        assert told.letter["subject"] == "Your message to the helpline"
        assert told.letter["from"] == US
        assert "Tom" not in told.raw.decode() and "hit" not in told.raw.decode()


async def test_a_worker_answers_and_the_answer_to_that_lands_on_the_same_case(post: Post) -> None:
    await post.write("I need to talk about respite.")
    await post.reply("Hello, I am Wasim. When can I ring you?")
    theirs = post.sent[-1]
    assert "I am Wasim" in theirs.text
    assert theirs.letter["auto-submitted"] is None
    await post.answer(theirs, "Any time after four, thank you.")
    assert len(await post.world.all(Case)) == 1
    heard = (await post.world.all(Contact, Contact.direction == "in"))[-1]
    assert heard.body.startswith("Any time after four, thank you.")
    assert "I am Wasim" not in heard.body
    (met,) = await post.world.all(Deadline, Deadline.stops == "human_reply")
    assert met.met_at is not None


async def test_our_own_words_in_a_quotation_raise_no_alarm(post: Post) -> None:
    """What we say of danger comes back with every answer."""
    await post.write("A question about the newsletter.")
    await post.answer(post.sent[-1], "Only that, thank you.")
    case = await post.one(Case)
    assert case.urgency not in ("emergency", "urgent")
    assert not await post.world.all(Alert, Alert.kind == "emergency")


async def test_what_was_quoted_can_be_read_whole(post: Post) -> None:
    await post.write("A question.")
    await post.answer(post.sent[-1], "My answer.")
    heard = (await post.world.all(Contact, Contact.direction == "in"))[-1]
    assert "Not all of this e-mail is shown" in heard.body
    whole = await post.one(Attachment, Attachment.contact_id == heard.id)
    async with post.world.house.db.write() as session:
        file = await attachments.handed_out(session, whole.id, post.world.worker, post.world.now)
    assert b"My answer." in file.content and b"> " in file.content


async def test_an_answer_from_another_address_goes_on_the_case_it_answers(post: Post) -> None:
    await post.write("Please help me with the forms.")
    await post.answer(post.sent[0], "Here is my answer.", sender="carol@work.example")
    assert len(await post.world.all(Case)) == 1
    heard = (await post.world.all(Contact, Contact.direction == "in"))[-1]
    assert "carol@work.example" in heard.body
    assert {told.recipient for told in post.sent} == {CAROL}


async def test_a_made_up_token_leads_nowhere(post: Post) -> None:
    await post.write("Please help me with the forms.")
    token = str(post.sent[0].letter["reply-to"]).partition("+")[2].partition("@")[0]
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    await post.write("Listen", sender="eve@there.example", to=US.replace("@", f"+{forged}@"))
    assert len(await post.world.all(Case)) == 2


async def test_the_same_letter_twice_is_one(post: Post) -> None:
    first = post.provider.write(CAROL, "Once.", post.world.now)
    post.provider.put(b"Received: by another way\r\n" + first.raw, post.world.now)
    await post.collect()
    for letter in post.provider.box:
        letter.flags.clear()
    await post.collect()
    assert len(await post.world.all(InboundItem)) == 1
    assert len(post.sent) == 1


async def test_another_letter_under_a_borrowed_message_id_is_another(post: Post) -> None:
    first = post.provider.write(CAROL, "They are hurting him.", post.world.now)
    other = first.raw.replace(b"They are hurting him.", b"Buy our cheap tablets")
    post.provider.box.insert(0, type(first)(7, other, post.world.now))
    await post.collect()
    assert len(await post.world.all(InboundItem)) == 2


async def test_a_letter_is_marked_as_read_only_when_it_is_kept(post: Post) -> None:
    letter = post.provider.write(CAROL, "Hello.", post.world.now)

    class Full:
        async def keep(self, *_: object) -> None:
            raise OSError("disk full")

    full = replace(post.world.house, inbox=Full())  # type: ignore[arg-type]
    with pytest.raises(OSError):
        await read_mailbox(full)
    assert not letter.flags


async def test_the_clock_runs_from_when_the_server_took_it_in(post: Post) -> None:
    at = post.world.now - timedelta(hours=3)
    post.provider.write(CAROL, "Hello.", at)
    await post.collect()
    case = await post.one(Case)
    assert case.opened_at == at.replace(microsecond=0)


async def test_a_server_that_lives_in_the_future_opens_nothing_there(post: Post) -> None:
    post.provider.write(CAROL, "Hello.", post.world.now + timedelta(days=2))
    await post.collect()
    case = await post.one(Case)
    assert case.opened_at == post.world.now


async def test_a_letter_that_came_back_fails_ours_and_a_person_takes_over(post: Post) -> None:
    await post.write("Please ring me.")
    post.provider.bounce(post.sent[0], post.world.now)
    await post.collect()
    assert len(await post.world.all(Case)) == 1
    message = await post.one(OutMessage)
    assert (message.state, message.code) == ("failed", "5.1.1")
    task = await post.one(Task)
    assert task.kind == "reach_another_way"
    address = await post.one(Address, Address.channel == "email")
    assert address.bad_since is not None
    assert len(post.sent) == 1
    assert len(await post.world.all(Contact, Contact.direction == "in")) == 1


async def test_a_bounce_of_somebody_elses_letter_opens_no_case(post: Post) -> None:
    await post.write("Please ring me.")
    ours = post.sent[0]
    raw = post.provider.bounce(ours, post.world.now).raw
    post.provider.box.pop()
    token = str(ours.letter["message-id"]).strip("<>").partition("@")[0]
    post.provider.put(raw.replace(token.encode(), b"abc"), post.world.now)
    await post.collect()
    assert len(await post.world.all(Case)) == 1
    message = await post.one(OutMessage)
    assert message.state == "sent"
    assert await post.world.all(Event, Event.kind == "mail.bounce_unmatched")
    assert len(await post.world.all(InboundItem)) == 2


async def test_an_out_of_office_is_shown_and_never_answered(post: Post) -> None:
    await post.write("Please ring me.")
    for _ in range(3):
        await post.answer(post.sent[-1], "I am away until Monday.", Auto_Submitted="auto-replied")
        await post.world.forward(hours=13)
    assert len(post.sent) == 1
    assert len(await post.world.all(Case)) == 1
    shown = await post.world.all(Contact, Contact.what == "auto_reply")
    assert [contact.kind for contact in shown] == ["automatic"] * 3
    assert "away until Monday" in shown[0].body


async def test_an_out_of_office_that_marks_nothing_but_its_subject(post: Post) -> None:
    await post.write("Please ring me.")
    raw = post.provider.answer(post.sent[-1], "I am away.", post.world.now).raw
    post.provider.box.pop()
    raw = raw.replace(b"Subject: Re: ", b"Subject: Automatic reply: ")
    post.provider.put(raw, post.world.now)
    await post.collect()
    assert len(post.sent) == 1


async def test_two_programs_that_do_not_know_each_other_come_to_an_end(post: Post) -> None:
    await post.write("They are hitting him now, I am in danger.")
    for number in range(40):
        await post.answer(post.sent[-1], f"They are hitting him, I am in danger, ticket {number}.")
    assert len(post.sent) <= 12


async def test_a_list_is_read_by_a_person_and_answered_by_nobody(post: Post) -> None:
    await post.write("Our news.", sender="news@there.example", List_Id="<news.there.example>")
    assert len(await post.world.all(Case)) == 1
    assert not post.sent


async def test_after_an_unanswered_list_the_first_human_word_gets_the_first_answer(
    post: Post,
) -> None:
    await post.write("Sent by a form.", Auto_Submitted="auto-generated")
    await post.write("Now it is me.")
    (told,) = post.sent
    assert "999" in told.text and "automatic reply" in told.text


async def test_one_of_ours_that_comes_back_is_kept_and_does_nothing(post: Post) -> None:
    await post.write("Please ring me.")
    post.provider.put(post.sent[0].raw, post.world.now)
    await post.collect()
    assert len(await post.world.all(InboundItem)) == 2
    assert len(await post.world.all(Case)) == 1
    assert len(post.sent) == 1


async def test_what_is_attached_is_taken_out_of_the_letter_and_handed_out(post: Post) -> None:
    letter = post.provider.write(CAROL, "See the picture.", post.world.now)
    body = (
        b"From: carol@there.example\r\nTo: carers@helpline.example\r\nMessage-ID: <p@x>\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nSee the picture.\r\n"
        b'--b\r\nContent-Type: image/png; name="a.png"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + base64.b64encode(PICTURE)
        + b"\r\n--b\r\nContent-Type: application/x-msdownload\r\n"
        b'Content-Disposition: attachment; filename="../../run\r\n .exe"\r\n\r\n'
        b"MZ program\r\n--b--\r\n"
    )
    letter.raw = body
    await post.collect()
    rows = await post.world.all(Attachment)
    assert [(row.state, row.kind) for row in rows] == [
        ("kept", "image/png"),
        ("unsafe", "application/x-msdownload"),
    ]


async def test_a_known_address_says_who_it_may_be_and_proves_nothing(post: Post) -> None:
    async with post.world.house.db.write() as session:
        carol = (await post.world.all(Person))[0]
        session.add(
            Address(
                person_id=carol.id,
                contract="essex",
                channel="email",
                value=CAROL,
                value_index=ring().index("address:email", CAROL),
                from_register=True,
            )
        )
    await post.write("It is me.", sender="Carol Ashby <Carol@There.Example>")
    case = await post.one(Case)
    assert (case.person_id, case.identity) == (carol.id, "claimed")


async def test_a_yes_with_regards_below_it_is_an_alarm(post: Post) -> None:
    await post.write("He said he will kill himself tonight.")
    asked = post.sent[-1]
    assert "danger" in asked.text
    await post.answer(asked, "Yes\n\nKind regards\nCarol Ashby")
    assert "Ring 999 now" in post.sent[-1].text


async def test_a_no_with_a_programs_line_below_it_is_a_no(post: Post) -> None:
    await post.write("He said he will kill himself tonight.")
    await post.answer(post.sent[-1], "No.\n\nSent from my iPhone")
    assert "Send STATUS to see where things stand" in post.sent[-1].text


async def test_with_neutral_words_only_not_even_the_helpline_is_named(post: Post) -> None:
    await post.write("Please be careful.")
    case = await post.one(Case)
    async with post.world.house.db.write() as session:
        found = await session.get(Case, case.id)
        rules = SafeRules(neutral_only=True)
        await safety.set_rules(session, found, rules, post.world.worker, post.world.now)
    await post.reply("About the allegation: ring me.")
    told = post.sent[-1]
    assert told.letter["subject"] == "A message for you"
    assert "allegation" not in told.text and "999" not in told.text and "Essex" not in told.text


async def test_the_server_is_slow_to_take_it_and_takes_it_later(post: Post) -> None:
    post.provider.answers["rcpt"] = "451 4.7.1 greylisted"
    await post.write("Hello.")
    assert not post.sent
    post.provider.answers.clear()
    await post.world.forward(minutes=1)
    assert len(post.sent) == 1


async def test_an_address_that_takes_nothing_becomes_work_for_a_person(post: Post) -> None:
    post.provider.answers["rcpt"] = "550 5.1.1 no such user"
    await post.write("Hello.")
    message = await post.one(OutMessage)
    assert (message.state, message.code) == ("failed", "550 5.1.1")
    assert [task.kind for task in await post.world.all(Task)] == ["reach_another_way"]


async def test_a_letter_that_may_have_gone_has_the_same_id_when_it_goes_again(post: Post) -> None:
    post.provider.dies_after = "data"
    await post.write("Hello.")
    message = await post.one(OutMessage)
    assert message.state == "unsure"
    post.provider.dies_after = ""
    await post.world.forward(minutes=2)
    first, second = post.sent
    assert first.letter["message-id"] == second.letter["message-id"]
    message = await post.one(OutMessage)
    assert message.state == "sent"


async def test_a_letter_somebody_else_has_read_is_found_by_the_reconciler(post: Post) -> None:
    letter = post.provider.write(CAROL, "Hello.", post.world.now)
    letter.flags.add("\\Seen")
    await post.world.forward(minutes=5)
    await read_mailbox(post.world.house)
    assert not await post.world.all(InboundItem)
    assert await reconcile(post.world.house) == 1
    assert await reconcile(post.world.house) == 0
    await post.world.settle()
    case = await post.one(Case)
    assert case.opened_at == letter.at


async def test_one_letter_that_cannot_be_had_holds_up_no_other(post: Post) -> None:
    post.provider.write(CAROL, "Broken.", post.world.now).is_broken = True
    post.provider.write(CAROL, "Whole.", post.world.now)
    with pytest.raises(SomeUnread):
        await read_mailbox(post.world.house)
    await post.world.settle()
    assert len(await post.world.all(Case)) == 1


async def test_a_server_that_forgets_what_was_marked_is_not_asked_for_ever(post: Post) -> None:
    post.provider.forgets_marks = True
    await post.write("Hello.")
    await post.collect()
    assert len(await post.world.all(InboundItem)) == 1


async def test_what_nobody_can_read_lies_in_the_tray(post: Post) -> None:
    post.provider.put(b"\x00\xff no letter at all", post.world.now)
    await post.collect()
    item = await post.one(InboundItem)
    assert item.state == "set_aside"


async def test_the_text_message_world_is_not_disturbed(post: Post) -> None:
    await post.write("Hello.")
    await post.world.sms(STRANGER, "Hello too.")
    assert len(await post.world.all(Case)) == 2


def test_a_part_that_is_not_there_is_none() -> None:
    from helpline.channels import Inbound
    from helpline.desk import mailing

    letter = Inbound("email", "mail:x", CAROL, US, "text", raw="From: a@b.c\r\n\r\nHello")
    assert mailing.part(letter, Media("mail:x:9")) is None
    assert mailing.part(letter, Media("mail:x:0")) == b"Hello"


async def test_our_answers_stand_beside_her_letter_in_her_mail_program(post: Post) -> None:
    await post.write("A question about respite.", message_id="<first.1@there.example>")
    (told,) = post.sent
    assert told.letter["in-reply-to"] == "<first.1@there.example>"
    assert told.letter["references"] == "<first.1@there.example>"
    await post.reply("Hello, I am Wasim.")
    ours = post.sent[-1]
    assert ours.letter["in-reply-to"] == "<first.1@there.example>"
    assert ours.letter["references"].split() == [
        told.letter["message-id"],
        "<first.1@there.example>",
    ]


@pytest.mark.parametrize("hostile", ["no brackets", "<" + "a" * 3000 + "@b>"])
async def test_a_message_id_that_is_none_is_not_repeated(post: Post, hostile: str) -> None:
    await post.write("A question about respite.", message_id=hostile)
    (told,) = post.sent
    assert told.letter["in-reply-to"] is None
    assert "aaaa" not in told.raw.decode()


async def test_a_neutral_letter_stands_beside_nothing(post: Post) -> None:
    await post.write("A question about respite.", message_id="<first.1@there.example>")
    case = await post.one(Case)
    async with post.world.house.db.write() as session:
        rules = SafeRules(neutral_only=True)
        found = await session.get(Case, case.id)  # type: ignore[attr-defined]
        await safety.set_rules(session, found, rules, post.world.worker, post.world.now)
    await post.reply("Hello, I am Wasim.")
    assert "first.1" not in post.sent[-1].raw.decode()
