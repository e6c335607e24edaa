"""What people tell Springline, and what becomes of its control store."""

from __future__ import annotations

from tests.storm.people import People


def keep_back(people: People) -> None:
    """Put a document on hold or on the ignore list, which is refused for one that was sent."""
    if (story := people.document(is_sent=False)) is None:
        return
    in_flight = people.site.ask("SELECT 1 FROM outbox WHERE kind = 'voucher' AND document_key = ?", story.key)
    action = people.rng.choice(("hold", "ignore"))
    if not in_flight and people.site.steer(action, story.versions[-1].number).value is True:
        story.is_kept_back = True
        people.site.journal.note(action, story.key)


def let_go(people: People) -> None:
    """Lift what somebody put on a document."""
    kept = [story for story in people.site.journal.documents.values() if story.is_kept_back]
    story = people.choose(kept)
    if story and people.site.steer("release", story.versions[-1].number).value is True:
        story.is_kept_back = False
        people.site.journal.note("released", story.key)


def retry(people: People) -> None:
    """Ask for another try of a document."""
    if (story := people.document()) is not None:
        done = people.site.steer("retry", story.versions[-1].number).value
        if done is True:
            people.site.journal.note("retried", story.key)


def release_bank_account(people: People) -> None:
    """Let a second person release what waits."""
    changes = "SELECT partner_code, new_account FROM bank_changes WHERE decision IS NULL ORDER BY change_id"
    waiting = people.site.ask(changes)
    if not waiting:
        return
    code, account = people.rng.choice(waiting)
    if people.site.steer("release", f"supplier:{code}").value is True:
        people.site.journal.accounts.setdefault(code, set()).update(new for of, new in waiting if of == code)
        people.site.journal.note(f"bank account of {code} released: {str(account)[-4:]}")


def copy_the_control_store(people: People) -> None:
    """Make a copy of the control store."""
    if people.site.ask("SELECT 1 FROM batches"):
        people.site.back_up()
        people.site.journal.note("control store copied")


def restore_the_control_store(people: People) -> None:
    """Lose the control store and put the copy in its place, then decide again."""
    if people.site.copy.exists():
        _recover(people, is_copy=True)


def rebuild_the_control_store(people: People) -> None:
    """Lose the control store and make one from both systems, then decide again."""
    if people.site.ask("SELECT 1 FROM batches"):
        _recover(people, is_copy=False)


def _recover(people: People, *, is_copy: bool) -> None:
    done = people.site.recover(is_copy=is_copy)
    journal = people.site.journal
    if "BusyError" in done.traceback:
        journal.note("control store lost in the middle of a run")
        people.put_off.append(lambda: _recover(people, is_copy=is_copy))
        return
    journal.note("control store restored" if is_copy else "control store rebuilt")
    if done.value != []:
        journal.broken.append(f"the control store did not come back: {done}")
        return
    for story in journal.documents.values():
        # What was taken out of the ledger before the store was lost, and under which numbers a document went before,
        # nobody can know (docs/how-to/recovery.md).
        story.is_forgotten |= bool(story.times_removed) or "deleted in the ledger" in story.deeds
        story.is_forgotten |= "renumbered" in story.deeds
        if story.is_kept_back:
            people.site.steer("hold", story.versions[-1].number)
    people.site.confirm()
