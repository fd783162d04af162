"""Settings of the fit: one frozen dataclass a stage, one default each.

Every number names its unit and why it is what it is. "Ours" means chosen by measuring on
photos with `python -m engine evaluate photos`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..photo.settings import PrepareSettings
from .albedo.exposure_settings import ExposureSettings
from .eyes.settings import EyeSettings
from .paper.settings import PaperSettings


@dataclass(frozen=True)
class ShapeSettings:
    """Landmarks -> identity, expression, pose."""

    landmark_sigma: float = 0.25
    """Standard deviation of a landmark across the view, fraction of the outer-eye distance. Ours,
    on scans (`evaluate scans`): the net pulls faces to its own mean, smaller values chase that."""
    depth_sigma: float = 0.14
    """Same along the view. Ours, on scans: the net's depth tells more of a shape than its image."""
    expression_sigma: float = 0.15
    """Prior of an expression weight (weights live in [0, 1]). Ours: an identity must not be taken
    for an expression."""
    unobservable: tuple[str, ...] = ("eyeLook", "tongueOut", "cheekPuff", "jawForward")
    """Expression names (prefixes) that 468 surface points cannot tell; held at zero."""
    subject_distance: float = 1.2
    """Metres from the lens when the photo does not tell its focal length. Ours: a portrait."""
    distance_sigma: float = 0.0
    """Spread of the logarithm of that distance; 0 keeps it."""
    fine_sigma: float = 0.03
    """Standard deviation of a landmark in a last round, which moves the points of the head found
    so far onto the photo's across the view; 0 leaves it out. Ours: pictures must coincide."""
    feature_sigma: float = 0.012
    """The same on lids and lips. Ours: the net is right about them."""
    pin_sigma: float = 0.003
    """The same for pins of a person, in that round. Ours: half a pixel of a face of 500."""
    pin_missed: float = 0.02
    """Fraction of the outer-eye distance from which the user is told that a pin was not reached."""
    fine_depth_sigma: float = 0.01
    """How far that round may move points along the view."""
    fine_identity_sigma: float = 0.5
    """How far that round may move the identity, in sigmas of what was believed before."""
    fine_expression_sigma: float = 0.3
    """Prior of an expression weight in that round."""
    common_errors: float = 0.5
    """The landmarks' sigmas grow with the number of photos to this power: 0 if the net erred in
    each photo anew, 0.5 if in all alike. Ours, on scans: it does the latter."""
    iterations: int = 30
    huber: float = 2.0
    """Residuals beyond this many sigmas are weighted down (Huber 1964)."""
    tolerance: float = 1e-4
    """Stop when the cost falls by less than this fraction."""


def shape_settings(settings: ShapeSettings, suited: Mapping[str, float]) -> ShapeSettings:
    """The settings for a head: what suits it (`PackManifest.fit`) wherever nobody chose otherwise.

    A setting that is not at its default was chosen.
    """
    default = ShapeSettings()
    free = {
        key: value
        for key, value in suited.items()
        if getattr(settings, key) == getattr(default, key)
    }
    return replace(settings, **free)


@dataclass(frozen=True)
class AlbedoSettings:
    """Photo and shape -> light and coarse albedo."""

    size: int = 256
    """Texels a side in which light and coarse albedo are solved (the albedo model's own)."""
    rounds: int = 6
    """Alternations of light and albedo. Ours: the residual stops moving after five."""
    noise: float = 0.06
    """Standard deviation of a texel around the coarse model, sRGB units. Ours: what PCA leaves."""
    correlation: float = 50.0
    """Texels of a 256 map per independent observation: neighbours repeat each other. Ours."""
    feature_gain: float = 20.0
    skin_gain: float = 2.0
    """How much more than so far the last solve follows brows, lids and lips, and other skin. Ours,
    on photos and with `evaluate light`: more on skin takes shadows for skin. At 4 the spread over
    lights is 0.1 larger, at 8 it is 0.7; at 1 photos are 0.4 dB less like."""
    light_sigma: float = 1.0
    """Prior of the light's first-order coefficients against its mean shading. Ours."""
    light_tint: float = 0.06
    """Spread of one channel's light against the others', relative to the light's own. Ours."""
    gloss: float = 0.02
    """Light that the skin's surface throws back, over the shading: the photo shows albedo plus
    this. Fresnel reflection at 1.4 is 0.028 straight on and 0.045 from all sides; the brightest
    of it is taken for highlights. Without it dark skin is found half as light again."""
    burnt: float = 0.9
    """Linear value of a channel above which the camera cut it off. Ours: 0.955 in sRGB."""
    stride: int = 2
    """Texels of a 256 map from one that is solved to the next. Ours: neighbours repeat each other,
    and the solve takes a quarter of the time."""
    least_shading: float = 0.08
    """Shading below this is not divided by: the photo tells nothing there. Ours."""
    least_facing: float = 0.15
    """Cosine between normal and view below which a texel is not trusted. Ours."""
    robust: float = 2.5
    """Residuals beyond this many noise sigmas count as hair, glasses or highlights. Ours."""
    exposure: ExposureSettings = field(default_factory=ExposureSettings)


