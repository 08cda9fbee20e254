"""A thousand defined domains of the test driver: define, list, memory.

    bench_domains.py [COUNT]
"""

import sys

from bench import Clock, Daemon, place, resident_kib, simulated_domain, spread, until, verdict

UNDER_WAY = 64
DEFINES_A_SECOND = 1000
LIST_MS = 3


def define_all(client, documents):
    """All of them, so many at once; milliseconds."""
    with Clock() as clock:
        open_ids = []
        for document in documents:
            open_ids.append(client.send("domain.define", xml=document))
            if len(open_ids) >= UNDER_WAY:
                client.wait(open_ids.pop(0))
        for id in open_ids:
            client.wait(id)
    return clock.ms


def list_all(client):
    """Milliseconds until the answer is here, not counting what Python takes to unpack it."""
    with Clock() as clock:
        client.send("domain.list", all=True)
        client.socket.poll()
    answer = client.wait(client.last_id)
    return clock.ms, len(answer)


def resident(daemon, client):
    """When all threads rest."""
    until(lambda: not any(a["address"].startswith("job/") for a in client.call("host.actors")), 30)
    return resident_kib(daemon.process.pid)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    documents = [simulated_domain(f"guest{number:05}") for number in range(count)]
    daemon = Daemon("--quiet").start()
    try:
        with daemon.client(timeout=120) as client:
            before = resident(daemon, client)
            rate = count * 1000 / define_all(client, documents)
            each = (resident(daemon, client) - before) / count
            lists = [list_all(client) for unused in range(50)]
    finally:
        daemon.stop()
        daemon.remove()
    assert all(length == count for unused, length in lists)
    times = [ms for ms, unused in lists]
    middle = sorted(times)[len(times) // 2]
    print(f"{count} defined domains of the test driver, {place()}")
    print(f"  define           {rate:8.0f} a second, {UNDER_WAY} under way: "
          f"{verdict(rate >= DEFINES_A_SECOND)} (at least {DEFINES_A_SECOND})")
    print(f"  list all, ms     {spread(times)}: {verdict(middle <= LIST_MS)} (at most {LIST_MS})")
    print(f"  resident         {each:8.0f} KiB a domain")


if __name__ == "__main__":
    main()
