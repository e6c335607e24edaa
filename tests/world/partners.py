"""The business partners: agents, brokers, bunker suppliers, owners, charterers, customers, port authorities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tests.world.choice import digits
from tests.world.identifiers import iban, norwegian_account, organisation_number

SUPPLIER_TYPES = ("AG", "BR", "BU", "OW", "PO", "BO")
CUSTOMER_TYPES = ("CH", "CU", "BO")
CHARTERER_TYPES = ("CH",)

# What follows country and check digits in an IBAN: letters for the bank, then digits.
_ACCOUNT_SHAPES = {
    "DE": ("", 18),
    "GB": ("SPRB", 14),
    "NL": ("SPRB", 10),
    "DK": ("", 14),
    "SE": ("", 20),
    "GR": ("", 23),
    "CY": ("", 24),
    "CH": ("", 17),
}

_TRANSLITERATION = str.maketrans({"æ": "ae", "ø": "o", "å": "a", "ä": "a", "ö": "o", "ê": "e", "í": "i", "ß": "ss"})


@dataclass(frozen=True)
class Partner:
    """One business partner; ``bank`` is ``iban``, ``number`` (no IBAN), ``none`` or ``broken`` (an IBAN that fails)."""

    code: str
    name: str
    type: str
    country: str | None
    city: str = ""
    street: str = ""
    zip_code: str = ""
    bank: str = "iban"
    is_registered: bool = True

    @cached_property
    def account_number(self) -> str | None:
        """The account number without IBAN; eleven digits with a check digit for a Norwegian bank."""
        if self.bank == "none":
            return None
        if self.country == "NO":
            return norwegian_account("9991" + digits(6, of=f"account {self.code}"))
        letters, count = _ACCOUNT_SHAPES.get(self.country or "", ("", 12))
        return letters + digits(count, of=f"account {self.code}")

    @cached_property
    def iban(self) -> str | None:
        """The IBAN; for ``broken`` two digits of it are swapped."""
        if self.bank not in {"iban", "broken"} or self.account_number is None or self.country is None:
            return None
        number = iban(self.country, self.account_number)
        if self.bank == "iban":
            return number
        return number[:2] + f"{(int(number[2:4]) + 1) % 100:02d}" + number[4:]

    @cached_property
    def registration_number(self) -> str | None:
        """The organisation number; Norwegian ones come from the series kept free for synthetic data."""
        if not self.is_registered:
            return None
        if self.country == "NO":
            return organisation_number("31" + digits(6, of=f"organisation {self.code}"))
        if self.country == "SG":
            return "2014" + digits(5, of=f"organisation {self.code}") + "K"
        return digits(8, of=f"organisation {self.code}") if self.country in _ACCOUNT_SHAPES else None

    @cached_property
    def vat_number(self) -> str | None:
        """The VAT number."""
        if self.registration_number is None:
            return None
        if self.country == "NO":
            return f"NO{self.registration_number}MVA"
        return self.registration_number if self.country == "SG" else f"{self.country}{self.registration_number}"

    @cached_property
    def email(self) -> str | None:
        """The e-mail address, in a domain that never resolves."""
        name = self.name.lower().translate(_TRANSLITERATION)
        letters = "".join(character for character in name if character.isascii() and character.isalnum())
        return f"accounts@{letters[:24]}.example" if self.country else None


_AGENTS = (
    Partner("60526", "Nordic Agency AS", "AG", "NO", "Bergen", "Kaigata 1", "5003"),
    Partner("60501", "Vestland Havneagentur AS", "AG", "NO", "Bergen", "Sandviksboder 12", "5035"),
    Partner("60502", "Jæren Klarering AS", "AG", "NO", "Stavanger", "Strandkaien 44", "4005"),
    Partner("60503", "Hålogaland Slepebåter AS", "AG", "NO", "Bodø", "Moloveien 9", "8003"),
    Partner("60504", "Elbe Schiffsagentur GmbH", "AG", "DE", "Hamburg", "Am Sandtorkai 77", "20457"),
    Partner("60505", "Maas Cargo Agency B.V.", "AG", "NL", "Rotterdam", "Wilhelminakade 310", "3072 AR"),
    Partner("60506", "Straits Port Agency Pte. Ltd.", "AG", "SG", "Singapore", "7 Keppel Road", "089053", "number"),
    Partner("60507", "Guanabara Agência Marítima", "AG", "BR", "Santos", "Rua do Comércio 25", "11010-141", "number"),
    Partner("60508", "Bayou Ship Agents Inc.", "AG", "US", "Houston", "4500 Clinton Drive", "TX 77020", "number"),
    Partner(
        "60509", "Yokohama Shipchandlers K.K.", "AG", "JP", "Yokohama", "1-2 Shinko, Naka-ku", "231-0001", "number"
    ),
    Partner(
        "60510",
        "Pearl Delta Shipping Services Ltd",
        "AG",
        "CN",
        "Guangzhou",
        "88 Huangpu East Road",
        "510700",
        "number",
    ),
    Partner("60511", "Skagerrak Proviant AS", "AG", "NO", "Kristiansand", "Gravane 4", "4610", "number"),
)
_BUNKER_SUPPLIERS = (
    Partner("60520", "Gulf Marine Fuels FZE", "BU", "AE", "Fujairah", "Port Road 3", "", "number"),
    Partner(
        "60521", "Lion City Bunkering Pte. Ltd.", "BU", "SG", "Singapore", "12 Jurong Pier Road", "619162", "number"
    ),
    Partner("60522", "Europoort Marine Energy B.V.", "BU", "NL", "Rotterdam", "Moezelweg 151", "3198 LS"),
    Partner("60523", "Fjordbunker AS", "BU", "NO", "Ålesund", "Notenesgata 3", "6002"),
)
_PORTS = (
    Partner("60530", "Måløy Havnevesen KF", "PO", "NO", "Måløy", "Gate 1 nr. 14", "6700"),
    Partner("60531", "Humber Harbour Board", "PO", "GB", "Immingham", "Dock Office", "DN40 2LZ"),
    Partner("60532", "Isthmus Canal Services S.A.", "PO", "PA", "Balboa", "Edificio 101", "", "number"),
    Partner("60533", "Canal Transit Authority Agents", "PO", "EG", "Ismailia", "Palestine Street", "", "none"),
    Partner(
        "60534",
        "Western Anchorage Port Services Pte. Ltd.",
        "PO",
        "SG",
        "Singapore",
        "460 Alexandra Road",
        "119963",
        "number",
    ),
)
_OWNERS = (
    Partner("60540", "Aegean Horizon Shipping S.A.", "OW", "GR", "Piraeus", "Akti Miaouli 85", "185 38"),
    Partner("60541", "Limassol Tonnage Ltd", "OW", "CY", "Limassol", "Franklin Roosevelt 59", "3011"),
    Partner("60542", "Setouchi Kaiun K.K.", "OW", "JP", "Imabari", "1-4-3 Kitahorai-cho", "794-0028", "number"),
    Partner("60543", "Sunnmøre Rederi AS", "OW", "NO", "Ålesund", "Keiser Wilhelms gate 22", "6003"),
)
_BROKERS = (
    Partner("60550", "Aker Brygge Shipbrokers AS", "BR", "NO", "Oslo", "Stranden 21", "0250"),
    Partner("60551", "Leadenhall Chartering Ltd", "BR", "GB", "London", "12 Lime Street", "EC3M 7AA"),
    Partner("60552", "Øresund Skibsmægleri A/S", "BR", "DK", "København", "Amaliegade 33", "1256"),
    Partner("60553", "Raffles Chartering Pte. Ltd.", "BR", "SG", "Singapore", "1 Raffles Place", "048616", "number"),
)
_BOTH = (
    Partner("60560", "Nordsjø Pool Management AS", "BO", "NO", "Oslo", "Dronning Mauds gate 3", "0250"),
    Partner("60561", "Merlion Bulk Trading Pte. Ltd.", "BO", "SG", "Singapore", "80 Robinson Road", "068898", "number"),
    Partner("60562", "Kattegat Bulk AB", "BO", "SE", "Göteborg", "Skeppsbron 4", "411 21"),
)
_CHARTERERS = (
    Partner(
        "61001", "Atlantic Grain Chartering Inc.", "CH", "US", "New Orleans", "365 Canal Street", "LA 70130", "number"
    ),
    Partner("61002", "Ruhr Kohle Transport GmbH", "CH", "DE", "Duisburg", "Krausstraße 1a", "47119"),
    Partner("61003", "Hanshin Steel Chartering K.K.", "CH", "JP", "Kobe", "2-1 Sannomiya-cho", "650-0021", "number"),
    Partner("61004", "Cerrado Minérios Ltda", "CH", "BR", "Vitória", "Avenida Nossa Senhora 700", "29050-335", "none"),
    Partner(
        "61005", "Tampines Ore Chartering Pte. Ltd.", "CH", "SG", "Singapore", "3 Tampines Avenue", "039190", "number"
    ),
    Partner("61006", "Alpen Rohstoff AG", "CH", "CH", "Zug", "Baarerstrasse 12", "6300"),
)
_CUSTOMERS = (
    Partner("61010", "Norsk Gjødselvare AS", "CU", "NO", "Porsgrunn", "Herøya Industripark 1", "3936"),
    Partner("61011", "Trøndelag Kornkjøp SA", "CU", "NO", "Trondheim", "Havnegata 7", "7010"),
    Partner("61012", "Mälardalen Stål AB", "CU", "SE", "Västerås", "Sjöhagsvägen 3", "721 32"),
    Partner(
        "61013", "Tuas Cement Terminal Pte. Ltd.", "CU", "SG", "Singapore", "20 Pioneer Crescent", "628555", "number"
    ),
    Partner("61014", "Fyn Foderstof A/S", "CU", "DK", "Odense", "Havnegade 120", "5000"),
    Partner("61015", "Victoria Peak Commodities Ltd", "CU", "HK", "Hong Kong", "15 Des Voeux Road", "", "number"),
)
# Each of these shows one thing: a quote in a code, a code that the ledger holds twice, an IBAN that fails its check,
# a name of 80 characters, no address, no bank account, a type that is mapped to nothing.
QUOTED = "60'77"
TWICE = "60590"
BROKEN_IBAN = "60591"
LONG_NAME = "60592"
NO_ADDRESS = "60593"
NO_BANK = "60594"
UNMAPPED = "60595"
_SPECIAL = (
    Partner(QUOTED, "O'Hara & Daughters Lashing Ltd", "AG", "GB", "Liverpool", "3 Regent Road", "L3 7BX"),
    Partner(TWICE, "Dobbel Havneservice AS", "AG", "NO", "Florø", "Fugleskjærskaien 2", "6900"),
    Partner(BROKEN_IBAN, "Lofoten Losbåt AS", "AG", "NO", "Svolvær", "Torget 19", "8300", "broken"),
    Partner(
        LONG_NAME,
        "Den Forenede Norske Skipsekspedisjon og Havnespedisjon for Nordland og Troms BA1",
        "AG",
        "NO",
        "Narvik",
        "Dronningens gate 41",
        "8514",
    ),
    Partner(NO_ADDRESS, "Launch Services (address to follow)", "AG", None, bank="none", is_registered=False),
    Partner(
        NO_BANK, "Helgeland Vaktmannskap ENK", "AG", "NO", "Sandnessjøen", "Torolv Kveldulvsons gate 5", "8800", "none"
    ),
    Partner(UNMAPPED, "Ocean Terminal Operators N.V.", "TE", "NL", "Vlissingen", "Europaweg 1", "4389 PA"),
)
PARTNERS = {
    partner.code: partner
    for partner in (
        *_AGENTS,
        *_BUNKER_SUPPLIERS,
        *_PORTS,
        *_OWNERS,
        *_BROKERS,
        *_BOTH,
        *_CHARTERERS,
        *_CUSTOMERS,
        *_SPECIAL,
    )
}