@dataclass(frozen=True)
class SeenSettings:
    """Which texels of the photo are believed, for the detail and for the photo layer."""

    least_facing: float = 0.2
    sure_facing: float = 0.6
    """Cosines between normal and view: below the first a texel is not believed, above the second
    it is. Ours: at grazing angles one photo pixel covers many texels."""
    closing: float = 1 / 50
    """Width of gaps in the skin that are closed, over the map's side: 5 texels of 256. Ours: wider
    than moles and folds, narrower than locks of hair. Not round the eyes: the rims of glasses."""
    rim: float = 0.035
    """Inside the person's outline this much is not believed, over the face's size (the root of
    its pixels). Ours: the fitted outline misses the real one by that, and shows what is behind."""


@dataclass(frozen=True)
class OccluderSettings:
    """What covers the skin."""

    least: float = 0.2
    likely: float = 0.5
    """The net's probabilities between which a texel goes from skin to covered. Ours."""
    sure: float = 0.8
    """Probability that a connected part must reach somewhere to count. Ours."""
    least_area: float = 1 / 4096
    """Smallest part that counts, of the map: 16 texels of 256. Ours: half a centimetre of skin."""
    reach: float = 3 / 256
    rim_reach: float = 5 / 256
    """How far round it nothing is believed either, over the map's side; the second where glasses
    sit. Ours: the thinnest hairs beside a lock, the shadow and the glint of a rim."""
    glasses: float = 0.05
    """Share of their place that must be covered for there to be glasses. Ours: plain ones have 0.1
    and more, faces without any 0.04 at most, but for hair or deep shade over an eye."""
    odd_bridge: float = 0.35
    odd_below: float = 0.28
    """Shares without skin (`AlbedoFit.skin`) of the bridge and under the lids from which there are
    glasses too. Ours: six pairs have at least 0.40 and 0.28; of 37 other photos the next has 0.52
    and 0.27, half a face in deep shade, then 0.28 and 0.19."""
    rim_skin: float = 0.25
    """With glasses, what looks less like skin than this is a rim too. Ours."""
    teeth: float = 1.2
    """Green over red on the lips, in linear light and over the skin's own, from which it is teeth.
    Ours: lips have about 0.7, teeth about 1.5."""
    worth_solving: float = 0.02
    """Share of the face that must be covered for light and albedo to be solved again. Ours."""
    rounds: int = 2
    """Alternations of that second solving: it starts from the first. Ours."""


@dataclass(frozen=True)
class DetailSettings:
    """What the coarse albedo leaves -> the detail map."""

    highpass_sigma: float = 1 / 32
    """Gaussian below which a difference counts as light, over the map's side. Ours: below the
    height of a brow; folds, pores, stubble and hair are finer, missed light is wider. At 1/24
    `evaluate lights` finds twice as much light in the slow part of the detail (0.036 against
    0.019), at 1/45 none, but brows and deep folds lose contrast."""
    limit: float = 0.25
    """Softly, the largest detail in V, sRGB units. Ours: a dark brow on light skin."""
    fade_sigma: float = 1 / 256
    """Gaussian over which unseen texels fade to no detail, over the map's side. Ours."""
    least_cover: float = 0.3
    sure_cover: float = 0.8
    """Shares of a latent cell that was seen: below the first it is completed, above the second
    it is believed. Ours."""
    fine_sigma: float = 1 / 170
    """Gaussian of the band in which strengths are compared, over the map's side: pores, stubble
    and fine lines. Ours."""
    draw_strength: tuple[float, float] = (0.3, 0.7)
    """Bounds of the strength of drawn detail against the prior's. Ours: skin is never blank; and
    the prior knows beards, which a whole draw shows as strokes on a shaven cheek."""
    hair_calm: float = 0.7
    """Share of a draw that is left out at the scalp and its hairline. Ours: a drawn hairline is
    another person's, and shows as dark spots beside the coarse albedo's own."""
    samples: int = 100_000
    """Samples over the face while refining. Ours: texels of the face in a 512 map."""
    iterations: int = 3
    """Steps of the refinement, each a pass of the network there and back. Ours: they end below
    twelve steps of Adam, at a quarter of the time."""
    damping: float = 3.0
    """Factor on the modelled curvature of the data, so that steps rather fall short: the model
    leaves out that neighbour cells overlap. Ours: 2 to 4 end alike, 1 overshoots."""
    margin: int = 1
    """Latent cells round the seen ones that are decoded with them. Ours: 2 end at the same cost."""
    noise: float = 0.02
    """Standard deviation of a pixel around the refined render, sRGB. Ours: what the VAE leaves."""
    robust: float = 8.0
    """Noise sigmas at which an error stops pulling: hair, highlights, misplaced edges. Ours: deep
    folds stay below."""
    correlation: float = 2.0
    """Pixels per independent observation: neighbours repeat each other. Ours."""


