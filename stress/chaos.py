"""Chaos: the daemon is killed at random instants, while guests start, stop and change; the next one
has to make sense of what it finds.

    chaos.py [--seed N|random] [--seconds N] [--simulated N] [--real N]

Promises, each time the next daemon serves: what was answered before the kill holds; no guest that ran
is disturbed; of what was under way, all is done or nothing; a process is there if and only if its
domain says so; no file, process or socket is left that no domain explains; and the daemon can do
everything again.
"""

import collections
import os
import signal
import sys
import time

from stress import (
    ACTIVE,
    EMULATOR,
    PATIENCE,
    Daemon,
    NoAnswer,
    Run,
    TroupeError,
    behaviour,
    check_disk,
    check_rows,
    processes_of,
    processes_with,
    settled,
    simulated_domain,
    until,
)


def real_domain(name, uuid=""):
    """A guest under QEMU with nothing to boot."""
    uuid = f"<uuid>{uuid}</uuid>" if uuid else ""
    return f"""<domain type='qemu'>
  <name>{name}</name>{uuid}
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <emulator>{EMULATOR}</emulator>
    <console type='pty'/>
    <channel type='unix'><target type='virtio' name='org.troupe.chaos'/></channel>
  </devices>
</domain>
"""


class Known:
    """What we know of one name: what was answered, and what is still open."""

    def __init__(self, name, real):
        self.name, self.real = name, real
        self.exists = self.runs = False  # as last answered
        self.pid = None
        self.persistent = False
        self.open = None  # the verb whose answer has not come
        self.history = collections.deque(maxlen=8)

    def story(self):
        return f"{self.name} ({', '.join(self.history)})"

    def xml(self, random):
        if self.real:
            return real_domain(self.name)
        delays = "".join(
            f"<test:delay op='{op}' ms='{random.randrange(80)}'/>" for op in ("start", "destroy")
        )
        return simulated_domain(self.name, extra=behaviour(delays))


