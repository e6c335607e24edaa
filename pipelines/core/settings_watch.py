"""The settings of what runs on its own: how often each job runs, webhooks, and who is told of what needs a person."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from pipelines.core.settings_section import Section
from pipelines.core.settings_values import BaseAddress, DayTime, Text, User, is_for_all_to_read

_DAY = 86_400


def _with_tls(url: str) -> str:
    """Refuse an address to which passwords would travel for everybody to read; on this machine nobody is between."""
    if is_for_all_to_read(url):
        raise ValueError("has no TLS, and the password of the VMS would travel for all to read; begin it with https://")
    return url


TlsAddress = Annotated[BaseAddress, AfterValidator(_with_tls)]


class WatchSettings(Section):
    """How often `springline watch` runs each job; seconds, and times in Oslo."""

    documents: int = Field(default=10, ge=1, le=_DAY, description="seconds between two looks for documents to post")
    master_data: int = Field(
        default=10, ge=1, le=_DAY, description="seconds between two looks for partners, vessels and voyages"
    )
    net: int = Field(
        default=60,
        ge=1,
        le=_DAY,
        description="seconds between two such looks while webhooks of the VMS arrive; they stay the safety net",
    )
    payments: int = Field(default=3600, ge=60, le=_DAY, description="seconds between two readings of payments")
    actuals_at: DayTime = Field(default="02:30", description="time at which actuals are sent, every night")
    reconcile: int = Field(default=3600, ge=60, le=_DAY, description="seconds between two comparisons of both sides")
    reconcile_from: DayTime = Field(default="06:00", description="no comparison before this time")
    reconcile_until: DayTime = Field(default="20:00", description="no comparison after this time, nor at weekends")
    publish: int = Field(
        default=300, ge=10, le=_DAY, description="least seconds between two editions of what analysts read"
    )
    host: Text = Field(
        default="127.0.0.1",
        description="address on which the watch answers: `/health`, `/metrics` and webhooks; `0.0.0.0` for all",
    )
    port: int = Field(default=8787, ge=0, le=65535, description="its port; 0 takes a free one")

    @field_validator("reconcile_until")
    @classmethod
    def _behind_its_beginning(cls, until: str, info: ValidationInfo) -> str:
        # Then both sides would never be compared, and nobody told.
        if until < info.data.get("reconcile_from", until):
            raise ValueError("lies before watch.reconcile_from")
        return until


class WebhookSettings(Section):
    """How both systems call the watch; without `url` they do not, and are asked in turn."""

    url: TlsAddress | None = Field(
        default=None,
        description="address at which both systems reach the watch, as a reverse proxy with TLS serves it",
        examples=["https://springline.example.com"],
    )
    vms_subscriber: Text | None = Field(
        default=None,
        description="code of the VMS user who owns the subscriptions; needs the role Webhook Subscriber",
        examples=["SPRINGLINE"],
    )
    vms_username: User = Field(default="springline", description="name with which the VMS signs in to the watch")
    vms_password: SecretStr | None = Field(default=None, description="password with which the VMS signs in")


class AlertSettings(Section):
    """Who is told of what needs a person, and when."""

    urls: SecretStr | None = Field(
        default=None, description="addresses in the form of Apprise, separated by blanks or lines; nobody unless set"
    )
    plain: bool = Field(
        default=False,
        description="`true` lets an address have no TLS (json://, mailto://) where it is not on this machine: its "
        "password, and every alert, then travels for all to read",
    )
    held_hours: int = Field(default=24, ge=1, le=8760, description="hours a document is held")
    unknown_minutes: int = Field(default=30, ge=1, le=525_600, description="minutes the fate of a send is unknown")
    break_amount: int = Field(default=10_000, ge=0, le=10**12, description="amount of a break, in its own currency")
    closing_days: int = Field(
        default=3, ge=0, le=31, description="days after the end of a month from which its open breaks are told"
    )
    bank_change_hours: int = Field(default=4, ge=0, le=8760, description="hours a changed bank account waits")
    requests_percent: int = Field(
        default=80, ge=1, le=100, description="percent of `ledger.monthly_requests` that this month will need"
    )
    cadences: int = Field(default=3, ge=1, le=1000, description="cadences in which a job has not ended well")
