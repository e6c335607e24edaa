"""Everybody at work in a storm: on whom and on what they work, each deed decided anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

from tests.storm.books import LedgerBooks
from tests.storm.journal import DocumentStory
from tests.storm.site import Site
from tests.storm.worlds import FIRST_KEY

Row = dict[str, Any]
SUPPLIERS = ("60501", "60502", "60503", "60504", "60505", "60526")
# What people enter has keys and codes from here on.
FIRST_OF_PEOPLE, LAST_OF_PEOPLE = FIRST_KEY, FIRST_KEY + 900_000


@dataclass(slots=True)
class People:
    """Everybody at work on one site; who does what to what is decided anew for each deed."""

    site: Site
    rng: Random = field(init=False)
    suppliers: list[str] = field(default_factory=lambda: [*SUPPLIERS])
    done: Counter[str] = field(default_factory=Counter)
    # What was refused while a run had the warehouse, and is done again once it is over.
    put_off: list[Callable[[], None]] = field(default_factory=list)

    def catch_up(self) -> None:
        """Do what had to wait for the end of a run."""
        waiting, self.put_off = self.put_off, []
        for deed in waiting:
            deed()

    def choose(self, stories: Iterable[DocumentStory]) -> DocumentStory | None:
        """Choose a document: the same one whatever others there are, which is why a story can be cut down."""
        salt = self.rng.random()
        return min(stories, key=lambda one: sha256(f"{salt} {one.versions[0].number}".encode()).digest(), default=None)

    def go_home(self) -> None:
        """Open every period that somebody closed."""
        for period in self.site.control("GET", "ledger/periods"):
            if period["period"] >= "2026-08":
                self.site.control("POST", "ledger/periods", {**period, "closed": False})

    def document(self, *, is_sent: bool | None = None) -> DocumentStory | None:
        """Choose a document: one that was sent, one that was not, or any."""
        stories = [s for s in self.site.journal.documents.values() if "deleted in the VMS" not in s.deeds]
        if is_sent is not None:
            sent = {item["node"]["trRegNumber"] for item in self.site.control("GET", "ledger/import-items")}
            stories = [story for story in stories if (story.key in sent) is is_sent]
        return self.choose(stories)

    def voucher(self) -> tuple[DocumentStory, Row] | None:
        """Choose a document with the voucher that is booked for it."""
        booked = {row["trRegNumber"]: row for row in self.site.control("GET", "ledger/vouchers") if row["importedAt"]}
        story = self.choose(story for key, story in self.site.journal.documents.items() if key in booked)
        return (story, booked[story.key]) if story else None

    def new_key(self) -> int:
        """Choose a key or a code that nothing has."""
        return self.rng.randint(FIRST_OF_PEOPLE, LAST_OF_PEOPLE)


def look_at_the_books(site: Site) -> None:
    """Note the account that a supplier was created with: nobody has to release that."""
    for code, account in LedgerBooks.of(site.environ).accounts().items():
        if account and code not in site.journal.accounts:
            site.journal.accounts[code] = {account}
