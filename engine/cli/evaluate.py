"""`python -m engine evaluate photos|uv|encoder|transfer|...`: figures of the fit and its models."""

import argparse

from .evaluate_ablation import add_ablation
from .evaluate_encoder import add_encoder
from .evaluate_light import add_light
from .evaluate_lights import add_lights
from .evaluate_photos import add_photos
from .evaluate_scans import add_scans
from .evaluate_tone import add_tone
from .evaluate_transfer import add_transfer
from .evaluate_uv import add_uv


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser("evaluate", help="measure the engine on photos and skin maps")
    what = parser.add_subparsers(dest="what", required=True)
    add_photos(what)
    add_uv(what)
    add_encoder(what)
    add_transfer(what)
    add_light(what)
    add_tone(what)
    add_lights(what)
    add_scans(what)
    add_ablation(what)
