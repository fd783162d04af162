"""UVAPM's model files become albedo packs with the same span."""

import pickle

import numpy as np
import pytest

from engine.cli import main
from engine.packs.uvapm import albedo as uvapm
from engine.protocol.albedo import decode_albedo, encode_albedo
from engine.protocol.albedo_pack import read_albedo_pack
from engine.protocol.errors import EngineError, ErrorCode
from engine.reporter import NullReporter

SIZE, COMPONENTS, SKINS = 64, 6, 5


def generated_maps(count, size, seed, on_wait):
    """Stands in for the skin generator: smooth random maps."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 3, size), np.linspace(0, 2, size))
    for _ in range(count):
        on_wait()
        waves = [rng.uniform(0, 0.2) * np.sin(x * rng.uniform(1, 3) + y) for _ in range(3)]
        yield (0.5 + np.stack(waves, axis=-1)).astype(np.float16)


@pytest.fixture(autouse=True)
def quick_skins(monkeypatch):
    monkeypatch.setattr(uvapm, "generate_maps", generated_maps)


def released(kind=np.float32, size=SIZE):
    """A file's content: smooth columns that are neither orthogonal nor of one length."""
    rng = np.random.default_rng(1)
    x, y = np.meshgrid(np.linspace(0, 3, size), np.linspace(0, 2, size))
    table = {}
    for key in "rgb":
        mean = 120 + 60 * np.sin(x + rng.uniform(0, 1)) * np.cos(y)
        columns = [
            np.sin(k * x + rng.uniform(0, 3)) * np.cos(k * y) for k in range(1, COMPONENTS + 1)
        ]
        base = np.stack([column.ravel() * rng.uniform(0.2, 20) for column in columns], axis=1)
        table[key] = {"mean": mean.reshape(-1, 1).astype(kind), "base": base.astype(kind)}
    return table


def write(folder, table, protocol=4):
    path = folder / f"model_{SIZE}.pkl"
    path.write_bytes(pickle.dumps(table, protocol))
    return path


def made(folder, table, **settings):
    path = write(folder, table, **settings)
    return read_albedo_pack(uvapm.import_uvapm(path, folder / "pack", True, SKINS, NullReporter()))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_every_map_of_the_file_is_a_map_of_the_pack(tmp_path, protocol, kind):
    table = released(kind)
    model = made(tmp_path, table, protocol=protocol).model
    alpha = np.random.default_rng(2).uniform(-1, 1, (3, COMPONENTS))
    image = (
        np.stack(
            [
                (table[key]["mean"][:, 0] + table[key]["base"] @ alpha[c]).reshape(SIZE, SIZE)
                for c, key in enumerate("rgb")
            ],
            axis=-1,
        )
        / 255.0
    )
    found = encode_albedo(model.mean, model.basis, model.valid, image)
    decoded = decode_albedo(model.mean, model.basis, model.valid, found)
    assert np.abs(decoded - image).max() < 0.3 / 255.0  # the int8 basis of the pack
    assert model.valid.all()


def test_rows_are_orthogonal_and_the_spread_is_that_of_the_skins(tmp_path):
    file = uvapm.read_released(write(tmp_path, released()))
    model = uvapm.convert_released(file, SKINS, NullReporter())
    skins = list(generated_maps(SKINS, SIZE, uvapm.SEED, lambda: None))
    for channel in range(3):
        gram = model.basis[channel].astype(float) @ model.basis[channel].T
        np.testing.assert_allclose(gram, np.diag(model.sigma[channel] ** 2), atol=1e-4)
    assert (np.diff(model.sigma, axis=1) <= 0).all()
    codes = np.stack([encode_albedo(model.mean, model.basis, model.valid, skin) for skin in skins])
    spread = codes.std(axis=0, ddof=1)
    assert spread.max() <= 1.001
    strong = model.sigma > 0.05 * model.sigma[:, :1]
    np.testing.assert_allclose(spread[strong], 1.0, atol=1e-3)


def test_orthogonal_columns_keep_their_direction():
    base = np.linalg.qr(np.random.default_rng(0).standard_normal((64**2, 4)))[0] * [5, 3, 2, 1]
    np.testing.assert_allclose(uvapm._orthonormal(base), base / [5, 3, 2, 1], atol=1e-12)


