from concurrent.futures import ThreadPoolExecutor

from identity_sources.sandbox import MemoryStore


def test_an_expired_entry_is_gone(store, clock):
    store.set("key", "value", timeout=10)

    clock.advance(9.9)
    assert store.get("key") == "value"
    clock.advance(0.1)
    assert store.get("key") is None


def test_add_leaves_what_is_there(store, clock):
    assert store.add("key", "first", timeout=10)
    assert not store.add("key", "second", timeout=10)
    assert store.get("key") == "first"

    clock.advance(10)

    assert store.add("key", "third", timeout=10)


def test_an_entry_without_a_timeout_stays(store, clock):
    store.set("key", "value", timeout=None)

    clock.advance(10**9)

    assert store.get("key") == "value"


def test_of_many_threads_one_adds():
    store = MemoryStore()

    with ThreadPoolExecutor(16) as threads:
        added = list(threads.map(lambda place: store.add("key", place, 60), range(200)))

    assert added.count(True) == 1


def test_expired_entries_do_not_pile_up(store, clock):
    for place in range(3000):
        store.set(f"key:{place}", place, timeout=1)
        clock.advance(1)

    assert len(store._entries) <= 1001  # noqa: SLF001  memory has no other witness
