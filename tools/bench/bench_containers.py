"""Containers: how long one takes to start and to end, alone and with an interface on a network, and many at once.

    bench_containers.py [ROUNDS]

All in a network namespace of the benchmark's own. libvirtd's LXC driver does the same beside where it is installed,
as in bench_network.py. crun is the limit: a program that starts the same command in the same namespaces and ends,
without a daemon, a record, a network or a console.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading

import bench_network
from bench import Clock, place, spread, verdict
from bench_network import LIBVIRTD, enter_namespace, left_links, libvirt, network_xml, timed
from container import BUSYBOX, container_xml, make_root

AT_ONCE = 24
TARGETS = {"start": 20, "destroy": 30, "rate": 100}
COMMAND = ["/bin/busybox", "sleep", "1000000"]
HIERARCHIES = "/sys/fs/cgroup"


def definition(name, root, network):
    devices = "<console type='pty'/>"
    if network:
        devices += f"<interface type='network'><source network='{network}'/></interface>"
    return container_xml(name, root, init=COMMAND[0], args=COMMAND[1:], devices=devices)


class Troupe(bench_network.Troupe):
    def start_domain(self, name):
        self.client.call("domain.create", domain=name)

    def connections(self, count):
        return [self.daemon.client(timeout=300) for unused in range(count)]

    @staticmethod
    def start_by(client, name):
        client.call("domain.create", domain=name)

    @staticmethod
    def stop_by(client, name):
        client.call("domain.destroy", domain=name)


def hide_second_version():
    """Cgroups of version 2, where version 1 has the controllers: the others want one version only. Mounts are our own."""
    if os.path.ismount(f"{HIERARCHIES}/unified"):
        subprocess.run(["umount", f"{HIERARCHIES}/unified"], check=True)


def machine_cgroups():
    """libvirtd makes them for its containers, and leaves them behind."""
    return {os.path.join(at, "machine") for at, names, unused in os.walk(HIERARCHIES) if "machine" in names}


class Libvirt(bench_network.Libvirt):
    def __init__(self):
        hide_second_version()
        self.before = machine_cgroups()
        super().__init__()

    @staticmethod
    def connect():
        return libvirt.open("lxc:///system")

    def start_domain(self, name):
        self.connection.lookupByName(name).create()

    def connections(self, count):
        return [self.connect() for unused in range(count)]

    @staticmethod
    def start_by(connection, name):
        connection.lookupByName(name).create()

    @staticmethod
    def stop_by(connection, name):
        connection.lookupByName(name).destroy()

    def close(self):
        super().close()
        for path in machine_cgroups() - self.before:
            os.rmdir(path)


class Crun:
    def __init__(self, root, folder):
        hide_second_version()
        self.bundle, self.state = os.path.join(folder, "bundle"), os.path.join(folder, "state")
        os.makedirs(self.bundle)
        subprocess.run(["crun", "spec"], cwd=self.bundle, check=True)
        path = os.path.join(self.bundle, "config.json")
        with open(path) as file:
            spec = json.load(file)
        spec["root"] = {"path": root, "readonly": False}
        spec["process"].update(terminal=False, args=COMMAND)
        with open(path, "w") as file:
            json.dump(spec, file)

    def crun(self, *words):
        #   Its container has the descriptors that it gets.
        with Clock() as clock:
            subprocess.run(
                ["crun", "--root", self.state, *words],
                check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        return clock.ms

    def start(self):
        return self.crun("run", "--detach", "--bundle", self.bundle, "bench")

    def stop(self):
        return self.crun("delete", "--force", "bench")


def at_once(connections, call, names):
    """Milliseconds from the word go to the last answer."""
    barrier = threading.Barrier(len(names) + 1)
    failures = []

    def run(connection, name):
        barrier.wait()
        try:
            call(connection, name)
        except Exception as error:  # told below
            failures.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in zip(connections, names)]
    for thread in threads:
        thread.start()
    barrier.wait()
    with Clock() as clock:
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return clock.ms


def measure_one(side, name, title, rounds):
    side.start_domain(name)  # the first one reads files that nobody had read
    side.stop_domain(name)
    starts, stops = [], []
    for unused in range(rounds):
        starts.append(timed(side.start_domain, name))
        stops.append(timed(side.stop_domain, name))
    print(f"  start, {title:<18} {spread(starts)}")
    print(f"  destroy, {title:<16} {spread(stops)}")
    return statistics.median(starts), statistics.median(stops)


def measure_many(side, names):
    connections = side.connections(len(names))
    begun, ended = [], []
    for unused in range(5):
        begun.append(AT_ONCE * 1000 / at_once(connections, side.start_by, names))
        ended.append(AT_ONCE * 1000 / at_once(connections, side.stop_by, names))
    for connection in connections:
        connection.close()
    print(f"  {AT_ONCE} started at once, a second     median {statistics.median(begun):8.1f}   (of 5)")
    print(f"  {AT_ONCE} destroyed at once, a second   median {statistics.median(ended):8.1f}   (of 5)")
    return statistics.median(begun)


def measure(side_class, root, rounds):
    side = side_class()
    print(f"{side.title}, ms, {rounds} rounds, {place()}")
    try:
        side.define_network(network_xml("one", 0))
        side.start_network("one")
        names = [f"many{i}" for i in range(AT_ONCE)]
        side.define_domain(definition("alone", root, None))
        for name in ["plugged", *names]:
            side.define_domain(definition(name, root, "one"))
        measure_one(side, "alone", "no interface", rounds)
        start, destroy = measure_one(side, "plugged", "on a NAT network", rounds)
        rate = measure_many(side, names)
        side.stop_network("one")
    finally:
        side.close()
    if left_links():
        print(f"  left behind: {' '.join(left_links())}")
    return {"start": start, "destroy": destroy, "rate": rate}


def measure_crun(root, folder, rounds):
    crun = Crun(root, folder)
    starts, stops = [], []
    print(f"crun, ms, {rounds} rounds, {place()}")
    for unused in range(rounds):
        starts.append(crun.start())
        stops.append(crun.stop())
    print(f"  run                       {spread(starts)}")
    print(f"  delete                    {spread(stops)}")


def show_verdict(troupe, other):
    for what, words in (("start", "at most {} ms"), ("destroy", "at most {} ms"), ("rate", "at least {} a second")):
        good = troupe[what] >= TARGETS[what] if what == "rate" else troupe[what] <= TARGETS[what]
        ratio = f"; libvirtd's is {other[what] / troupe[what]:.2f} times that" if other else ""
        print(f"{what}: {words.format(TARGETS[what])}: {verdict(good)}{ratio}")


def measure_all(root, folder, rounds):
    troupe, other = measure(Troupe, root, rounds), None
    if libvirt and os.access(LIBVIRTD, os.X_OK) and os.access("/usr/lib/libvirt/libvirt_lxc", os.X_OK):
        other = measure(Libvirt, root, rounds)
    else:
        print(f"libvirtd is not measured beside it: {LIBVIRTD}, its LXC driver and python3-libvirt are not all installed")
    if shutil.which("crun"):
        measure_crun(root, folder, rounds)
    else:
        print("crun is not measured beside it: it is not installed")
    show_verdict(troupe, other)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    missing = [name for name in ("ip", "nft", "dnsmasq", "busybox") if not shutil.which(name)]
    if missing or not os.access(BUSYBOX, os.X_OK):
        sys.exit(f"not measured: missing {', '.join(missing) or BUSYBOX}")
    enter_namespace()
    with tempfile.TemporaryDirectory(prefix="tb-", dir="/tmp") as folder:
        measure_all(make_root(os.path.join(folder, "root")), folder, rounds)


if __name__ == "__main__":
    main()
