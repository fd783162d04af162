"""Where folds and wrinkles run in the FFHQ-UV layout: (column, row) of a 1024 x 1024 map.

A family of lines lies between two or more rails, curves with equally many points: a line keeps
about the same place between the rails while it runs along them. As in `curves.py` only the left
half of the picture is listed. All figures are ours, measured by eye on the public layout: rows of
equal height on the default head for forehead and neck, folds as published maps show them.
"""

from dataclasses import dataclass

from .curves import Curve

PAIR, ACROSS, SINGLE = "pair", "across", "single"
"""Lines on both sides; lines that cross the mid-line (rails end there); lines on it."""

SIGMAS = (0.6, 1.2, 2.6, 6.0)
"""Gaussian widths that lines are made of, reference pixels (0.33 mm each): hairline, line, fold,
hollow."""

FINE = (1.0, 0.0, 0.0, 0.0)
LINE = (0.25, 0.40, 0.35, 0.0)
FOLD = (0.08, 0.22, 0.35, 0.35)
HOLLOW = (0.0, 0.0, 0.35, 0.65)


@dataclass(frozen=True)
class Family:
    """Lines of one kind.

    amount: name of the parameter that drives them. count: lines at full amount. depth: share by
    which the core of the deepest line is darker (green, sRGB). widths: shares of SIGMAS, by core
    darkening. start, length: ranges, as shares of the rails' length. peak: where along
    the line it is deepest. wander: reference pixels. breaks: 0 unbroken to 1 pieces. branches:
    side lines of each line. even: depth of the weakest line against the deepest.
    """

    amount: str
    rails: tuple[Curve, ...]
    count: int
    depth: float
    kind: str = PAIR
    widths: tuple[float, ...] = LINE
    start: tuple[float, float] = (0.0, 0.1)
    length: tuple[float, float] = (0.9, 1.0)
    peak: float = 0.5
    wander: float = 1.0
    breaks: float = 0.3
    branches: int = 0
    even: float = 0.5


