"""Subscriptions at the VMS: made, looked at, made anew where the VMS has switched one off, removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import Forbidden, Refused, SettingsError, Unclear, WireError
from pipelines.core.settings_faults import nearest
from pipelines.watch.webhooks.calls import VMS_JOBS
from pipelines.watch.webhooks.noted import ACTIVE, GONE, SWITCHED_OFF, Noted, Notes
from pipelines.watch.webhooks.ready import VMS_PATH, url_of
from pipelines.watch.webhooks.shown import Shown
from pipelines.watch.webhooks.wanted import VMS_WANTED, VmsWanted
from pipelines.wire.filters import equals
from pipelines.wire.written import written_key

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.stores.control import Control
    from pipelines.wire.vms import VmsClient

SUBSCRIPTION = "WebhookSubscription"
FIELDS = ("key", "objectType", "eventType", "url")
# How the VMS shows that it has switched a subscription off; the name is not documented.
IS_ACTIVE = "isActive"
# The same subscription is made anew once in so long: a receiver that does not answer needs a person, not a new one.
ONCE_IN = timedelta(days=1)
NOT_FOUND = 404
# Users of the VMS that a message names.
MOST_USERS = 10
NEXT_STEP = "set webhooks.vms_subscriber to the code of a VMS user with the security role Webhook Subscriber."

Object = Mapping[str, Any]


class VmsSide:
    """The VMS's side of webhooks."""

    def __init__(self, settings: Settings, control: Control, vms: VmsClient, *, now: Callable[[], datetime]) -> None:
        """``now`` is the clock (aware); what is missing in the settings has been told before."""
        self._settings = settings
        self._vms = vms
        self._now = now
        self._notes = Notes(control, "vms", now=now)
        self._url = url_of(settings, "vms")

    def register(self) -> list[Shown]:
        """Bring the VMS to what the settings say: what is there is corrected, what is missing made, the rest removed.

        Raises SettingsError for a user that the VMS does not know, and what the VMS raises.
        """
        ours = self._ours(self._read())
        if not all(any(_is(one, wanted) and _is_active(one) for one in ours) for wanted in VMS_WANTED):
            self._check_subscriber()
        shown: list[Shown] = []
        kept: set[int] = set()
        for wanted in VMS_WANTED:
            same = [one for one in ours if _is(one, wanted) and _is_active(one)]
            key = same[0]["key"] if same else self._make(wanted, ours)
            if same:
                # The password too: the VMS does not show which one it has.
                self._vms.put(SUBSCRIPTION, key, self._body(wanted))
            kept.add(key)
            self._notes.made(wanted.name, str(key), state=ACTIVE)
            shown.append(Shown("vms", wanted.name, str(key), ACTIVE, "was there" if same else "made"))
        # Switched off, there twice, or of a release that wanted another.
        self._delete([one["key"] for one in ours if one["key"] not in kept])
        for noted in self._notes.standing():
            if noted.subscription not in {str(key) for key in kept}:
                self._notes.taken_away(noted.subscription)
        return shown

    def verify(self) -> list[Shown]:
        """Ask, in one request, in which state each subscription is."""
        objects = {str(one["key"]): one for one in self._read()}
        shown = []
        for noted in self._notes.standing():
            one = objects.get(noted.subscription)
            state = GONE if one is None else ACTIVE if _is_active(one) else SWITCHED_OFF
            self._notes.seen(noted.subscription, state=state)
            shown.append(Shown("vms", noted.name, noted.subscription, state))
        return shown

    def look(self) -> list[Shown]:
        """Verify, and make anew what was switched off or is gone; one that was made anew within a day is left as it is.

        The note of the one before stays, with its state.
        """
        wanted = {one.name: one for one in VMS_WANTED}
        found = self.verify()
        noted = {one.subscription: one for one in self._notes.standing()}
        return [
            one
            if one.is_well or one.name not in wanted
            else self._make_anew(one, noted[one.subscription], wanted[one.name])
            for one in found
        ]

    def remove(self) -> list[Shown]:
        """Remove every subscription that calls our address, and look whether it is gone."""
        ours = [one["key"] for one in self._ours(self._read())]
        self._delete(ours)
        left = {str(one["key"]) for one in self._read()}
        shown = []
        names = {one.subscription: one.name for one in self._notes.standing()}
        for subscription in sorted({*names, *map(str, ours)}):
            if subscription in left:
                shown.append(Shown("vms", names.get(subscription, ""), subscription, ACTIVE, "still there"))
                continue
            self._notes.taken_away(subscription)
            shown.append(Shown("vms", names.get(subscription, ""), subscription, GONE, "removed"))
        return shown

    def _make_anew(self, found: Shown, noted: Noted, wanted: VmsWanted) -> Shown:
        if self._notes.was_replaced(noted.name, since=self._now() - ONCE_IN):
            return found
        ours = self._ours(self._read())
        # There already where a watch was killed before it could note what it had made.
        same = [one["key"] for one in ours if _is(one, wanted) and _is_active(one)]
        key = same[0] if same else self._make(wanted, ours)
        self._notes.replaced(noted, str(key), job=VMS_JOBS[wanted.object_type])
        return Shown("vms", found.name, str(key), ACTIVE, f"made anew in place of {found.subscription}, {found.state}")

    def _make(self, wanted: VmsWanted, ours: Sequence[Object]) -> int:
        """Make a subscription beside ``ours`` and return its key; one whose fate is not known is looked up."""
        before = {one["key"] for one in ours}
        try:
            return written_key(self._vms.post(SUBSCRIPTION, self._body(wanted)))
        except Refused as error:
            user = self._settings.webhooks.vms_subscriber
            raise SettingsError(
                f"{error.message} The webhook for {wanted.name} was not made; webhooks.vms_subscriber = {user}.",
                next_step=NEXT_STEP,
            ) from error
        except WireError as error:
            if not error.sent:
                raise
            made = [one for one in self._ours(self._read()) if _is(one, wanted) and one["key"] not in before]
            if made:
                return int(made[0]["key"])
            raise Unclear(
                f"VMS: it is not known whether the webhook for {wanted.name} was made: {error.message}",
                next_step="run `springline webhooks register` again: it looks first, and makes nothing twice.",
            ) from error

    def _body(self, wanted: VmsWanted) -> dict[str, object]:
        webhooks = self._settings.webhooks
        password = webhooks.vms_password
        return {
            "user": webhooks.vms_subscriber,
            "objectType": wanted.object_type,
            "eventType": wanted.event_type,
            "url": self._url,
            # Without it a change of any part would call, past the condition.
            "onlyMainObject": True,
            # A night in which the watch stands still must not end all of them, with a mail for each: both systems are
            # asked in turn anyway. Versions before 6.10 switch off all the same, and `look` makes them anew.
            "doNotUnsubscribe": True,
            "webhookUsername": webhooks.vms_username,
            "webhookPassword": "" if password is None else password.get_secret_value(),
            **({} if wanted.expression is None else {"expression": wanted.expression}),
        }

    def _check_subscriber(self) -> None:
        user = str(self._settings.webhooks.vms_subscriber)
        try:
            # Who may see no user at all cannot judge; the VMS does when it makes the first.
            if self._vms.find("User", filters=[equals("userCode", user)], fields=["key"]) or not self._vms.count(
                "User"
            ):
                return
            known = [one.get("userCode") for one in self._vms.find("User", filters=[], fields=["userCode"])]
        except (Refused, Forbidden):
            return
        raise SettingsError(
            f"Settings: webhooks.vms_subscriber = {user}: the VMS has no user with this code; "
            f"{nearest(user, {str(code) for code in known[:MOST_USERS] if code})}.",
            next_step=NEXT_STEP,
        )

    def _read(self) -> list[dict[str, Any]]:
        try:
            return self._vms.find(SUBSCRIPTION, filters=[], fields=[*FIELDS, IS_ACTIVE])
        except Refused:
            # A VMS that calls it something else: then only what is gone is noticed.
            return self._vms.find(SUBSCRIPTION, filters=[], fields=FIELDS)

    def _ours(self, objects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return what calls our address, and what we have made to call an earlier one; by key."""
        noted = {one.subscription for one in self._notes.standing()}

        def is_ours(one: Object) -> bool:
            url = str(one.get("url") or "")
            # The key alone is no proof: another VMS has the same keys for what others made.
            return url == self._url or (str(one["key"]) in noted and url.endswith(VMS_PATH))

        return sorted(filter(is_ours, objects), key=lambda one: int(one["key"]))

    def _delete(self, keys: Sequence[int]) -> None:
        for key in keys:
            try:
                self._vms.delete(SUBSCRIPTION, key)
            except Refused as error:
                # Gone already is as well.
                if error.status != NOT_FOUND:
                    raise


def _is(one: Object, wanted: VmsWanted) -> bool:
    return (one.get("objectType"), one.get("eventType")) == (wanted.object_type, wanted.event_type)


def _is_active(one: Object) -> bool:
    return one.get(IS_ACTIVE) is not False
