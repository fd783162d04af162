"""Distances and harmonic continuation over a mesh, against slow twins."""

import numpy as np

from engine.wear.spread import continued, distance_from, islands_of

from .worn_sheet import worn_sheet


def test_continuation_is_the_weighted_mean_of_the_neighbours() -> None:
    mesh = worn_sheet()
    rng = np.random.default_rng(1)
    known = rng.random(len(mesh.vertices)) < 0.3
    values = rng.random((len(known), 2))
    out = continued(mesh.vertices, mesh.graph, values, known)
    assert np.array_equal(out[known], values[known])
    weights = mesh.graph.toarray()
    weights[weights > 0] = 1.0 / weights[weights > 0]
    mean = weights @ out / weights.sum(axis=1, keepdims=True)
    assert np.abs(out - mean)[~known].max() < 1e-4
    assert out.min() >= values[known].min() and out.max() <= values[known].max()


def test_nothing_known_changes_nothing() -> None:
    mesh = worn_sheet()
    values = np.ones((len(mesh.vertices), 1))
    none = np.zeros(len(values), dtype=bool)
    assert np.array_equal(continued(mesh.vertices, mesh.graph, values, none), values)
    assert (distance_from(mesh.graph, none, 0.5) == 0.5).all()


def test_distances_run_along_edges() -> None:
    mesh = worn_sheet()
    source = np.zeros(len(mesh.vertices), dtype=bool)
    source[0] = True
    away = distance_from(mesh.graph, source, 10.0)
    straight = np.linalg.norm(mesh.vertices - mesh.vertices[0], axis=1)
    assert (away >= straight - 1e-12).all() and (away <= 1.2 * straight + 1e-12).all()


def test_islands_are_connected_and_apart() -> None:
    mesh = worn_sheet()
    x = mesh.vertices[:, 0]
    chosen = (x < 0.03) | (x > 0.09)
    island = islands_of(mesh.graph, chosen)
    assert (island[~chosen] == -1).all() and set(island[chosen]) == {0, 1}
    assert len(set(island[x < 0.03])) == 1