FAMILIES: dict[str, Family] = {
    "forehead": Family(
        "forehead_lines",
        (
            ((322, 266), (355, 254), (400, 248), (440, 253), (480, 264), (512, 269)),
            ((316, 222), (355, 209), (400, 203), (450, 206), (490, 213), (512, 215)),
            ((338, 180), (370, 171), (410, 166), (450, 167), (490, 171), (512, 172)),
        ),
        count=7, depth=0.12, kind=ACROSS, start=(0.02, 0.3), length=(0.5, 0.95), wander=1.6,
        breaks=0.55, branches=3,
    ),
    "forehead fine": Family(
        "forehead_lines",
        (
            ((322, 272), (355, 260), (400, 254), (440, 259), (480, 270), (512, 275)),
            ((316, 222), (355, 209), (400, 203), (450, 206), (490, 213), (512, 215)),
            ((345, 168), (370, 162), (410, 158), (450, 158), (490, 162), (512, 163)),
        ),
        count=26, depth=0.045, kind=ACROSS, widths=FINE, start=(0.0, 0.75), length=(0.12, 0.4),
        wander=1.6, breaks=0.7,
    ),
    "frown": Family(
        "frown_lines",
        (
            ((503, 276), (501, 289), (498, 303), (497, 320)),
            ((478, 270), (483, 284), (488, 299), (492, 317)),
        ),
        count=4, depth=0.09, start=(0.0, 0.3), length=(0.6, 0.95), peak=0.6, branches=1, breaks=0.2,
        even=0.25,
    ),
    "nose root": Family(
        "frown_lines",
        (
            ((482, 328), (497, 325), (512, 324)),
            ((479, 354), (496, 352), (512, 351)),
        ),
        count=4, depth=0.06, kind=ACROSS, start=(0.0, 0.3), length=(0.5, 0.9), branches=1,
    ),
    "bunny": Family(
        "bunny_lines",
        (
            ((499, 370), (489, 377), (479, 388), (471, 401)),
            ((500, 400), (487, 406), (474, 416), (463, 428)),
        ),
        count=6, depth=0.05, start=(0.0, 0.35), length=(0.4, 0.9), branches=1,
    ),
    "crow's feet": Family(
        "crows_feet",
        (
            ((337, 366), (320, 352), (303, 342), (284, 336)),
            ((332, 383), (313, 381), (292, 383), (268, 389)),
            ((338, 394), (321, 404), (305, 418), (291, 438)),
        ),
        count=10, even=0.45, depth=0.12, start=(0.0, 0.3), length=(0.5, 1.0), peak=0.3, wander=1.0,
        branches=1, breaks=0.25,
    ),
    "under eye": Family(
        "under_eye_lines",
        (
            ((437, 392), (410, 395), (380, 395), (352, 392), (332, 390)),
            ((442, 400), (412, 408), (382, 410), (348, 406), (318, 402)),
            ((440, 414), (410, 425), (378, 427), (343, 421), (308, 416)),
        ),
        count=16, depth=0.06, widths=FINE, start=(0.0, 0.6), length=(0.2, 0.45), wander=1.6,
        branches=1, breaks=0.5,
    ),
    "lid folds": Family(
        "under_eye_lines",
        (
            ((336, 362), (352, 350), (374, 344), (402, 343), (430, 349)),
            ((322, 362), (338, 344), (364, 332), (398, 330), (436, 338)),
        ),
        count=5, depth=0.05, start=(0.0, 0.35), length=(0.25, 0.8), breaks=0.4,
    ),
    "nasolabial": Family(
        "nasolabial_folds",
        (
            ((445, 461), (432, 474), (421, 492), (412, 512), (403, 532), (395, 552), (389, 572),
             (386, 592)),
            ((436, 459), (422, 471), (411, 489), (402, 509), (392, 530), (383, 552), (376, 574),
             (372, 598)),
        ),
        count=1, depth=0.19, widths=FOLD, start=(0.0, 0.12), length=(0.8, 1.0), peak=0.35,
        wander=1.2, breaks=0.1, branches=4,
    ),
    "nasolabial fine": Family(
        "nasolabial_folds",
        (
            ((440, 466), (428, 480), (418, 498), (408, 518), (399, 538), (391, 558), (385, 578),
             (382, 598)),
            ((420, 458), (402, 473), (390, 492), (380, 514), (370, 536), (362, 558), (355, 580),
             (350, 604)),
        ),
        count=7, depth=0.035, start=(0.1, 0.6), length=(0.15, 0.45), breaks=0.5,
    ),
    "marionette": Family(
        "marionette_lines",
        (
            ((408, 601), (403, 614), (399, 630), (398, 648), (400, 668)),
            ((397, 602), (390, 619), (385, 637), (383, 657), (386, 680)),
        ),
        count=3, depth=0.12, widths=FOLD, start=(0.0, 0.15), length=(0.55, 1.0), peak=0.3,
        wander=1.2, breaks=0.2, branches=2, even=0.3,
    ),
    "upper lip": Family(
        "upper_lip_lines",
        (
            ((425, 584), (416, 571), (409, 558)),
            ((456, 563), (451, 548), (447, 533)),
            ((503, 553), (502, 540), (501, 527)),
        ),
        count=18, depth=0.065, start=(0.0, 0.15), length=(0.25, 0.8), peak=0.25, breaks=0.15,
    ),
    "lower lip": Family(
        "upper_lip_lines",
        (
            ((431, 609), (424, 622), (418, 634)),
            ((468, 627), (465, 638), (462, 649)),
            ((505, 634), (504, 643), (504, 652)),
        ),
        count=8, depth=0.03, start=(0.0, 0.15), length=(0.35, 0.95), peak=0.25, breaks=0.15,
    ),
    "cheek": Family(
        "fine_lines",
        (
            ((395, 440), (378, 490), (366, 545), (356, 610)),
            ((335, 425), (318, 490), (312, 555), (318, 630)),
            ((282, 410), (266, 490), (262, 560), (274, 650)),
            ((236, 415), (226, 490), (228, 560), (244, 640)),
        ),
        count=80, depth=0.04, widths=(0.7, 0.3, 0.0, 0.0), start=(0.0, 0.85), length=(0.08, 0.28),
        wander=4.0, breaks=0.5, branches=1,
    ),
    "cheek across": Family(
        "fine_lines",
        (
            ((392, 436), (365, 446), (330, 452), (290, 450), (240, 440)),
            ((380, 520), (350, 530), (315, 540), (280, 545), (235, 540)),
            ((372, 610), (345, 630), (315, 645), (285, 655), (245, 640)),
        ),
        count=60, depth=0.035, widths=(0.7, 0.3, 0.0, 0.0), start=(0.0, 0.85), length=(0.08, 0.22),
        wander=4.0, breaks=0.5,
    ),
    "neck rings": Family(
        "neck_lines",
        (
            ((190, 826), (270, 818), (350, 811), (430, 807), (512, 806)),
            ((196, 852), (270, 848), (350, 844), (430, 843), (512, 843)),
            ((205, 882), (280, 884), (360, 884), (440, 886), (512, 888)),
        ),
        count=4, depth=0.11, kind=ACROSS, start=(0.0, 0.25), length=(0.55, 1.0), wander=2.0,
        widths=(0.2, 0.35, 0.35, 0.1), breaks=0.25, branches=3,
    ),
    "neck fine": Family(
        "neck_lines",
        (
            ((170, 790), (270, 790), (350, 786), (430, 782), (512, 780)),
            ((190, 835), (270, 832), (350, 828), (430, 826), (512, 826)),
            ((205, 900), (280, 900), (360, 902), (440, 906), (512, 910)),
        ),
        count=24, depth=0.035, kind=ACROSS, widths=FINE, start=(0.0, 0.8), length=(0.12, 0.35),
        wander=2.5, breaks=0.5,
    ),
    "eye bag": Family(
        "eye_bags",
        (
            ((447, 397), (432, 412), (407, 422), (376, 424), (350, 417), (331, 405)),
            ((447, 401), (431, 418), (406, 430), (375, 432), (347, 424), (327, 411)),
        ),
        count=2, depth=0.085, widths=(0.0, 0.1, 0.3, 0.6), start=(0.0, 0.08), length=(0.75, 1.0),
        breaks=0.0, even=0.4,
    ),
    "tear trough": Family(
        "tear_troughs",
        (
            ((447, 394), (440, 407), (425, 421), (403, 433), (380, 442)),
            ((450, 397), (444, 412), (430, 428), (407, 441), (382, 451)),
        ),
        count=1, depth=0.08, widths=HOLLOW, start=(0.0, 0.05), length=(0.75, 1.0), peak=0.3,
        breaks=0.0,
    ),
    "lid crease": Family(
        "lid_crease",
        (
            ((333, 381), (341, 372), (354, 366), (376, 363), (401, 362), (424, 365), (439, 371),
             (448, 380)),
            ((331, 378), (338, 364), (350, 356), (374, 350), (401, 349), (426, 353), (442, 362),
             (451, 375)),
        ),
        count=1, depth=0.26, widths=(0.3, 0.4, 0.3, 0.0), start=(0.0, 0.06), length=(0.95, 1.0),
        wander=0.5, breaks=0.0, branches=1,
    ),
    "nose wing": Family(
        "nose_crease",
        (
            ((449, 459), (437, 466), (429, 478), (427, 491), (431, 503), (440, 511), (452, 516),
             (467, 518)),
            ((448, 457), (435, 464), (427, 477), (425, 491), (429, 504), (438, 513), (452, 518),
             (467, 520)),
        ),
        count=1, depth=0.34, widths=(0.2, 0.3, 0.5, 0.0), start=(0.0, 0.12), length=(0.9, 1.0),
        peak=0.62, wander=0.4, breaks=0.0,
    ),
    "chin crease": Family(
        "chin_crease",
        (
            ((462, 652), (487, 652), (512, 653)),
            ((456, 660), (485, 661), (512, 662)),
        ),
        count=2, depth=0.07, kind=ACROSS, widths=FOLD, start=(0.0, 0.25), length=(0.6, 1.0),
        breaks=0.1, even=0.3,
    ),
    "chin dimple": Family(
        "chin_dimple",
        (((510, 684), (511, 692), (511, 700), (511, 708)),
         ((514, 684), (513, 692), (513, 700), (513, 708))),
        count=1, depth=0.06, kind=SINGLE, widths=(0.1, 0.2, 0.3, 0.4), breaks=0.0,
    ),
    "philtrum groove": Family(
        "philtrum",
        (((510, 526), (510, 536), (510, 546), (510, 554)),
         ((514, 526), (514, 536), (514, 546), (514, 554))),
        count=1, depth=0.03, kind=SINGLE, widths=HOLLOW, breaks=0.0,
    ),
    "philtrum edges": Family(
        "philtrum",
        (((500, 525), (497, 536), (493, 547), (489, 555)),
         ((498, 525), (495, 536), (491, 547), (487, 555))),
        count=1, depth=-0.03, widths=(0.0, 0.2, 0.8, 0.0), peak=0.7, breaks=0.0,
    ),
}  # fmt: skip
"""Lines by name. The names are those of their random streams."""
