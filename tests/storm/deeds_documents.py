"""What people do to documents in the VMS."""

from __future__ import annotations

from typing import Any

from tests.storm.journal import DocumentStory
from tests.storm.people import SUPPLIERS, People
from tests.storm.worlds import (
    AMOUNTS,
    FAULTS,
    GENERAL,
    NO_PARTNER,
    new_document,
    reversal_of,
    story_of,
    version_of,
    with_fault,
)

Row = dict[str, Any]
LINE = dict.fromkeys(AMOUNTS, "*")
HEAD = {
    **LINE,
    "documentNo": "*",
    "invoicingStatus": {"statusTypeCode": "*"},
    "documentType": {"documentType": "*"},
    "documentLines": LINE,
}
# What of an accrual its reversal repeats.
WHOLE: Row = {
    "documentNo": "*",
    "documentType": {"documentType": "*"},
    "documentCurrency": {"currencyCode": "*"},
    "company": {"companyCode": "*"},
    "invoicingStatus": {"statusTypeCode": "*"},
    "glAccount": "*",
    **dict.fromkeys(AMOUNTS, "*"),
    "documentLines": {
        **dict.fromkeys((*AMOUNTS, "glAccount", "documentLineText", "quantity"), "*"),
        "voyage": {"voyageHeader": {"referenceNo": "*"}},
        "businessUnit": {"businessUnitCode": "*"},
    },
}


def enter_an_invoice(people: People) -> None:
    """Enter another invoice in the VMS, now and then one with a fault."""
    document = new_document(people.rng, people.new_key())
    fault = people.rng.choice(FAULTS) if document["documentType"] == "INI" and people.rng.random() < 0.15 else ""
    _enter(people, document, fault)


def enter_an_accrual(people: People) -> None:
    """Enter an accrual or a bunker transaction in the VMS."""
    _enter(people, new_document(people.rng, people.new_key(), GENERAL))


def take_an_accrual_back(people: People) -> None:
    """Enter the reversal of an accrual or a bunker transaction, whatever became of it; one has one at most."""
    stories = [s for s in people.site.journal.documents.values() if s.side == NO_PARTNER and not s.is_reversal]
    story = people.choose(s for s in stories if not {"deleted in the VMS", "taken back"} & {*s.deeds})
    if story is None:
        return
    document = people.site.vms.call("GET", f"Document/{story.key}", fields=WHOLE)
    lines = [_plain(line, WHOLE["documentLines"]) for line in document["documentLines"]]
    document = _plain(document, {name: of for name, of in WHOLE.items() if name != "documentLines"})
    document["documentLines"] = lines
    reversal = _enter(people, reversal_of(document, people.new_key()))
    reversal.is_reversal = True
    people.site.journal.note("taken back", story.key)
    # What takes back a document that is held, changed or deleted may wait for ever.
    people.site.journal.note("takes another back", reversal.key)


def _plain(row: Row, fields: Row) -> Row:
    return {name: _named(row[name], of) for name, of in fields.items()}


def _named(value: Any, fields: Any) -> Any:  # noqa: ANN401 any JSON value
    """Give a reference as the API takes it: by what it is called."""
    if not isinstance(fields, dict) or value is None:
        return value
    [(name, of)] = fields.items()
    return _named(value[name], of)


def _enter(people: People, document: Row, fault: str = "") -> DocumentStory:
    given = with_fault(document, fault) if fault else document
    given = {name: value for name, value in given.items() if name not in {"key", "modifiedDate"}}
    document["key"] = people.site.vms.call("POST", "Document", given)["key"]
    people.site.journal.documents[document["key"]] = story = story_of(document, fault=fault)
    people.site.journal.note("entered", document["key"])
    return story


def attach_a_file(people: People) -> None:
    """Attach an invoice's file to a document that was not sent."""
    if (story := people.document(is_sent=False)) is None:
        return
    file = {"file": "JVBERi0xLjcgYW4gaW52b2ljZQ==", "fileName": f"{story.versions[-1].number}.pdf"}
    people.site.vms.call("POST", "Remark", {"remarkTitle": "invoice", "source": story.key, "attachments": [file]})
    people.site.journal.note("file attached", story.key)


def change_amounts(people: People) -> None:
    """Double every amount of a document."""
    if (story := people.document()) is None:
        return
    path = f"Document/{story.key}"
    before = people.site.vms.call("GET", path, fields=HEAD)
    lines = [{"key": line["key"], **_doubled(line)} for line in before["documentLines"]]
    changed = {**before, **_doubled(before)}
    people.site.vms.call("PUT", path, {**_doubled(before), "documentLines": lines})
    story.versions.append(version_of(changed))
    people.site.journal.note("amounts changed", story.key)


def _doubled(row: Row) -> Row:
    return {name: row[name] * 2 for name in AMOUNTS if row.get(name) is not None}


def renumber(people: People) -> None:
    """Give a document another number."""
    if (story := people.document()) is None:
        return
    number = f"{story.versions[-1].number}R"
    is_read = people.site.is_read(story.versions[-1].number)
    people.site.vms.call("PUT", f"Document/{story.key}", {"documentNo": number})
    story.versions.append(
        story.versions[-1].__class__(number, story.versions[-1].amount, story.versions[-1].company_amount)
    )
    people.site.journal.note("renumbered", story.key)
    # Springline says that a document it has not read is meant by its number alone.
    if story.is_kept_back and not is_read:
        story.is_kept_back = people.site.steer("hold", number).value is True


def change_partner(people: People) -> None:
    """Put a document on another supplier."""
    story = people.document()
    if story is None or story.side != "AP":
        return
    people.site.vms.call("PUT", f"Document/{story.key}", {"businessPartner": people.rng.choice(SUPPLIERS)})
    people.site.journal.note("partner changed", story.key)


def delete_document(people: People) -> None:
    """Delete a document in the VMS."""
    if (story := people.document()) is None:
        return
    people.site.vms.call("DELETE", f"Document/{story.key}")
    people.site.journal.note("deleted in the VMS", story.key)


def set_to_posted(people: People) -> None:
    """Set a document that was sent to posted by hand, before Springline does."""
    if (story := people.document(is_sent=True)) is None:
        return
    people.site.vms.call("PUT", f"Document/{story.key}", {"invoicingStatus": "POS"})
    people.site.journal.note("set to posted by hand", story.key)
