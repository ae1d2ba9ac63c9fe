"""What a phone costs in memory."""

from benchmarks.memory import allocated

MOST_KIB = 32.0


def test_a_phone_costs_little_memory_where_nothing_is_drawn() -> None:
    found = allocated(12, dashboard=False)
    found.pop("rest")  # of the process, more than of its phones
    kib = {name: size / 1024 for name, size in found.items()}
    assert kib["windows: held, ready, compared"] > 4.5  # the last 128 samples of nine channels
    assert sum(kib.values()) < MOST_KIB, kib
