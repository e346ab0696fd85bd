"""What a restored copy was about to do is held back: messages to leave, alerts that climb, promises
that come due. Called by restoring.py inside its transaction; desk/restored lets it go again.

Only what the copy holds is held. Whatever comes in afterwards is answered and alarms as always, so
that a restored helpline can take calls while somebody looks at what it woke up with.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Table, func, insert, literal, select, update

from helpline.models import metadata
from helpline.vocabulary import OutState


class HeldKind(StrEnum):
    """What is held, as it stands in held_back.kind."""

    MESSAGE = "message"
    RUNG = "rung"  # an alert that was about to ask somebody
    ACT = "act"  # an alert that somebody had taken and not acted on yet
    DEADLINE = "deadline"


FAR: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""When a held message may leave: its state stays what it was, and no sender finds it due."""
UNSENT: Final = (OutState.QUEUED, OutState.UNSURE, OutState.SENDING)
OUT, ALERT = metadata.tables["out_message"], metadata.tables["alert"]
DEADLINE, SESSION = metadata.tables["deadline"], metadata.tables["session"]
HELD, COPY = metadata.tables["held_back"], metadata.tables["restored_copy"]
COLUMNS: Final[dict[HeldKind, tuple[Table, Any, datetime | None]]] = {
    # the table, the column that moves it by itself, what holds it
    HeldKind.MESSAGE: (OUT, OUT.c.next_try_at, FAR),
    HeldKind.RUNG: (ALERT, ALERT.c.next_rung_at, None),
    HeldKind.ACT: (ALERT, ALERT.c.act_by, None),
    HeldKind.DEADLINE: (DEADLINE, DEADLINE.c.next_alert_at, None),
}


@dataclass(frozen=True)
class Held:
    """How many of each are held."""

    messages: int
    alerts: int
    deadlines: int


def hold(to: Connection, made_at: datetime, version: str, now: datetime) -> Held:
    """Hold everything back, and end every sign-in that the copy knew: some were revoked since."""
    to.execute(insert(COPY).values(made_at=made_at, version=version, restored_at=now))
    counts = {kind: _hold(to, kind) for kind in HeldKind}
    to.execute(update(SESSION).where(SESSION.c.revoked_at.is_(None)).values(revoked_at=now))
    return Held(
        counts[HeldKind.MESSAGE],
        counts[HeldKind.RUNG] + counts[HeldKind.ACT],
        counts[HeldKind.DEADLINE],
    )


def _hold(to: Connection, kind: HeldKind) -> int:
    table, due, until = COLUMNS[kind]
    waiting = (
        (OUT.c.state.in_(UNSENT), due < FAR) if kind is HeldKind.MESSAGE else (due.is_not(None),)
    )
    # The copy of a helpline that was itself still held has rows here: those that moved since go.
    moving = select(table.c.id).where(*waiting)
    to.execute(HELD.delete().where(HELD.c.kind == kind, HELD.c.row_id.in_(moving)))
    rows = select(literal(kind.value), table.c.id, due).where(*waiting)
    to.execute(insert(HELD).from_select(["kind", "row_id", "due_at"], rows))
    to.execute(update(table).where(*waiting).values({due.name: until}))
    held: int = to.execute(
        select(func.count()).select_from(HELD).where(HELD.c.kind == kind)
    ).scalar_one()
    return held
