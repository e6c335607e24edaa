"""Writes a world: ``python -m tests.world --out data/sample``, a large one with ``--documents``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.world.amounts import Rates
from tests.world.bulk import bulk_world
from tests.world.sample import sample_world
from tests.world.spelling import SPELLINGS, VENDOR, spelt
from tests.world.worlds import write_world

_RATES = Path(__file__).parents[2] / "data" / "reference" / "ecb_reference_rates_2026.csv"


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def main(arguments: list[str] | None = None) -> int:
    """Write the sample, or with any of the counts a large world of plain documents that are all fit to be posted."""
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory to write to")
    parser.add_argument("--rates", type=Path, default=_RATES, help="file of reference rates")
    parser.add_argument("--documents", type=_positive, help="plain invoices instead of the sample's documents")
    parser.add_argument("--lines", type=_positive, help="lines of each plain invoice (5)")
    parser.add_argument("--partners", type=_positive, help="suppliers, in step on both sides (40)")
    parser.add_argument("--voyages", type=_positive, help="voyages, in step on both sides (60)")
    parser.add_argument("--spelling", choices=SPELLINGS, default=VENDOR, help="of partner types and pools (vendor)")
    given = parser.parse_args(arguments)
    if not given.rates.is_file():
        parser.error(f"{given.rates} is no file: name the reference rates with --rates")
    rates = Rates.read(given.rates)
    if any((given.documents, given.lines, given.partners, given.voyages)):
        world = bulk_world(
            rates=rates,
            documents=given.documents or 0,
            lines=given.lines or 5,
            partners=given.partners or 40,
            voyages=given.voyages or 60,
        )
    else:
        world = sample_world(rates=rates)
    for name, count in write_world(spelt(world, given.spelling), given.out).items():
        sys.stdout.write(f"{count:>9} {name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
