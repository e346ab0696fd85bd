"""From a figure of the exact report to what it counts, and what is put right before signing."""

from html import unescape
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import update

from helpline.models import Case, SuppliedFigure
from tests.web.conftest import Arrive
from tests.world import CARER, STRANGER, World

LABEL = "2026-27-Q2"


async def test_a_lead_goes_from_a_figure_to_the_cases_it_counts(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "Please ring me")
    await everybody.sms(CARER, "Please")
    await everybody.sms(STRANGER, "Hello")
    lead = await arrive(everybody, "leonie")
    assert await lead.get(f"/reports/essex/{LABEL}?exact=1") == 200
    contacts = f"/reports/essex/figure/{LABEL}?measure=contacts"
    assert f'href="{contacts}">3</a>' in lead.page
    links = {unescape(one.partition('"')[0]) for one in lead.page.split('href="')[1:]}
    links = {one for one in links if "/figure/" in one}
    assert len(links) > 40
    for link in sorted(links)[::12]:
        assert await lead.get(link) == 200, link
    await lead.get(contacts)
    for number in (CARER, STRANGER):
        assert f'href="/cases/{(await everybody.case_of(number)).reference}"' in lead.page
    assert "Carol" not in lead.page
    assert await lead.get(f"/reports/essex/quality/{LABEL}") == 200
    assert "may be counted twice" in lead.text
    assert "Somebody who stands in two" not in lead.text
    assert await lead.get(f"/reports/essex/quality/{LABEL}?only=nonsense&page=x") == 200
    assert await lead.get("/reports/essex/quality/2026-27?report=annual") == 200
    assert "Does 2026-27 agree with its quarters?" in lead.text
    assert "2026-27-Q1, counted now" in lead.text
    assert await lead.get(f"/reports/essex/quality/{LABEL}?format=json") == 200
    safeguarding = await arrive(everybody, "sefa")
    assert await safeguarding.get(f"/reports/essex/quality/{LABEL}?format=json") == 403
    assert await safeguarding.get(contacts) == 200
    back = urlsplit(f"/reports/essex/quality/{LABEL}").path
    assert f'href="{back}"' in safeguarding.page


async def test_files_and_the_protected_page_have_no_such_links(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "Please ring me")
    lead = await arrive(everybody, "leonie")
    await lead.get(f"/reports/essex/{LABEL}")
    assert "/figure/" not in lead.page
    await lead.get(f"/reports/essex/{LABEL}?exact=1&format=html")
    assert "/figure/" not in lead.page
    assert await lead.get(f"/reports/essex/figure/{LABEL}?measure=luck") == 404
    assert await lead.get("/reports/essex/figure/never?measure=cases") == 400


async def test_a_closed_case_is_completed_where_the_list_leads(
    everybody: World, arrive: Arrive
) -> None:
    await everybody.sms(CARER, "Please ring me")
    case = await everybody.case_of(CARER)
    async with everybody.house.db.write() as session:
        await session.execute(update(Case).values(status="closed", closed_at=everybody.now))
    lead = await arrive(everybody, "leonie")
    quality = f"/reports/essex/quality/{LABEL}"
    await lead.get(f"{quality}?only=support")
    assert f'href="/cases/{case.reference}#completion"' in lead.page
    path = f"/cases/{case.reference}"
    await lead.get(path)
    assert "Put on the record what is missing" in lead.text
    assert await lead.post(f"{path}/completion", {"outcome": ""}) == 400
    assert "Choose what they got, or how it ended." in lead.text
    contract = everybody.house.contracts["essex"]
    outcome = contract.outcomes[0]
    plain = next(one.code for one in contract.support if not one.needs)
    form = [("support", plain), ("outcome", outcome.code)]
    assert await lead.post(f"{path}/completion", form) == 200
    assert "It is on the record, and counts." in lead.text
    assert f"Put on the record later: {outcome.name}" in lead.text
    assert "Put on the record what is missing" not in lead.text
    await lead.get(quality)
    assert "nothing says" not in lead.text


async def test_a_supplied_figure_opens_onto_who_supplied_it(
    everybody: World, arrive: Arrive
) -> None:
    contract = everybody.house.contracts["essex"]
    staff = contract.measure("cases").model_copy(
        update={"code": "staff", "counts": "supplied", "by": (), "crossed": False}
    )
    made = contract.model_copy(update={"own_measures": (staff,)})
    made.__dict__.pop("measures", None)
    contracts: Any = everybody.house.contracts
    contracts["essex"] = made
    lead = await arrive(everybody, "leonie")
    figure = f"/reports/essex/figure/{LABEL}?measure=staff"
    await lead.get(figure)
    assert "not supplied" in lead.text
    async with everybody.house.db.write() as session:
        session.add(
            SuppliedFigure(
                contract="essex",
                period=LABEL,
                measure="staff",
                value=96.5,
                source="The staff list",
                given_at=everybody.now,
            )
        )
    await lead.get(figure)
    assert "96.5 supplied to us, not counted here" in lead.text
    assert "The staff list. Given" in lead.text