@dataclass(frozen=True)
class PhotoLayerSettings:
    """What coarse albedo and detail leave -> the photo layer at full texture size."""

    pyramid_levels: int = 7
    """Levels of the blend between seen, mirrored and completed texels (Burt & Adelson 1983)."""
    mirror_trust: float = 0.8
    """Weight of a mirrored texel against a seen one, where nothing was seen. Ours."""
    model_trust: float = 0.15
    """Weight of no change there. Ours: less, and half-seen texels show an edge; more, and the
    mirrored side pales."""
    edge: float = 1 / 512
    """Texels over which what was seen fades inside its own edge, over the map's side. Ours: at
    1/128 the thin skin between lids, brows and nostrils is lost, 1 to 2 dB of the render."""
    tone_sigma: float = 1 / 24
    """Gaussian of what is mirrored, over the map's side. Ours: wider than a brow is high, so that
    tone crosses over but neither moles nor hair."""
    limit: float = 0.5
    """Largest change of a texel, sRGB units: beyond it is not skin. Ours."""


@dataclass(frozen=True)
class ResidualLightSettings:
    """What of the photo's albedo counts as light, before the photo layer."""

    size: int = 256
    """Texels a side of the map on which it is found. Ours: finer things are no light."""
    sigma: float = 1 / 64
    """Gaussian, over the map's side: what varies more slowly counts as light. Ours: narrower than
    a nose's shadow, wider than a mole; `evaluate light` finds a third more light at 1/25."""
    limit: float = 0.25
    """Log of the largest ratio that stays. Ours: moles, stubble and folds; shadows' edges more."""
    robust: float = 0.25
    """Log ratio from the slow part at which a texel counts a quarter: hair, edges. Ours."""
    rounds: int = 3
    """Of weights and Gaussian. Ours: it no longer moves."""


@dataclass(frozen=True)
class ConfidenceSettings:
    """The confidence map."""

    size: int = 512
    """Texels a side of the map whose texels a photo must resolve: that of the detail. Ours."""
    sharp_density: float = 0.7
    """Pixels of the photo across such a texel, from which it is sharp. Ours: below, freckles go."""
    mirrored: float = 0.4
    """Confidence in a texel of which only the mirror image was seen, over that image's. Ours."""


@dataclass(frozen=True)
class SeveralSettings:
    """Several photos of one person."""

    same_person: float = 0.6
    """Distance of two identity embeddings from which photos show two people. dlib's own figure;
    on 43 photos pairs of one person were at 0.27 to 0.47 apart, others above 0.55."""
    tone_sigma: float = 1 / 24
    """Gaussian above which a difference of photos counts as missed light, over the map's side."""
    choice: float = 4.0
    """Power of trust and sharpness by which the best photo of a texel is preferred. Ours: the best
    one dominates, and no border shows."""


@dataclass(frozen=True)
class FitSettings:
    """All stages. paper: the paper's own recipe in place of stages 1 to 3, after a landmark fit."""

    prepare: PrepareSettings = field(default_factory=PrepareSettings)
    shape: ShapeSettings = field(default_factory=ShapeSettings)
    albedo: AlbedoSettings = field(default_factory=AlbedoSettings)
    eyes: EyeSettings = field(default_factory=EyeSettings)
    seen: SeenSettings = field(default_factory=SeenSettings)
    occluders: OccluderSettings = field(default_factory=OccluderSettings)
    detail: DetailSettings = field(default_factory=DetailSettings)
    residual_light: ResidualLightSettings = field(default_factory=ResidualLightSettings)
    photo_layer: PhotoLayerSettings = field(default_factory=PhotoLayerSettings)
    confidence: ConfidenceSettings = field(default_factory=ConfidenceSettings)
    several: SeveralSettings = field(default_factory=SeveralSettings)
    paper: PaperSettings | None = None


def with_preset(settings: FitSettings, preset: str) -> FitSettings:
    """The settings with a preset, one of `protocol.job.PRESETS`, in force."""
    return replace(settings, paper=PaperSettings() if preset == "paper" else None)
