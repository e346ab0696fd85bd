"""What wakes whoever is on call though it is no emergency, and what does not."""

import pytest

from helpline.rules.triage import read, wakes
from helpline.rules.triage.waking import is_strange

POLICE = """the police arrested me and took my phone
the police have come for me
POLICE ARE HERE THEY TOOK MY LAPTOP HELP ME
police at my door now
two officers have turned up and want to take my computer
my husbands been arrested they took him to the station
i have been arrested
the cops are in the house searching
Policja przyszła i zabrała mi telefon
поліція забрала мій телефон""".splitlines()
TOLD = """the boy just told me his stepdad touches him, what do i say
she told us her uncle has been hurting her
he told me he was raped
she has just disclosed to me
our lad says his dad hits him with a belt""".splitlines()
ACCUSED = """they say i hit the child
they say I hit him
my foster son says I slapped him
school say my wife pushed her
I have been accused of hurting him""".splitlines()
QUIET = """police vetting for my course
my police check has not come back
Could you send the form for police clearance
should I sign the police statement
the police came last year and nothing came of it
the police were great at the open day
policeman came to school to give a talk
he told me a joke about the police
is there training about a child disclosing abuse
my foster son told me he likes his teacher
she told me she hurt her knee at football
what happens if a child says i hit them
they say I hit the target for my NVQ
he says he hit the ball into next doors garden
thank you, that was kind""".splitlines()


@pytest.mark.parametrize("text", [*POLICE, *TOLD, *ACCUSED])
def test_a_person_is_woken_for_it(text: str) -> None:
    assert wakes(text, read(text))


@pytest.mark.parametrize("text", QUIET)
def test_nobody_is_woken_for_it(text: str) -> None:
    assert not wakes(text, read(text))


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("", False),
        ("123 ?", False),
        ("ajutor", True),
        ("ok", False),
        ("nie wiem co mam robić", True),
    ],
)
def test_words_that_nobody_here_knows(text: str, strange: bool) -> None:
    assert is_strange(text) is strange