class Chaos:
    def __init__(self, run, daemon):
        self.run, self.daemon, self.random = run, daemon, run.random
        simulated, real = run.options.simulated, run.options.real
        if real and not os.access(EMULATOR, os.X_OK):
            print(f"there is no {EMULATOR}: simulated guests only", flush=True)
            real = 0
        self.all = [Known(f"sim{i}", False) for i in range(simulated)]
        self.all += [Known(f"real{os.getpid()}-{i}", True) for i in range(real)]

    #   Before the kill.

    def next_request(self, known):
        """What could be done with it, as we know it."""
        if not known.exists:
            verb = self.random.choice(["domain.define", "domain.define", "domain.create_xml"])
            return verb, {"xml": known.xml(self.random)}
        verbs = ["domain.create"] * 4 + ["domain.undefine"]
        if known.runs:
            verbs = ["domain.destroy"] * 2 + ["domain.suspend", "domain.resume", "domain.undefine"]
        return self.random.choice(verbs), {"domain": known.name}

    def answered(self, known, verb, message):
        """Takes note. Who was answered sees what it did; of an error, anything may be so."""
        how = "done" if message["kind"] == "reply" else message["error"]["name"]
        self.run.counts[f"{verb} {how}"] += 1
        known.history.append(f"{verb} {how}")
        known.open = None
        self.ask(known)
        seen = {
            "domain.define": known.exists and known.persistent,
            "domain.create": known.runs,
            "domain.create_xml": known.runs,
            "domain.destroy": not known.runs,
            "domain.undefine": not known.persistent,
        }
        if how == "done" and not seen.get(verb, True):
            self.run.violation(f"{known.story()}: the one who asked does not see it")

    def ask(self, known):
        """What is so now."""
        try:
            info = self.client.call("domain.info", domain=known.name, timeout=PATIENCE)
            known.exists, known.runs = True, info["state_text"] in ACTIVE
            known.persistent = info["persistent"]
            self.run.check(known.runs or known.persistent, f"{known.story()}: what is it? {info}")
        except TroupeError as error:
            self.run.check(error.name == "VIR_ERR_NO_DOMAIN", f"domain.info: {error.message}")
            known.exists = known.runs = known.persistent = False

    def throw(self, seconds):
        """Sends requests, one open for each domain, for so long."""
        end = time.monotonic() + seconds
        ids = {}
        while time.monotonic() < end:
            free = [known for known in self.all if not known.open]
            if free and self.random.random() < 0.8:
                known = self.random.choice(free)
                known.open, args = self.next_request(known)
                ids[self.client.send(known.open, deadline=PATIENCE * 1000, **args)] = known
            try:
                message = self.client.wait_any(max(0.001, min(end - time.monotonic(), 0.01)))
            except NoAnswer:
                continue
            known = ids.pop(message["id"])
            self.answered(known, known.open, message)

    def note_processes(self):
        """Of those that were running and are not being changed: their process has to stay."""
        for known in self.all:
            known.pid = None
            if known.real and known.runs and not known.open:
                (known.pid,) = processes_of_name(known.name) or (None,)

    #   Between two daemons.

    def meddle(self):
        """Sometimes a guest ends while nobody looks."""
        victims = [known for known in self.all if known.pid]
        if victims and self.random.random() < 0.2:
            victim = self.random.choice(victims)
            os.kill(victim.pid, signal.SIGKILL)
            victim.pid, victim.runs = None, False
            victim.exists = victim.persistent
            self.run.counts["guests killed while there was no daemon"] += 1

    #   After it.

    def check_known(self, rows):
        by_name = {row["name"]: row for row in rows}
        for known in self.all:
            row = by_name.get(known.name)
            active = bool(row) and row["state_text"] in ACTIVE
            if not known.open:
                story = f"{known.story()}: existed: {known.exists}, ran: {known.runs}, now {row}"
                self.run.check(bool(row) == known.exists, story)
                self.run.check(active == known.runs, story)
            if known.pid and row:
                alive = processes_of_name(known.name) == [known.pid]
                self.run.check(alive, f"{known.story()}: its process {known.pid} is gone")
            if known.open:
                known.history.append(f"{known.open} unanswered")
            known.history.append("killed")
            known.open = None
            known.exists, known.runs = bool(row), active

    def check_processes(self, rows):
        """One process for each guest under QEMU that is active, none else."""
        for known in self.all:
            if not known.real:
                continue
            want = [row["uuid"] for row in rows if row["name"] == known.name and row["state_text"] in ACTIVE]

            def agrees():
                found = processes_of_name(known.name)
                return len(found) == len(want) and all(processes_of(uuid) == found for uuid in want)

            #   A launcher whose daemon was killed before its "go" ends by itself a moment later.
            try:
                until(agrees)
            except AssertionError:
                self.run.violation(f"{known.name}: processes {processes_of_name(known.name)} for {want}")

    def look(self):
        actors = settled(self.client)
        rows = self.client.call("domain.list", all=True, timeout=PATIENCE)
        check_rows(self.run, self.client, rows, actors)
        check_disk(self.run, self.daemon, rows)
        self.check_known(rows)
        self.check_processes(rows)
        for known in self.all:
            known.persistent = any(row["name"] == known.name and row["persistent"] for row in rows)
        return rows

    def round(self):
        self.client = self.daemon.client(timeout=PATIENCE)
        with self.client:
            self.look()
            self.throw(self.random.choice((0.02, 0.1, 0.3, 0.6)) * self.random.random() * 2)
            self.note_processes()
        self.daemon.kill()
        self.run.counts["daemons killed"] += 1
        self.meddle()
        self.daemon.start()

    def end(self):
        """All goes away, and nothing stays."""
        self.client = self.daemon.client(timeout=PATIENCE)
        with self.client:
            rows = self.look()
            for row in rows:
                if row["state_text"] in ACTIVE:
                    self.client.call("domain.destroy", domain=row["uuid"], timeout=PATIENCE)
                if row["persistent"]:
                    self.client.call("domain.undefine", domain=row["uuid"], timeout=PATIENCE)
            until(lambda: not self.client.call("domain.list", all=True), PATIENCE, "an empty list")
            check_disk(self.run, self.daemon, [])
        self.daemon.stop()
        until(lambda: not self.daemon.leftovers(), 10, f"the end of {self.daemon.leftovers()}")


def processes_of_name(name):
    """Process ids of QEMUs with this guest's name, below this test or not: names are ours alone."""
    return processes_with("-name", f"guest={name},debug-threads=on")


def main():
    run = Run(
        "Kills the daemon again and again, at random instants.",
        simulated=(6, "how many simulated guests"),
        real=(3, "how many under QEMU"),
    )
    daemon = Daemon()
    chaos = Chaos(run, daemon)
    try:
        daemon.start()
        while run.on():
            chaos.round()
        chaos.end()
    except Exception as error:
        run.violation(f"{type(error).__name__}: {error}")
    finally:
        if daemon.running():
            daemon.kill()
        for process in daemon.processes():
            os.kill(int(process.split()[0]), signal.SIGKILL)
    return run.finish(daemon)


if __name__ == "__main__":
    sys.exit(main())
