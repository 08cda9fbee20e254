"""A storm: many clients define, start, stop and undefine simulated guests with few names, all at once.

    storm.py [--seed N|random] [--seconds N] [--clients N] [--names N]

Promises: every call is answered, once, and not by an internal error; events of each domain come in
an order that makes sense; in the end list, documents, files and actors say the same, also to the next
daemon.
"""

import random
import sys
import threading

from stress import (
    ACTIVE,
    PATIENCE,
    Daemon,
    NoAnswer,
    Run,
    TroupeError,
    behaviour,
    check_disk,
    check_rows,
    settled,
    simulated_domain,
)

#   What a client may hear when others do the opposite at the same time. TIMEOUT is for calls that were
#   given little time.
EXPECTED = {
    "VIR_ERR_NO_DOMAIN",
    "VIR_ERR_OPERATION_INVALID",
    "VIR_ERR_OPERATION_FAILED",
    "VIR_ERR_OPERATION_ABORTED",
    "VIR_ERR_DOM_EXIST",
    "VIR_ERR_RESOURCE_BUSY",
    "VIR_ERR_INVALID_ARG",
}
INJECTED = "a fault of the storm"
WINDOW = 8


class Thrower:
    """One client, which sends whatever comes to its mind."""

    def __init__(self, run, daemon, number):
        self.run, self.daemon = run, daemon
        self.random = random.Random(run.seed * 1000 + number)
        self.names = [f"storm{i}" for i in range(run.options.names)]
        self.open = {}
        self.counts = {}

    def document(self, name):
        chance, settings = self.random.random, ""
        for op in ("start", "destroy", "complete", "suspend"):
            if chance() < 0.3:
                settings += f"<test:delay op='{op}' ms='{self.random.randrange(60)}'/>"
        if chance() < 0.2:
            step = self.random.randrange(1, 4)
            settings += f"<test:fault op='start' step='{step}' message='{INJECTED}'/>"
        if chance() < 0.2:
            settings += f"<test:crash after_ms='{self.random.randrange(200)}'/>"
        if chance() < 0.3:
            settings += f"<test:shutdown after_ms='{self.random.randrange(100)}'/>"
        return simulated_domain(name, extra=behaviour(settings) if settings else "")

    def request(self):
        name = self.random.choice(self.names)
        choices = (
            (20, "domain.define", {"xml": self.document(name)}),
            (6, "domain.create_xml", {"xml": self.document(name)}),
            (25, "domain.create", {"domain": name, "paused": self.random.random() < 0.2}),
            (15, "domain.destroy", {"domain": name}),
            (12, "domain.undefine", {"domain": name}),
            (6, "domain.shutdown", {"domain": name}),
            (5, "domain.suspend", {"domain": name}),
            (5, "domain.resume", {"domain": name}),
            (3, "domain.rename", {"domain": name, "name": self.random.choice(self.names)}),
            (3, "domain.autostart", {"domain": name, "disable": self.random.random() < 0.5}),
            (3, "domain.usage", {"domain": name}),
            (4, "domain.info", {"domain": name}),
            (2, "domain.list", {"all": True}),
        )
        weights = [choice[0] for choice in choices]
        return self.random.choices(choices, weights)[0][1:]

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def take(self, client):
        message = client.wait_any(PATIENCE)
        verb, short = self.open.pop(message["id"])
        error = message.get("error")
        self.count(f"{verb} {error['name'] if error else 'done'}")
        if not error or error["name"] in EXPECTED or INJECTED in error["message"]:
            return
        if not (short and error["name"] == "VIR_ERR_OPERATION_TIMEOUT"):
            self.run.violation(f"{verb}: {error['name']}: {error['message']}")

    def blow(self):
        try:
            with self.daemon.client(timeout=PATIENCE) as client:
                while self.run.on():
                    verb, args = self.request()
                    short = self.random.random() < 0.05
                    deadline = self.random.randrange(1, 30) if short else PATIENCE * 1000
                    self.open[client.send(verb, deadline=deadline, **args)] = (verb, short)
                    while len(self.open) >= self.random.randrange(1, WINDOW + 1):
                        self.take(client)
                while self.open:
                    self.take(client)
                #   A second answer would come soon.
                if client.socket.poll(200):
                    self.run.violation(f"a message that nobody waits for: {client.socket.recv()!r}")
        except NoAnswer as none:
            self.run.violation(f"{none}; open: {list(self.open.values())}")
        except Exception as error:
            self.run.violation(f"{type(error).__name__}: {error}")


