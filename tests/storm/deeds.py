"""All that people do in a storm between two runs, by name; each deed is at random and written into the journal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random

from tests.storm.deeds_control import (
    copy_the_control_store,
    keep_back,
    let_go,
    rebuild_the_control_store,
    release_bank_account,
    restore_the_control_store,
    retry,
)
from tests.storm.deeds_documents import (
    attach_a_file,
    change_amounts,
    change_partner,
    delete_document,
    enter_an_accrual,
    enter_an_invoice,
    renumber,
    set_to_posted,
    take_an_accrual_back,
)
from tests.storm.deeds_ledger import (
    book_by_hand,
    book_what_was_imported,
    close_a_period,
    delete_voucher,
    open_periods,
    pay,
    publish_rate,
    remove_import_items,
    reverse_voucher,
    undo_a_match,
)
from tests.storm.deeds_masters import change_bank_account, enter_a_supplier, rename_partner, touch_a_rate, type_a_rate
from tests.storm.people import People

RATE_DEEDS = (publish_rate, type_a_rate, touch_a_rate)
PARTNER_DEEDS = (change_bank_account, rename_partner, release_bank_account, enter_a_supplier)
DEEDS: tuple[Callable[[People], None], ...] = (
    enter_an_invoice, enter_an_invoice, enter_an_accrual, take_an_accrual_back, attach_a_file,
    change_amounts, renumber, change_partner, delete_document, set_to_posted,
    pay, pay, pay, pay, pay, pay, undo_a_match, undo_a_match, reverse_voucher,
    delete_voucher, remove_import_items, remove_import_items, close_a_period, open_periods, keep_back, let_go, retry,
    book_by_hand, copy_the_control_store, restore_the_control_store, rebuild_the_control_store,
    change_bank_account, *PARTNER_DEEDS, *RATE_DEEDS,
)  # fmt: skip
DEED_OF: dict[str, Callable[[People], None]] = {
    deed.__name__.replace("_", " "): deed for deed in (book_what_was_imported, *DEEDS)
}


def do(people: People, name: str, chance: int) -> None:
    """Let somebody do something; what cannot be done now is left."""
    people.rng, before = Random(chance), len(people.site.journal.deeds)  # noqa: S311 no secret
    # What the sandbox refuses nobody can do in earnest either.
    with suppress(ValueError):
        DEED_OF[name](people)
    people.done[name] += len(people.site.journal.deeds) > before
