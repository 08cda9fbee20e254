"""Containers: many start at once while others make and remove links of the same names; then the daemon,
supervisors and inits are killed at random instants.

    containers.py [--seed N|random] [--containers N] [--rounds N]

All in a network namespace of its own. Promises: no start or destroy fails; who is not hit goes on with the same
init; who is hit is shut off, and why is known; whatever ended has no process, link, port, cgroup or file, and in
the end nothing is left.
"""

import collections
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time

from stress import ACTIVE, PATIENCE, Daemon, NoAnswer, Run, TroupeError, files_below, settled, until

from container import container_xml, make_root  # noqa: E402
from netns import Namespace  # noqa: E402
from network import usable  # noqa: E402

NETWORK = """<network><name>crowd</name><forward mode='nat'/><bridge stp='off'/>
  <ip address='10.78.0.1' netmask='255.255.0.0'/>
</network>"""
INTERFACES = 2
PLUG = "<interface type='network'><source network='crowd'/></interface>"
OTHERS_GROUP = 4711  # of links; the peers of its veths go with them
#   One who has the kernel choose names, and one who chooses names as if nobody else did.
OTHERS = f"""while :; do
  for i in 0 1 2 3 4 5 6 7 8 9; do
    n=$(((n + 37) % 256))
    ip link add name vnet%d group {OTHERS_GROUP} type veth peer name vnet%d
    ip link add name vnet$n group {OTHERS_GROUP} type veth peer name vnet%d
  done
  ip link delete group {OTHERS_GROUP}
  echo
done"""


class Cleanups(contextlib.ExitStack):
    """What a test has; a namespace is made for one."""

    addCleanup = contextlib.ExitStack.callback


class Others:
    """Make and remove links vnet0, vnet1, ... in SPACE, as long as the block lasts."""

    def __init__(self, run, space):
        self.run, self.space = run, space

    def __enter__(self):
        command = [*self.space.within, "sh", "-c", OTHERS]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self.process.stdout.readline()

    def __exit__(self, *unused):
        #   It and the command that it runs; theirs is the session.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.run.counts["times that others made and removed links"] += self.process.stdout.read().count(b"\n")
        self.process.stdout.close()
        self.process.wait()
        subprocess.run(
            [*self.space.within, "ip", "link", "delete", "group", str(OTHERS_GROUP)], stderr=subprocess.DEVNULL
        )


class Container:
    """What we know of one."""

    def __init__(self, name):
        self.name = name
        self.uuid = None
        self.state = None  # as last answered: running, paused; None: it is off
        self.init = None  # its identity, while nobody has asked for anything else
        self.open = None  # the verb whose answer has not come
        self.hit = None  # what of it was killed in this round
        self.disturbed = False  # while it was hit something was asked of it
        self.reasons = ()  # why it may be off then
        self.history = collections.deque(maxlen=10)

    def story(self):
        return f"{self.name} ({', '.join(self.history)})"


