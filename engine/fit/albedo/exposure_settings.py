"""Settings of the exposure, a part of `settings.AlbedoSettings`.

Ours, each of them: chosen with `evaluate tone` and `evaluate light` together and by eye on real
portraits, because the first knows only generated skins, the second only light ones, and of the
last nobody knows the truth.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ExposureSettings:
    """What is believed of skin, lamps and cameras before a photo is looked at."""

    gain: float = -0.17
    gain_sigma: float = 0.22
    """Prior of the log of the face's mean shading, for skin of middle tone: exposed about right,
    and the face's own shadows take some."""
    dark_gain: float = 0.08
    """How much more light cameras give to darker skin: power of luminance. Auto exposure meters the
    face, and evens out part of the difference."""
    tint_sigma: float = 0.25
    """Prior of the log gain of one channel against the others: cameras balance white, but leave
    half of a lamp's colour."""
    tone_spread: float = 5.0
    """Factor of the skin model's spread from dark to light: no tone may be likelier than another,
    or dark skin is found lighter and light skin darker."""
    skin_blue: float = 1.08
    """Factor of the skin model's mean blue, sRGB. Generated skins are about 3 units of b* more
    yellow than measured ones (Xiao et al. 2017: 15 to 17 on light cheeks)."""
    skin_bend: tuple[float, float, float] = (-0.44, 0.09, 0.35)
    """How the line from dark to light skin bends, sRGB over the square of the distance from its
    middle: both ends are less coloured than a line has them. Of 400 generated skins it is 2.5 times
    as much; with that, light skin of real photos comes out pale."""
    skin_sigma: float = 0.03
    """Spread of faces round that line, sRGB. Generated skins have 0.01, measured heads 0.03."""
    eye_sigma: float = 0.08
    """Spread of the tint of the white of the eyes round the light's, log. On known heads 0.04;
    people's eyes differ, and lie in the shade of brows."""
    eye_floor: float = 0.03
    """Likelihood of any tint there, against that of the best: the light on the eyes may be another
    than that on the face."""
    eye_red: float = 0.02
    """Log of how much redder the white looks than it is, as much less blue: lids shine on it."""
    lid_share: float = 0.12
    lid_floor: float = 0.05
    """Prior of the share of lid in what is taken for the white: an exponential of this mean, and a
    floor for closed eyes."""
    least_apart: float = 0.25
    """The white counts if its log ratio of blue to red is above the skin's by this. Open eyes have
    0.4 and more, closed ones 0."""
