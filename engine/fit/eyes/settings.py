"""Settings of the eyes, a part of `settings.FitSettings`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EyeSettings:
    """Photo and shape -> gaze and colours of the eyes."""

    width: int = 160
    """Pixels across both eyes in which they are compared. Ours: photos rarely show more."""
    least_pixels: int = 40
    """With fewer of them on eyeballs (closed, turned away) the eyes stay as the pack has them."""
    lid_edge: float = 0.03
    """Distance from the lids over which pixels gain trust, over that width. Ours: lashes."""
    noise: float = 0.06
    """Standard deviation of a pixel, linear RGB. Ours."""
    least_noise: float = 0.02
    """The least spread of pixels when gazes are compared, linear RGB. Ours."""
    pixels: float = 60.0
    """Independent pixels in an eye pair: neighbours repeat each other. Ours."""
    iris_mean: tuple[float, float, float] = (0.09, 0.065, 0.05)
    iris_sigma: float = 0.08
    """Prior of the iris's linear albedo: brown, and as far as blue and light grey. Ours."""
    white_sigma: float = 0.35
    """Prior of the white's factor. Ours: shadow of the lids varies more than the white itself."""
    gaze_sigma: tuple[float, float] = (0.06, 0.03)
    """Prior of the gaze round the lens or straight ahead, radians to the side and upwards. Ours:
    lids go along with the eyes, so the iris stays about in the middle of what is open."""
    ahead_cost: float = 3.0
    """Twice the log odds of looking at the lens against straight ahead. Ours."""
    least_gain: float = 15.0
    """Twice the log likelihood that another gaze than at the lens must gain. Ours."""
    most_covered: float = 0.25
    """With more of the lids covered (glasses, hair) the gaze is at the lens. Ours."""
    gaze_step: float = 0.12
    gaze_steps: tuple[int, int] = (3, 2)
    """The grid of gazes: step in radians, and steps to each side and up and down. Ours: +-20 and
    +-14 degrees, a little beyond what the eyeLook expressions reach."""
    refinements: int = 2
    """Times the step is halved round the best. Ours: to 2 degrees, a pixel or less."""
    white_trust: float = 0.3
    """Weight of a pixel from which it may tell the light. Ours: off the lashes."""
    least_white: int = 180
    """With fewer pixels of white nothing is told. Ours: between narrowed eyes, in which lids colour
    what is left, and open ones, which have 220 and more."""
    white_share: float = 0.4
    """Brightest part of the white whose colour is taken. Ours: on known heads its tint is off by
    .04 of a logarithm, that of the whole by .06."""
