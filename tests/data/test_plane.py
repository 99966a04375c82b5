"""The plane of the widget: three corners, and three sentences that end in three places."""

import pytest
import torch

from unrolled.data.bears import CANONICAL, SENSES, VOCABULARY, corpus, cue_words
from unrolled.data.plane import DECIMALS, RADIUS, Plane, bears_plane, plane
from unrolled.data.word_vectors import WordVectors, word_vectors
from unrolled.nn import SimpleSelfAttention


@pytest.fixture(scope="module", params=[0, 1])
def points(request: pytest.FixtureRequest) -> Plane:
    return bears_plane(request.param)


def test_every_word_has_a_point_within_the_radius(points: Plane) -> None:
    assert points.vectors.words == VOCABULARY
    assert points.vectors.matrix.shape == (len(VOCABULARY), 2)
    assert points.vectors.matrix.norm(dim=1).max().item() == pytest.approx(RADIUS)


def test_last_digits_of_the_machine_do_not_reach_the_page(points: Plane) -> None:
    """Two builds of the book hold the same points: what a matrix product leaves behind is rounded away."""
    wiggled = word_vectors([sentence.words for sentence in corpus(seed=0)], 32, window=4)
    noise = 1e-14 * torch.randn(wiggled.matrix.shape, dtype=torch.float64, generator=torch.manual_seed(0))
    again, first = plane(WordVectors(wiggled.words, wiggled.matrix + noise)), bears_plane(0)
    assert torch.equal(again.vectors.matrix, first.vectors.matrix)
    for sense in SENSES:
        assert torch.equal(again.landmarks[sense], first.landmarks[sense])
    for number in points.vectors.matrix.flatten().tolist():
        assert round(number, DECIMALS) == number


def test_the_senses_stand_where_the_picture_wants_them(points: Plane) -> None:
    (ax, ay), (ex, ey), (tx, ty) = (points.landmarks[sense].tolist() for sense in SENSES)
    assert abs(ax) < 0.3
    assert ay > 2
    assert ex < -1.7
    assert ey < -0.9
    assert tx > 1.7
    assert ty < -0.9


def test_cues_stand_by_their_sense_and_neutral_words_near_the_middle(points: Plane) -> None:
    corners = torch.stack([points.landmarks[sense] for sense in SENSES])
    cues = set()
    for k, sense in enumerate(SENSES):
        cues |= set(cue_words(sense))
        nearest = torch.cdist(points.vectors.lookup(cue_words(sense)), corners).argmin(1)
        assert (nearest == k).all()
    neutral = points.vectors.lookup(word for word in VOCABULARY if word not in cues)
    assert neutral.norm(dim=1).max() < 1.4
    assert neutral.norm(dim=1).median() < 0.5
    assert points.vectors["bears"].norm() < 0.5


def test_three_sentences_move_bears_to_three_places(points: Plane) -> None:
    attention = SimpleSelfAttention()
    corners = torch.stack([points.landmarks[sense] for sense in SENSES])
    ends = []
    for sense in SENSES:
        words = CANONICAL[sense].split()
        end = attention(points.vectors.lookup(words))[words.index("bears")]
        gaps = (corners - end).norm(dim=1)
        assert gaps.argmin() == SENSES.index(sense)
        assert gaps.sort().values[1] - gaps.min() > 0.5  # not by a hair
        ends.append(end)
    assert torch.pdist(torch.stack(ends)).min() > 1.0


def test_bad_input_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="more words than components per word, got 196 and 196"):
        plane(WordVectors(VOCABULARY, torch.eye(len(VOCABULARY))))
    with pytest.raises(KeyError, match="no vector for 'foxes'"):
        plane(WordVectors(("bears", "the"), torch.eye(2)[:, :1]))
