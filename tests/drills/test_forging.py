"""The drill of forged hooks, small: on each database none is taken and no row changes; and it fails
where somebody takes the check away, or a row changes behind it."""

import pytest

from bots import _twilio
from tests.drills.forging import FORGES, HOOKS, Figures, Request, drill, is_rightly_signed, replayed
from tests.drills.houses import PUBLIC_URL
from tests.fakes.twilio import sign

FORM = [("MessageSid", "SM" + "1" * 32), ("Body", "hello")]


@pytest.mark.parametrize(
    ("database_url", "attacks"), [("sqlite", 1100), ("postgres", 400)], indirect=["database_url"]
)
async def test_no_forged_hook_is_taken_and_no_row_changes(database_url: str, attacks: int) -> None:
    figures = await drill(attacks, 7, database_url)
    assert figures.wrong == []
    assert figures.is_kept
    assert set(figures.kinds) == {forge.__name__ for forge, _ in FORGES}
    assert figures.replayed > 0  # the true ones came as far as the desk


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # it tries the drill
async def test_a_helpline_that_checks_nothing_is_caught(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_twilio.Account, "is_genuine", lambda *_: True)
    figures = await drill(60, 7, database_url)
    assert figures.accepted > 0
    assert figures.rows_changed > 0
    assert not figures.is_kept


def test_the_second_opinion() -> None:
    proof = sign(PUBLIC_URL + HOOKS[0], FORM)
    body = "&".join("=".join(pair) for pair in FORM).encode()
    true = Request(HOOKS[0], (("X-Twilio-Signature", proof),), body)
    assert is_rightly_signed(PUBLIC_URL, true)
    assert not is_rightly_signed("http://evil.example", true)
    assert not is_rightly_signed(PUBLIC_URL, true.with_header("X-Twilio-Signature", ""))
    assert (replayed, 5) in FORGES


@pytest.mark.parametrize("promise", ["accepted", "faults", "rows_changed"])
def test_each_promise_counts(promise: str) -> None:
    assert Figures(attacks=1).is_kept
    assert not Figures(attacks=1, **{promise: 1}).is_kept
