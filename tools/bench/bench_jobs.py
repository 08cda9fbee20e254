"""What a job and a hung hypervisor cost those who only ask: queries during a save and during a migration (of
both daemons), and statistics of a fleet of which one QEMU is stopped. And what waits behind a job: 200 changes of one domain during a save.

    bench_jobs.py [FLEET [BUDGET_MS [TIMES]]]
"""

import os
import signal
import statistics
import sys

from bench import (
    Clock,
    Daemon,
    TroupeError,
    behaviour,
    cpu_ms,
    place,
    processes_of,
    qemu_domain,
    simulated_domain,
    spread,
    until,
    verdict,
)

SLOW = 500000  # bytes a second: a job takes until all queries were asked
QUERIES = 2000
QUEUED = 200
PATIENCE = 120


def ask(client, domain):
    """Milliseconds of each of many queries of state, one after another."""
    times = []
    for unused in range(QUERIES):
        with Clock() as clock:
            client.call("domain.state", domain=domain)
        times.append(clock.ms)
    return times


def p99(times):
    return sorted(times)[int(len(times) * 0.99)]


def show(title, idle, during):
    ratio = statistics.median(during) / statistics.median(idle)
    print(f"  {title:32}{spread(during)}   p99 {p99(during):.2f}")
    print(f"  ratio of the medians {ratio:.2f}: {verdict(ratio <= 2)} (at most 2); "
          f"p99 {verdict(p99(during) <= 5)} (at most 5 ms)")


def queries_during(client, what, verb, asked, **args):
    """Of ASKED, clients by title, while VERB is carried out on a busy guest."""
    client.call("domain.create_xml", xml=qemu_domain("busy", memory_mib=512))
    idle = ask(client, "busy")
    print(f"  domain.state, idle, ms          {spread(idle)}   p99 {p99(idle):.2f}")
    id = client.send(verb, deadline=PATIENCE * 1000, domain="busy", bandwidth=SLOW, **args)
    until(lambda: client.call("domain.job_info", domain="busy").get("done", 0) > 0, 30, "the " + what)
    for title, other in asked.items():
        show(title, idle, ask(other, "busy"))
    still = client.call("domain.job_info", domain="busy")["kind"] == what
    client.call("domain.job_abort", domain="busy")
    try:
        client.wait(id, PATIENCE)
    except TroupeError:  # it was called off
        pass
    if not still:
        print(f"  (the {what} was over before the last query)")
    client.call("domain.destroy", domain="busy")


def queries_during_a_migration(client):
    other = Daemon("--quiet").start()
    try:
        with other.client(timeout=PATIENCE) as there:
            queries_during(client, "migrate", "domain.migrate",
                           {"during a migration, its source": client, "its destination": there},
                           peer=other.endpoint(), live=True)
            until(lambda: not there.call("domain.list"), 30, "the receiver's end")
    finally:
        other.stop()
        other.remove()


def queued_requests(client, daemon):
    """A simulated guest's save, and changes of its title that come meanwhile."""
    slow = behaviour("<test:delay op='save' ms='3000'/>")
    uuid = client.call("domain.define", xml=simulated_domain("queued", extra=slow))["uuid"]
    client.call("domain.create", domain=uuid)
    save = client.send("domain.managed_save", domain=uuid)
    until(lambda: client.call("domain.job_info", domain=uuid)["kind"], 10, "the save")
    used = cpu_ms(daemon.process.pid)
    with Clock() as queueing:
        ids = [client.send("domain.metadata_set", domain=uuid, type="title", value=str(i)) for i in range(QUEUED)]
        until(lambda: len(client.call("domain.jobs", domain=uuid)) == QUEUED + 1, 30, "all in the queue")
    used = cpu_ms(daemon.process.pid) - used
    asked = ask(client, uuid)
    client.wait(save, PATIENCE)
    with Clock() as working:
        order = [client.wait_any(PATIENCE)["id"] for unused in ids]
    title = client.call("domain.metadata_get", domain=uuid, type="title")["metadata"]
    print(f"  {QUEUED} requests in one queue, ms    {queueing.ms:7.1f}   daemon's CPU, ms {used:.0f}")
    print(f"  domain.state meanwhile, ms      {spread(asked)}   p99 {p99(asked):.2f}")
    print(f"  from the save's end to the last answer, ms  {working.ms:.1f}")
    right = order == ids and title == str(QUEUED - 1) and not client.answers
    print(f"  each answered once, in order: {verdict(right)}")


def statistics_of_a_fleet(client, fleet, budget, times):
    uuids = []
    for i in range(fleet):
        uuids.append(client.call("domain.create_xml", xml=qemu_domain(f"guest{i}"))["uuid"])

    def measure():
        with Clock() as clock:
            rows = client.call("domain.stats", budget=budget)
        return clock.ms, sum(row["stale"] for row in rows)

    measure()
    whole = [measure() for unused in range(times)]
    (pid,) = processes_of(uuids[0])
    os.kill(pid, signal.SIGSTOP)
    hung = [measure() for unused in range(times)]
    os.kill(pid, signal.SIGCONT)
    for uuid in uuids:
        client.call("domain.destroy", domain=uuid)
    median = statistics.median(ms for ms, unused in hung)
    print(f"  {fleet} guests, all answering, ms     {spread([ms for ms, unused in whole])}")
    print(f"  one of them stopped, ms         {spread([ms for ms, unused in hung])}")
    print(f"  budget {budget} ms: {verdict(median <= budget + 50)} (at most {budget + 50}); "
          f"stale: {statistics.median(stale for unused, stale in hung):.0f} of {fleet}")


def main():
    arguments = [int(argument) for argument in sys.argv[1:]]
    fleet, budget, times = arguments + [24, 200, 9][len(arguments) :]
    print(f"jobs and a hung hypervisor, {place()}")
    daemon = Daemon("--quiet").start()
    try:
        with daemon.client(timeout=PATIENCE) as client:
            queued_requests(client, daemon)
            path = daemon.root + "/busy.save"
            queries_during(client, "save", "domain.save", {"during a save": client}, path=path)
            queries_during_a_migration(client)
            statistics_of_a_fleet(client, fleet, budget, times)
    finally:
        daemon.stop()
        daemon.remove()


if __name__ == "__main__":
    main()
