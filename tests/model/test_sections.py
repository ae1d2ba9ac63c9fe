"""The loop of scipy's that filters without the rest of scipy.signal."""

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.signal import butter, sosfilt_zi
from scipy.signal import sosfilt as of_scipy

from model import sections
from model.low_passes import SECTIONS
from model.sections import FloatArray, loop, sosfilt, whole
from model.signals import FILTERS, SAMPLING_RATE

RNG = np.random.default_rng(1)


@pytest.fixture
def fresh() -> Iterator[None]:
    """The loop is looked for anew, before and behind."""
    loop.cache_clear()
    yield
    loop.cache_clear()


@pytest.mark.parametrize("name", FILTERS)
def test_the_numbers_are_those_that_scipy_designs(name: str) -> None:
    order, cutoff = FILTERS[name]
    designed = butter(order, cutoff, btype="low", fs=SAMPLING_RATE, output="sos")
    np.testing.assert_array_equal(SECTIONS[name], np.hstack([designed, sosfilt_zi(designed)]))


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("n_samples", [0, 1, 25])
def test_it_filters_as_scipy_does_to_the_bit(name: str, n_samples: int) -> None:
    assert loop() is not whole
    low_pass = np.array(SECTIONS[name])[:, :6].copy()
    signals = RNG.normal(size=(n_samples, 7)).T  # not contiguous
    state = RNG.normal(size=(7, len(low_pass), 2))
    before = signals.copy(), state.copy()
    filtered, after = sosfilt(low_pass, signals, state)
    if n_samples:  # scipy refuses none
        expected, expected_after = of_scipy(low_pass, signals, axis=1, zi=state.transpose(1, 0, 2))
        np.testing.assert_array_equal(filtered, expected)
        np.testing.assert_array_equal(after, expected_after.transpose(1, 0, 2))
    np.testing.assert_array_equal(signals, before[0])
    np.testing.assert_array_equal(state, before[1])


def idle(_sections: FloatArray, _signals: FloatArray, _state: FloatArray) -> None:
    """Another scipy's, which wants to be called otherwise."""


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("change", [("MODULE", "scipy.signal._nowhere"), ("LOOP", "_nothing"), ("_module", None)])
def test_without_the_loop_scipy_filters(change: tuple[str, str | None], monkeypatch: pytest.MonkeyPatch) -> None:
    name, value = change
    monkeypatch.setattr(sections, name, value or (lambda: type("Module", (), {"_sosfilt": staticmethod(idle)})))
    assert loop() is whole
    low_pass = np.array(SECTIONS["noise"])[:, :6].copy()
    signals, state = RNG.normal(size=(3, 25)), RNG.normal(size=(3, 5, 2))
    by_scipy = sosfilt(low_pass, signals, state)
    loop.cache_clear()
    monkeypatch.undo()
    for given, expected in zip(by_scipy, sosfilt(low_pass, signals, state), strict=True):
        np.testing.assert_array_equal(given, expected)


@pytest.mark.parametrize("order", ["import scipy.signal; use()", "use(); import scipy.signal"])
def test_scipy_signal_can_be_loaded_before_and_behind(order: str) -> None:
    script = (
        "import numpy as np\nfrom model.sections import loop, whole\nfrom model.signals import process\n"
        "def use():\n    global given\n    given = process(np.ones((30, 6)))\n    assert loop() is not whole\n"
        f"{order}\n"
        "from scipy.signal import butter, sosfilt\n"
        "clean = sosfilt(butter(10, 20.0, fs=50, output='sos'), np.append(np.ones(29), 1.0))\n"
        "assert (given[:, 6] == clean).all()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
