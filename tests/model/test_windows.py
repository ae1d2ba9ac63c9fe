"""The sliding window: which samples are in which window, whatever the chunking."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.windows import HOP, WINDOW_LENGTH, Window, WindowSlicer, cut


def stream(n_samples: int, n_channels: int = 9) -> np.ndarray:
    """Every value says where it comes from."""
    return np.arange(n_samples * n_channels, dtype=np.float64).reshape(n_samples, n_channels)


def assert_same(windows: list[Window], expected: list[Window]) -> None:
    assert [w.start_sample for w in windows] == [w.start_sample for w in expected]
    for window, other in zip(windows, expected, strict=True):
        np.testing.assert_array_equal(window.values, other.values)


@pytest.mark.parametrize("boundary", [WINDOW_LENGTH + k * HOP for k in range(5)])
def test_a_window_is_complete_with_its_last_sample(boundary: int) -> None:
    counts = [len(WindowSlicer().push(stream(n))) for n in (boundary - 1, boundary, boundary + 1)]
    n_complete = (boundary - WINDOW_LENGTH) // HOP + 1
    assert counts == [n_complete - 1, n_complete, n_complete]


def test_the_last_full_window_is_there() -> None:
    samples = stream(WINDOW_LENGTH + 3 * HOP)
    last = WindowSlicer().push(samples)[-1]
    assert last.start_sample == 3 * HOP
    np.testing.assert_array_equal(last.values, samples[-WINDOW_LENGTH:])


@given(
    n_samples=st.integers(0, 400),
    window_length=st.integers(1, 40),
    data=st.data(),
)
def test_windows_are_slices_for_any_length_hop_and_chunking(
    n_samples: int, window_length: int, data: st.DataObject
) -> None:
    hop = data.draw(st.integers(1, window_length))
    cuts = data.draw(st.lists(st.integers(0, n_samples), max_size=20).map(sorted))
    samples = stream(n_samples, 2)
    slicer = WindowSlicer(window_length, hop, 2)
    windows = [w for a, b in pairwise([0, *cuts, n_samples]) for w in slicer.push(samples[a:b])]
    starts = range(0, n_samples - window_length + 1, hop)
    assert_same(windows, [Window(s, samples[s : s + window_length].astype(np.float32)) for s in starts])


@pytest.mark.parametrize("size", [1, HOP - 1, HOP, HOP + 1, WINDOW_LENGTH, 3 * HOP])
def test_even_chunks_give_the_same_windows(size: int) -> None:
    samples = stream(1000)
    slicer = WindowSlicer()
    windows = [w for at in range(0, len(samples), size) for w in slicer.push(samples[at : at + size])]
    assert_same(windows, WindowSlicer().push(samples))


def test_windows_do_not_share_memory() -> None:
    first, second = WindowSlicer().push(stream(WINDOW_LENGTH + HOP))
    before = second.values.copy()
    first.values[:] = -1
    np.testing.assert_array_equal(second.values, before)


def test_reset_drops_what_is_held_and_sets_the_count() -> None:
    slicer, samples = WindowSlicer(), stream(WINDOW_LENGTH)
    slicer.push(stream(WINDOW_LENGTH - 1) + 7)
    slicer.reset(start_sample=1000)
    assert_same(slicer.push(samples), [Window(1000, samples.astype(np.float32))])


@pytest.mark.parametrize("n_samples", [0, 127, 128, 500])
def test_cut_is_the_slicer_as_a_batch(n_samples: int) -> None:
    windows = cut(stream(n_samples))
    expected = [w.values for w in WindowSlicer().push(stream(n_samples))]
    assert windows.shape == (len(expected), WINDOW_LENGTH, 9)
    assert windows.dtype == np.float32
    np.testing.assert_array_equal(windows, np.array(expected, np.float32).reshape(windows.shape))


@pytest.mark.parametrize(("window_length", "hop"), [(128, 0), (128, 129), (0, 0), (10, -1)])
def test_impossible_lengths_are_refused(window_length: int, hop: int) -> None:
    with pytest.raises(ValueError, match="1 <= hop <= window_length"):
        WindowSlicer(window_length, hop)
