"""What has been kept as long as the contract allows goes: for now the sound of telephone calls.

Called every hour by engine/housekeeping. The row stays, with its size and kind, so that it can be
seen that there was a message and that it is gone; what was said in it is in nobody's hand any more.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events
from helpline.models import Attachment, Contact
from helpline.rules.keeping import kept_since
from helpline.vocabulary import AttachmentState

RECORDING = "call_recording"
"""The contract's code for it; a contract without a line for it lets us keep it."""
AT_ONCE = 50


async def delete_recordings(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """Delete the sealed sound of calls longer ago than the contract says, at most AT_ONCE. Returns
    how many; the caller repeats while it equals AT_ONCE."""
    rule = next((one for one in contract.retention if one.code == RECORDING), None)
    if rule is None:
        return 0
    due = (
        select(Attachment)
        .join(Contact, col(Contact.id) == col(Attachment.contact_id))
        .where(
            col(Attachment.contract) == contract.key,
            col(Attachment.channel) == "voice",
            col(Attachment.state).in_([AttachmentState.KEPT, AttachmentState.UNSAFE]),
            col(Contact.at) < kept_since(now, rule.keep, rule.unit),
        )
        .order_by(col(Attachment.id))
        .limit(AT_ONCE)
        .with_for_update(of=Attachment, skip_locked=True)
    )
    found = (await session.scalars(due)).all()
    for recording in found:
        recording.state, recording.content, recording.name = AttachmentState.DELETED, None, None
        await session.flush()
        await events.record(
            session,
            "recording.deleted",
            now,
            contract=contract.key,
            case_id=recording.case_id,
            attachment=recording.id,
            kept=f"{rule.keep} {rule.unit}",
        )
    return len(found)
