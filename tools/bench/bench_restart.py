"""A killed daemon is started again and adopts what runs: time to the first answer, time to all.

    bench_restart.py [SIMULATED [REAL [TIMES]]]
"""

import os
import sys
import time

from bench import EMULATOR, Clock, Daemon, place, qemu_domain, simulated_domain, spread

PATIENCE = 120


def start_all(client, documents):
    ids = [client.send("domain.create_xml", xml=xml, deadline=PATIENCE * 1000) for xml in documents]
    for id in ids:
        client.wait(id, PATIENCE)


def busy(client):
    """Is any job or load still under way, or anybody of those that ran not running?"""
    return any(actor["address"].startswith("job/") for actor in client.call("host.actors"))


def restart(daemon, count):
    """Milliseconds from exec to the first answer, and to the last adoption."""
    daemon.kill()
    with Clock() as whole:
        with Clock() as first:
            daemon.start()
            client = daemon.client(timeout=PATIENCE)
            client.call("session.ping")
        while busy(client):
            time.sleep(0.001)
    running = [row for row in client.call("domain.list") if row["state_text"] == "running"]
    client.close()
    assert len(running) == count, f"{len(running)} of {count} guests run"
    return first.ms, whole.ms


def measure(what, documents, times):
    daemon = Daemon("--quiet").start()
    try:
        with daemon.client(timeout=PATIENCE) as client:
            start_all(client, documents)
        results = [restart(daemon, len(documents)) for unused in range(times)]
        print(f"  {len(documents):3} of {what}: first answer, ms  {spread([r[0] for r in results])}")
        print(f"  {'':3}    {'':{len(what)}}  all adopted, ms   {spread([r[1] for r in results])}")
        with daemon.client(timeout=PATIENCE) as client:
            for row in client.call("domain.list"):
                client.call("domain.destroy", domain=row["uuid"])
    finally:
        daemon.stop()
        daemon.remove()


def main():
    arguments = [int(argument) for argument in sys.argv[1:]]
    simulated, real, times = arguments + [100, 10, 7][len(arguments) :]
    print(f"restart after kill -9, from exec, {times} times, {place()}")
    measure("the test driver", [simulated_domain(f"guest{i}") for i in range(simulated)], times)
    if os.access(EMULATOR, os.X_OK):
        measure("QEMU", [qemu_domain(f"guest{i}", 16) for i in range(real)], times)


if __name__ == "__main__":
    main()