class Witness:
    """Follows the lifecycle events of all domains, from the first on."""

    def __init__(self, run, client):
        self.run, self.client = run, client
        self.defined, self.active = {}, set()
        client.call("event.subscribe", verbs=["domain.lifecycle"])

    def take(self, event):
        args = event["args"]
        uuid, what, detail = args["uuid"], args["event_text"], args["detail_text"]
        told = f"event {what} ({detail}) of {args['name']} {uuid}"
        self.run.counts[f"events {what}"] += 1
        if what == "Started":
            self.run.check(uuid not in self.active, f"{told}: it was started already")
            self.active.add(uuid)
        elif what in ("Stopped", "Crashed"):
            self.run.check(uuid in self.active, f"{told}: it was not started")
            self.active.discard(uuid)
        elif what == "Defined":
            self.defined[uuid] = args["name"]
        elif what == "Undefined":
            self.run.check(uuid in self.defined, f"{told}: it was not defined")
            self.defined.pop(uuid, None)

    def read_all(self):
        """Until none came for a while."""
        while True:
            try:
                self.take(self.client.next_event("domain.lifecycle", timeout=0.5))
            except NoAnswer:
                return

    def check(self, rows):
        defined = {row["uuid"]: row["name"] for row in rows if row["persistent"]}
        active = {row["uuid"] for row in rows if row["state_text"] in ACTIVE}
        self.run.check(self.defined == defined, f"events tell of {self.defined}, the list of {defined}")
        self.run.check(self.active == active, f"by events run {self.active}, by the list {active}")


def quieten(client):
    """Ends those guests that would end by themselves while we look."""
    for row in client.call("domain.list", timeout=PATIENCE):
        if "after_ms" in client.call("domain.xml", domain=row["uuid"], timeout=PATIENCE)["xml"]:
            try:
                client.call("domain.destroy", domain=row["uuid"], timeout=PATIENCE)
            except TroupeError as error:
                if error.name not in EXPECTED:
                    raise


def brief(rows):
    keys = ("uuid", "name", "id", "state", "reason", "persistent", "autostart")
    return sorted(tuple(row[key] for key in keys) for row in rows)


def look(run, daemon, client):
    actors = settled(client)
    rows = client.call("domain.list", all=True, timeout=PATIENCE)
    check_rows(run, client, rows, actors)
    check_disk(run, daemon, rows)
    return rows


def blow_all(run, daemon):
    throwers = [Thrower(run, daemon, number) for number in range(run.options.clients)]
    threads = [threading.Thread(target=thrower.blow) for thrower in throwers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for thrower in throwers:
        for what, count in thrower.counts.items():
            run.counts[what] += count


def storm(run, daemon):
    with daemon.start().client(timeout=PATIENCE) as client:
        witness = Witness(run, client)
        blow_all(run, daemon)
        settled(client)
        quieten(client)
        rows = look(run, daemon, client)
        witness.read_all()
        witness.check(rows)
        for actor in client.call("host.actors"):
            run.check(actor["restarts"] == 0, f"{actor['address']} panicked")
    daemon.kill()
    with daemon.start().client(timeout=PATIENCE) as client:
        after = look(run, daemon, client)
        before = [row for row in rows]
        active = {row["uuid"] for row in before if row["state_text"] in ACTIVE}
        for row in before + after:
            if row["uuid"] not in active:
                row["reason"] = None  # why a guest is off is kept as long as the daemon lives
        run.check(brief(before) == brief(after), f"the next daemon sees {brief(after)}, not {brief(before)}")
    daemon.stop()
    run.check(not daemon.leftovers(), f"left behind: {daemon.leftovers()}")


def main():
    run = Run(
        "Many clients, few names, all at once.",
        clients=(8, "how many clients"),
        names=(5, "how many names of domains"),
    )
    daemon = Daemon()
    try:
        storm(run, daemon)
    except Exception as error:
        run.violation(f"{type(error).__name__}: {error}")
    finally:
        if daemon.running():
            daemon.kill()
    return run.finish(daemon)


if __name__ == "__main__":
    sys.exit(main())