def test_the_pack_says_where_it_comes_from(tmp_path):
    pack = made(tmp_path, released())
    assert pack.manifest.id == "uvapm-64" and pack.manifest.head is None
    (part,) = pack.manifest.parts
    assert "non-commercial" in part.licence and "UVAPM" in part.origin and len(part.sha256) == 64
    assert "5 skins" in pack.manifest.recipe and "orthonormalised" in pack.manifest.recipe


def change(key, name, value):
    def broken(table):
        table[key][name] = value(table[key][name])

    return broken


BROKEN = {
    "no channel": (lambda t: t.pop("g"), "g lacks"),
    "no base": (lambda t: t["b"].pop("base"), "b lacks"),
    "other size": (change("r", "base", lambda a: a[:900]), "r.base must have shape"),
    "turned": (change("r", "base", lambda a: a.T), "r.base must have shape"),
    "no columns": (change("r", "base", lambda a: a[:, :0]), "r.base must have shape"),
    "flat": (change("r", "base", lambda a: a.ravel()), "r.base must have shape"),
    "columns differ": (change("g", "base", lambda a: a[:, 1:]), "differ"),
    "mean turned": (change("b", "mean", lambda a: a.T), "b.mean must have shape"),
    "mean of another": (change("b", "mean", lambda a: a[:-1]), "b.mean must have shape"),
    "range": (change("b", "mean", lambda a: a * 2), "grey levels 0 to 255"),
    "negative": (change("b", "mean", lambda a: a - 200), "grey levels"),
    "units": (change("b", "mean", lambda a: a / 255), "grey levels"),
    "type": (change("g", "mean", lambda a: a.astype(np.uint8)), "float32 or float64"),
    "text": (change("g", "mean", lambda a: "grey"), "float32 or float64 array, got str"),
    "not finite": (change("g", "base", lambda a: np.where(a == a.max(), np.inf, a)), "not finite"),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_broken_models_are_told_apart(tmp_path, rule):
    spoil, words = BROKEN[rule]
    table = released()
    spoil(table)
    with pytest.raises(EngineError) as caught:
        uvapm.read_released(write(tmp_path, table))
    assert caught.value.code is ErrorCode.BAD_INPUT
    assert words in caught.value.message and "model_64.pkl" in caught.value.message


def test_dependent_columns(tmp_path):
    table = released()
    table["r"]["base"][:, 1] = table["r"]["base"][:, 0]
    with pytest.raises(EngineError, match="not independent"):
        made(tmp_path, table)


def test_size_is_looked_at_before_reading(tmp_path, monkeypatch):
    path = write(tmp_path, released())
    monkeypatch.setattr(uvapm, "MOST_BYTES", 1000)
    monkeypatch.setattr(type(path), "read_bytes", lambda self: pytest.fail("it was read"))
    with pytest.raises(EngineError, match="bytes"):
        uvapm.read_released(path)


def test_command_line(tmp_path, capsys):
    path = write(tmp_path, released())
    words = ["packs", "import", "uvapm-albedo", str(path), "--out", str(tmp_path / "pack")]
    assert main(words) == 2
    assert "--accept-licence" in capsys.readouterr().err
    assert main([*words, "--accept-licence"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "pack")
    assert main(["packs", "check", str(tmp_path / "pack")]) == 0
    assert "64x64, 3 x 6 components" in capsys.readouterr().out
    assert main([*words[:-1], str(tmp_path), "--accept-licence"]) == 2
    assert path.exists() and "not a pack" in capsys.readouterr().err
    assert main([*words[:3], str(tmp_path / "none.pkl"), *words[4:], "--accept-licence"]) == 2


def test_a_harmful_file_is_named_and_not_run(tmp_path, capsys):
    mark = tmp_path / "executed"
    path = tmp_path / "model_256.pkl"
    path.write_bytes(
        b"\x80\x02cbuiltins\neval\nX"
        + len(code := f"open({str(mark)!r},'w')".encode()).to_bytes(4, "little")
        + code
        + b"\x85R."
    )
    words = ["packs", "import", "uvapm-albedo", str(path), "--out", str(tmp_path / "p")]
    assert main([*words, "--accept-licence"]) == 2
    assert "builtins.eval" in capsys.readouterr().err
    assert not mark.exists() and not (tmp_path / "p").exists()
