"""`python -m engine evaluate tone`: the error of the skin's tone by group of people."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from ..protocol.errors import EXIT_OK
from .evaluate_inputs import fitting_pack
from .outputs import check_at_least, check_output, write_output

TILE = 256
"""Pixels of a tile in the picture."""


def add_tone(what: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = what.add_parser(
        "tone",
        help="photograph generated skins of all tones, fit each photo; print the tone's error by "
        "group",
        description="Photograph generated skins from very light to dark in three lights, fit each "
        "photo, and print how far the individual typology angle is off, by group of people.",
    )
    parser.add_argument("--pack", default="default", help="head pack (%(default)s)")
    parser.add_argument(
        "--no-detail", action="store_true", help="leave the detail stage out: faster"
    )
    parser.add_argument(
        "--count", type=int, default=2, metavar="N", help="people of each group (%(default)s)"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--picture", type=Path, help="write photos and albedos here (PNG)")
    parser.set_defaults(run=run_tone)


def run_tone(arguments: argparse.Namespace) -> int:
    """Evaluate, print and write. Returns the exit code."""
    from ..evaluate.light_report import picture_rows
    from ..evaluate.machine import describe, this_machine
    from ..evaluate.tone import by_group, tone_lines, tone_samples
    from ..fit.settings import FitSettings
    from ..render.threads import choose_threads
    from ..reporter import CancelToken, ConsoleReporter
    from ..result.pictures import contact_sheet
    from ..result.write import png_bytes

    for path in (arguments.json, arguments.picture):
        check_output(path)
    check_at_least(1, count=arguments.count)
    choose_threads()
    settings = FitSettings()
    loaded = fitting_pack(arguments.pack, arguments.no_detail)
    reporter = ConsoleReporter(sys.stderr, CancelToken())
    try:
        reporter.stage("tone", 0, 1)
        samples, outcomes = tone_samples(arguments.count, loaded, settings, reporter)
    finally:
        reporter.close()
    machine = this_machine()
    print(f"{describe(machine)}\npack {loaded.head.id}, {arguments.count} people of each group")
    print("\n".join(tone_lines(samples)))
    if arguments.picture:
        write_output(arguments.picture, png_bytes(contact_sheet(picture_rows(outcomes), TILE)))
    if arguments.json:
        content = {
            "schema": 1,
            "groups": [asdict(group) for group in by_group(samples)],
            "samples": [asdict(sample) for sample in samples],
            "machine": asdict(machine),
            "settings": {"pack": loaded.head.id, "detail": loaded.detail is not None},
        }
        text = json.dumps(content, indent=1, allow_nan=False)
        write_output(arguments.json, (text + "\n").encode())
    return EXIT_OK
