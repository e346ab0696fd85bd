"""Whoever writes in another language has the first answer in it, and a person is told at once."""

import tomllib

import pytest

from helpline.models import Alert, Person
from helpline.rules import languages
from helpline.rules.dialogue import NO, YES, Facts, hear, one_word
from helpline.settings import TEMPLATES
from helpline.templating import Wording
from helpline.vocabulary import AlertKind, Step
from tests.world import World

ANA = "+447700900411"
POLISH = "Dzień dobry, moja córka nie wróciła na noc i nie wiem co mam teraz robić"
FIRST = {
    "ar": "ابني لم يرجع إلى البيت هذه الليلة ولا أعرف ماذا أفعل",
    "bn": "আমার ছেলে রাতে বাড়ি ফেরেনি, আমি কী করব জানি না",
    "es": "Mi hijo no ha vuelto esta noche y no sé qué hacer ahora",
    "fa": "پسرم دیشب به خانه برنگشته و نمی‌دانم چه کار کنم",
    "fr": "Mon fils n'est pas rentré cette nuit et je ne sais pas quoi faire",
    "pa": "ਮੇਰਾ ਪੁੱਤਰ ਰਾਤ ਘਰ ਨਹੀਂ ਆਇਆ, ਮੈਨੂੰ ਪਤਾ ਨਹੀਂ ਕੀ ਕਰਾਂ",
    "pl": POLISH,
    "pt": "O meu filho não voltou para casa esta noite e não sei o que fazer",
    "ro": "Fiul meu nu a venit acasă în noaptea asta și nu știu ce să fac",
    "so": "Wiilkaygu caawa guriga ma iman oo ma garanayo waxaan sameeyo",
    "tr": "Oğlum bu gece eve gelmedi ve ne yapacağımı bilmiyorum",
    "uk": "Мій син не прийшов додому цієї ночі, і я не знаю, що робити",
    "ur": "میرا بیٹا رات کو گھر نہیں آیا اور مجھے نہیں معلوم کیا کروں",
}
ALIKE = {
    "ابني طلع من البيت البارحة وما رجع، چان زعلان وما اعرف وين راح": "ar",  # as in Iraq
    "Менің балам үйге келмеді, не істерімді білмеймін": "",  # Kazakh
    "Моят син не се прибра тази нощ": "",  # Bulgarian
}
ENGLISH = (
    "Can you tell me about the allowance?",
    "ok",
    "my lad has gone again, what do i do",
    "he is no bother at all, it is me",
    "Yes",
    "",
    "07700 900411 CM1 1AA",
)


def test_each_language_is_told_from_the_others_and_from_english() -> None:
    assert set(FIRST) == set(languages.NAMES)
    for code, text in FIRST.items():
        assert languages.heard(text, None) == code, text
    for text in ENGLISH:
        assert languages.heard(text, None) is None, text
        assert languages.spoken(text) == "", text


def test_a_language_that_looks_like_one_of_ours_is_not_taken_for_it() -> None:
    for text, code in ALIKE.items():
        assert languages.spoken(text) == code, text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ur", "جی ہاں"),
        ("ur", "ہاں۔"),
        ("bn", "হ্যাঁ।"),
        ("es", "¡Sí!"),
        ("es", "Si\u0301"),  # as some telephones send it, the accent by itself
        ("pl", "Tak, jest ranna"),
        ("fr", "Oui il saigne"),
    ],
)
def test_yes_is_heard_as_people_say_it(code: str, said: str) -> None:
    asked = Facts(step=Step.DANGER, is_known=True, ask_safety=True, language=code)
    assert hear(said, asked).danger is True


@pytest.mark.parametrize(("code", "said"), [("ur", "جی نہیں"), ("pl", "Nie"), ("fr", "non")])
def test_no_is_not_taken_for_yes(code: str, said: str) -> None:
    asked = Facts(step=Step.DANGER, is_known=True, ask_safety=True, language=code)
    assert hear(said, asked).danger is not True


def test_what_is_too_short_to_tell_changes_nothing_and_plain_english_does() -> None:
    assert languages.heard("TAK", "pl") == "pl"
    assert languages.heard("Yes", "pl") == "pl"
    assert languages.heard("Thank you, he is at home again and all is well", "pl") is None


@pytest.mark.parametrize("code", sorted(languages.NAMES))
def test_the_first_texts_are_whole_in_each_language(code: str) -> None:
    """What matters most stands in each: 999, the reference, by when, and words that we hear."""
    wording = Wording()
    values = {
        "us": "Essex fostering helpline",
        "reference": "ESX-9",
        "by_figures": "24/11/2026 18:40",
        "always_open": "0808 157 0001",
        "ring_us": "",
        "signposts_but_999": "Duty team 0808 157 0002.",
        "lines": "",
        "alarming": False,
    }
    ours = tomllib.loads((TEMPLATES / "messages" / code / "texts.toml").read_text("utf-8"))
    polish = tomllib.loads((TEMPLATES / "messages" / "pl" / "texts.toml").read_text("utf-8"))
    assert ours.keys() == polish.keys()
    assert ours.keys() <= wording.keys
    first = wording.say("first_answer", code, **values)
    for part in ("999", "ESX-9", "24/11/2026 18:40", "0808 157 0001", "0808 157 0002"):
        assert part in first
    assert "999" in wording.say("danger_yes", code, **values)
    asked = {one_word(word) for word in wording.say("ask_danger", code).split()}
    assert asked & YES
    assert asked & NO


async def test_a_text_in_polish_is_answered_in_polish_until_they_write_english(
    world: World,
) -> None:
    await world.sms(ANA, POLISH)
    case = await world.case_of(ANA)
    assert (case.language, case.urgency) in {("pl", "urgent"), ("pl", "emergency")}
    first = world.texts_to(ANA)[-1]
    assert "Twoja wiadomość dotarła" in first
    assert case.reference in first
    assert "TAK albo NIE" in first
    assert "Your message has arrived" not in first
    await world.sms(ANA, "tak")
    assert "Zadzwoń teraz pod 999" in world.texts_to(ANA)[-1]
    alerts = await world.all(Alert, Alert.kind == AlertKind.EMERGENCY)
    assert alerts
    await world.later(hours=2)
    await world.sms(ANA, "Thank you, she is back at home and I am not worried any more")
    assert (await world.case_of(ANA)).language is None


async def test_a_language_we_have_no_words_in_is_urgent_and_asked_about_danger(
    world: World,
) -> None:
    await world.sms(ANA, "Con trai tôi đêm qua không về nhà, tôi không biết phải làm gì bây giờ")
    case = await world.case_of(ANA)
    assert case.language is None
    assert case.urgency in ("urgent", "emergency")
    assert "Is anyone in danger right now?" in world.texts_to(ANA)[-1]


async def test_who_writes_english_is_answered_in_english_whatever_the_register_says(
    world: World,
) -> None:
    await world.sms(ANA, "Can you tell me about the allowance?")
    case = await world.case_of(ANA)
    async with world.house.db.write() as session:
        person = await session.get_one(Person, case.person_id)
        person.language = "ur"
    await world.sms(ANA, "he has a knife, what do i do")
    said = world.texts_to(ANA)[-1]
    assert said.isascii()
    assert "999" in said
