"""You said, we did, and what carers' groups raised, at a browser."""

from urllib.parse import quote

from helpline.models import Complaint, GroupIssue, Incident, SaidAndDone
from tests.web.conftest import Arrive
from tests.world import World

NONSENSE = ("\x00", "Ω" * 601, "9" * 30)
GROUP = {"group_name": "Harlow carers", "what": "Courses only by day", "raised_on": "2026-01-05"}


async def test_a_group_is_answered_and_the_council_reads_it_once_it_is_shown(
    everybody: World, arrive: Arrive
) -> None:
    quinn, colin = await arrive(everybody, "quinn"), await arrive(everybody, "colin")
    assert await quinn.post("/groups", GROUP | {"raised_on": ""}) == 400
    assert "Harlow carers" in quinn.page  # what was typed is still there
    assert await quinn.post("/groups", GROUP) == 200
    (issue,) = await everybody.all(GroupIssue)
    answer = {"ending": "changed", "came": "Two evenings a month now", "told_on": "2026-02-01"}
    at = f"/groups/{issue.id}"
    assert await quinn.post(f"{at}/ending", answer | {"ending": "won"}) == 400
    assert await quinn.post(f"{at}/ending", answer) == 200
    assert await quinn.post(f"{at}/withdrawal", {"why": "Wrong"}) == 409
    assert await quinn.get(f"/changes?issue={issue.id}") == 200
    assert "Two evenings a month now" in quinn.page  # the form is filled
    typed = {"said": GROUP["what"], "did": answer["came"], "source": "group", "issue": issue.id}
    days = {"said_on": "2026-01-05", "done_on": "2026-02-01"}
    assert await quinn.post("/changes", {k: str(v) for k, v in typed.items()} | days) == 200
    await colin.get("/changes")
    assert "Courses only by day" not in colin.text
    (change,) = await everybody.all(SaidAndDone)
    assert await colin.post(f"/changes/{change.id}", {"how": "show"}) == 403
    assert await quinn.post(f"/changes/{change.id}", {"how": "dance"}) == 400
    assert await quinn.post(f"/changes/{change.id}", {"how": "show"}) == 200
    await colin.get("/changes")
    assert "Courses only by day" in colin.text
    assert "Quinn" not in colin.text
    assert await quinn.post(f"/changes/{change.id}", {"how": "keep_back"}) == 200
    await colin.get("/changes")
    assert "Courses only by day" not in colin.text
    for odd in NONSENSE:
        for name in ("complaint", "issue", "contract"):
            assert await quinn.get(f"/changes?{name}={quote(odd)}") == 200
        assert await colin.get(f"/handed-on?contract={quote(odd)}") == 200
        assert await quinn.get(f"/complaints/new?case={quote(odd)}") == 200
        assert await quinn.post("/changes", dict.fromkeys((*typed, *days), odd)) == 400
        assert await quinn.post("/groups", dict.fromkeys(GROUP, odd)) == 400


async def test_the_first_page_of_the_safeguarding_lead_says_what_waits_for_them(
    everybody: World, arrive: Arrive
) -> None:
    sefa, leonie = await arrive(everybody, "sefa"), await arrive(everybody, "leonie")
    logged = {
        "words": "He shouted at the child", "kind": "service", "subject": "worker",
        "complainant": "carer", "method": "telephone", "worry": "She sounded afraid",
    }  # fmt: skip
    assert await leonie.post("/complaints", logged) == 200
    event = {"kind": "data_breach", "what": "A letter went to the wrong house"}
    assert await leonie.post("/incidents", event) == 200
    (complaint,), (incident,) = await everybody.all(Complaint), await everybody.all(Incident)
    assert await sefa.get("/") == 200
    assert "For you as safeguarding lead" in sefa.text
    assert f"/complaints/{complaint.reference}" in sefa.page
    assert f"/incidents/{incident.reference}" in sefa.page
    await leonie.get("/")
    assert "For you as safeguarding lead" not in leonie.text