def words_of(pid):
    """The command of a process, as words; none if it is over."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def is_supervisor(pid, name):
    words = words_of(pid)
    return len(words) == 2 and words[0].endswith("/troupe-container") and words[1] == name


def pids():
    return [int(pid) for pid in filter(str.isdigit, os.listdir("/proc"))]


def supervisors(names):
    """pids by name. Names are this run's alone. Init has its command until it executes its own."""
    found = collections.defaultdict(list)
    for pid in pids():
        words = words_of(pid)
        if words[1:] and words[1] in names and is_supervisor(pid, words[1]):
            found[words[1]].append(pid)
    for name, mine in found.items():
        found[name] = [pid for pid in mine if not set(mine) & {parent_of(pid)}]
    return found


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def kill(pid, still):
    """Kills the process if it is what STILL says, and not another that has its number."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not still(pid):
            return False
        signal.pidfd_send_signal(fd, signal.SIGKILL)
        return True
    except OSError:
        return False
    finally:
        os.close(fd)


class Containers:
    def __init__(self, run, cleanups):
        self.run, self.random = run, run.random
        self.space = Namespace(cleanups)
        self.daemon = Daemon()
        self.daemon.within = self.space.within
        self.root = make_root(os.path.join(self.daemon.root, "root"))
        self.all = [Container(f"crowd{os.getpid()}-{i}") for i in range(run.options.containers)]

    def define(self):
        self.daemon.start()
        devices = "<console type='pty'/>" + INTERFACES * PLUG
        with self.daemon.client() as client:
            client.call("network.define", xml=NETWORK)
            client.call("network.create", network="crowd")
            for each in self.all:
                xml = container_xml(each.name, self.root, devices=devices)
                each.uuid = client.call("domain.define", xml=xml)["uuid"]
        self.bridges = set(self.space.links())
        self.instance = re.search(r"instance (\w+)", self.daemon.log()).group(1)

    #   All at once.

    def at_once(self, verb):
        """Each by a client of its own."""
        barrier = threading.Barrier(len(self.all) + 1)

        def ask(each):
            try:
                with self.daemon.client(timeout=10 * PATIENCE) as client:
                    client.call("host.version")
                    barrier.wait()
                    client.call(verb, domain=each.name, deadline=10 * PATIENCE * 1000)
            except (TroupeError, NoAnswer) as error:
                self.run.violation(f"{verb} {each.name}: {error}")

        threads = [threading.Thread(target=ask, args=(each,)) for each in self.all]
        for thread in threads:
            thread.start()
        barrier.wait()
        begun = time.monotonic()
        for thread in threads:
            thread.join()
        took = time.monotonic() - begun
        print(f"  {verb}: {len(self.all)} at once in {took:.1f} s", flush=True)

    def crowd(self):
        with Others(self.run, self.space):
            self.at_once("domain.create")
        with self.daemon.client() as client:
            self.look(client, [each.name for each in self.all])
        with Others(self.run, self.space):
            self.at_once("domain.destroy")
        with self.daemon.client() as client:
            self.look(client, [])

    #   Chaos.

    def next_request(self, each):
        if not each.state:
            return "domain.create", {"paused": self.random.random() < 0.1}
        other = "domain.suspend" if each.state == "running" else "domain.resume"
        return self.random.choice(["domain.destroy", other]), {}

    def answered(self, each, message):
        verb, each.open = each.open, None
        error = message.get("error")
        how = error["name"] if error else "done"
        self.run.counts[f"{verb} {how}"] += 1
        each.history.append(f"{verb} {how}")
        if error and not each.hit:
            self.run.violation(f"{each.story()}: {verb}: {error['message']}")
        info = self.client.call("domain.info", domain=each.uuid, timeout=PATIENCE)
        each.state = info["state_text"] if info["state_text"] in ACTIVE else None
        each.init = self.init_of(each) if each.state else None

    def init_of(self, each):
        try:
            with open(os.path.join(self.daemon.root, "run", "troupe", "lxc", f"{each.uuid}.init")) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def strike(self):
        """Kills the supervisor or the init of somebody."""
        running = supervisors({each.name for each in self.all if not each.hit})
        victims = [each for each in self.all if running.get(each.name) and not each.hit]
        if not victims:
            return
        each = self.random.choice(victims)
        (supervisor, *unused) = running[each.name]
        what, pid, still = "supervisor", supervisor, lambda pid: is_supervisor(pid, each.name)
        children = children_of(supervisor)
        if children and self.random.random() < 0.5:
            what, pid, still = "init", children[0], lambda pid: parent_of(pid) == supervisor
        if kill(pid, still):
            each.hit, each.disturbed, each.reasons = what, bool(each.open), ("crashed",)
            each.history.append(f"{what} killed" + (f" during {each.open}" if each.open else ""))
            self.run.counts[f"{what}s killed"] += 1

    def throw(self, seconds, strikes):
        """Sends requests, one open for each container, for so long. Who was hit is left alone."""
        end = time.monotonic() + seconds
        blows = sorted(time.monotonic() + self.random.random() * seconds for unused in range(strikes))
        ids = {}
        while time.monotonic() < end:
            free = [each for each in self.all if not each.open and not each.hit]
            if free and self.random.random() < 0.8:
                each = self.random.choice(free)
                each.open, args = self.next_request(each)
                each.init = None
                ids[self.client.send(each.open, deadline=PATIENCE * 1000, domain=each.uuid, **args)] = each
            if blows and time.monotonic() >= blows[0]:
                blows.pop(0)
                self.strike()
            try:
                message = self.client.wait_any(max(0.001, min(end - time.monotonic(), 0.005)))
            except NoAnswer:
                continue
            self.answered(ids.pop(message["id"]), message)
        return ids

    def drain(self, ids):
        while ids:
            message = self.client.wait_any(PATIENCE)
            self.answered(ids.pop(message["id"]), message)

    def round(self):
        killed = self.random.random() < 0.7
        seconds = 0.05 + self.random.random() ** 2 * 1.5
        with self.daemon.client(timeout=PATIENCE) as self.client:
            with Others(self.run, self.space):
                ids = self.throw(seconds, self.random.randrange(1, 6))
                if not killed:
                    self.drain(ids)
            if killed:
                self.kill_daemon()
        if killed:
            for unused in range(self.random.randrange(3)):
                self.strike()
            self.daemon.start()
        with self.daemon.client(timeout=PATIENCE) as client:
            self.check_known(client)

    def kill_daemon(self):
        """What it knew of those that ended goes with it: why a domain is off is on no disk."""
        self.daemon.kill()
        self.run.counts["daemons killed"] += 1
        for each in self.all:
            if each.hit:
                each.reasons = ("crashed", "unknown")

    def check_known(self, client):
        settled(client)
        if any(each.hit for each in self.all):
            #   That a process ended is heard of a moment later.
            until(lambda: self.hits_are_known(client), PATIENCE, "the end of those that were hit")
            settled(client)
        infos = {each.name: client.call("domain.info", domain=each.uuid) for each in self.all}
        self.look(client, [name for name, info in infos.items() if info["state_text"] in ACTIVE])
        for each in self.all:
            self.check_one(each, infos[each.name])

    def hits_are_known(self, client):
        rows = {row["uuid"]: row["state_text"] for row in client.call("domain.list", all=True)}
        return not any(each.hit and rows[each.uuid] in ACTIVE for each in self.all)

    def check_one(self, each, info):
        state = info["state_text"] if info["state_text"] in ACTIVE else None
        if each.hit and not each.disturbed and not each.open:
            self.run.check(
                info["reason_text"] in each.reasons, f"{each.story()}: its {each.hit} was killed; why it is off: {info}"
            )
        elif not each.hit and not each.open:
            self.run.check(state == each.state, f"{each.story()}: it was {each.state} and is {info}")
            if each.init:
                init = self.init_of(each)
                self.run.check(init == each.init, f"{each.story()}: its init {each.init} is now {init}")
        if each.open:
            each.history.append(f"{each.open} unanswered")
        each.open = each.hit = None
        each.state, each.init = state, self.init_of(each) if state else None

    #   What is there.

    def look(self, client, active):
        """Of these containers all there has to be; of all else nothing."""
        uuids = {each.name: each.uuid for each in self.all}
        want = {uuids[name] for name in active}
        found = supervisors(set(uuids))
        for each in self.all:
            count = len(found.get(each.name, []))
            self.run.check(count == (each.name in active), f"{each.story()}: it has {count} supervisors")
        self.check_inits(want)
        until(lambda: self.inside() == len(active) or self.run.violations, PATIENCE, "no stray process")
        self.check_links(client, want)
        self.check_cgroups(want)
        have = {path for path in files_below(self.daemon, "run/troupe/lxc") if "/" not in path}
        names = {f"{uuid}.{kind}" for uuid in want for kind in ("status", "monitor", "init", "enter")}
        self.run.check(have == names, f"files in run/troupe/lxc: {sorted(have ^ names)} too many or missing")

    def check_inits(self, want):
        for each in self.all:
            if each.uuid in want:
                pid = int((self.init_of(each) or "0").split(":")[0])
                running = parent_of(pid) and is_supervisor(parent_of(pid), each.name)
                self.run.check(running, f"{each.story()}: its init {pid} does not run")

    def inside(self):
        """How many mount namespaces with a container's root have a process."""
        spaces = set()
        for pid in pids():
            try:
                with open(f"/proc/{pid}/mountinfo") as file:
                    if f" {self.root} / " in file.read():
                        spaces.add(os.readlink(f"/proc/{pid}/ns/mnt"))
            except OSError:
                continue
        return len(spaces)

    def check_links(self, client, want):
        rows = [row for row in client.call("link.list") if row["owner"].startswith("domain/")]
        owners = collections.Counter(row["owner"] for row in rows)
        expected = {f"domain/{uuid}": INTERFACES for uuid in want}
        self.run.check(owners == expected, f"links on record: {owners}, not {expected}")
        known = {row["name"] for row in rows}
        have = {name for name in self.space.links()} - self.bridges
        self.run.check(have == known, f"links {sorted(have - known)} too many, {sorted(known - have)} missing")
        ports = client.call("network.ports", network="crowd")
        self.run.check(len(ports) == INTERFACES * len(want), f"{len(ports)} ports for {len(want)} containers")

    def check_cgroups(self, want):
        for folder in cgroups(self.instance):
            have = {name for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name))}
            self.run.check(have <= want, f"{folder}: {sorted(have - want)} are left")

    def end(self):
        with self.daemon.client(timeout=PATIENCE) as client:
            for each in self.all:
                if each.state:
                    client.call("domain.destroy", domain=each.uuid)
            settled(client)
            self.look(client, [])
            for actor in client.call("host.actors"):
                self.run.check(actor["restarts"] == 0, f"{actor['address']} panicked")
            for each in self.all:
                client.call("domain.undefine", domain=each.uuid)
            client.call("network.destroy", network="crowd")
            client.call("network.undefine", network="crowd")
        self.run.check(not cgroups(self.instance), f"cgroups {cgroups(self.instance)} are left")
        until(lambda: self.space.links() == ["lo"], PATIENCE, "the end of all links")
        self.daemon.stop()
        until(lambda: not self.daemon.leftovers(), PATIENCE, f"the end of {self.daemon.leftovers()}")

    def clear(self):
        """After a run that found something: nothing of it may stay on the machine."""
        if self.daemon.running():
            self.daemon.kill()
        for mine in supervisors({each.name for each in self.all}).values():
            for pid in mine:
                os.kill(pid, signal.SIGKILL)
        for process in self.daemon.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.split()[0]), signal.SIGKILL)


def cgroups(instance):
    found = []
    for at, names, unused in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(at, name) for name in names if name == f"troupe-{instance}"]
    return found


def chaos(run, containers):
    containers.define()
    containers.crowd()
    begun = time.monotonic()
    done = 0
    while done < run.options.rounds and not run.violations:
        containers.round()
        done += 1
    print(f"  {done} rounds in {time.monotonic() - begun:.1f} s", flush=True)
    if not run.violations:
        containers.end()


def main():
    run = Run(
        "Many containers at once, and many killed.",
        containers=(100, "how many containers"),
        rounds=(50, "how many rounds of chaos"),
    )
    if not usable():
        print("not run: this machine does not let us make network namespaces")
        return 0
    with Cleanups() as cleanups:
        containers = Containers(run, cleanups)
        try:
            chaos(run, containers)
        except Exception as error:
            run.violation(f"{type(error).__name__}: {error}")
        finally:
            containers.clear()
    return run.finish(containers.daemon)


if __name__ == "__main__":
    sys.exit(main())
