"""Virtual networks: how long one takes to start and stop, what an interface of a guest costs, and fifty at once.

    bench_network.py [ROUNDS]

All in a network namespace of the benchmark's own. libvirtd does the same beside where it is installed; the files
of both are on a tmpfs that nobody else sees, as /run is one; its client is python3-libvirt, so no command is started there either.
A plug is what the start of a guest (QEMU, on hold) takes longer with an interface on the network than without
one, in pairs; an unplug the same of its destroy.
"""

import os
import shutil
import statistics
import sys
import threading

from bench import EMULATOR, Clock, Daemon, place, spread
from libvirtd import LIBVIRTD, Libvirtd, enter_namespace, libvirt

AT_ONCE = 50


def network_xml(name, number):
    return f"""<network><name>{name}</name><forward mode='nat'/><bridge stp='off'/>
  <ip address='10.77.{number}.1' netmask='255.255.255.0'>
    <dhcp><range start='10.77.{number}.10' end='10.77.{number}.99'/></dhcp>
  </ip>
</network>"""


def domain_xml(name, network):
    plug = f"<interface type='network'><source network='{network}'/><model type='virtio'/></interface>"
    return f"""<domain type='qemu'>
  <name>{name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><emulator>{EMULATOR}</emulator>{plug if network else ""}</devices>
</domain>"""


def threads_at_once(calls):
    failures = []

    def run(call):
        try:
            call()
        except Exception as error:  # told below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Troupe:
    title = "troupe"

    def __init__(self):
        self.daemon = Daemon("--quiet").start()
        self.client = self.daemon.client(timeout=300)

    def define_network(self, xml):
        self.client.call("network.define", xml=xml)

    def start_network(self, name):
        self.client.call("network.create", network=name)

    def stop_network(self, name):
        self.client.call("network.destroy", network=name)

    def many(self, verb, names):
        def one(name):
            with self.daemon.client(timeout=300) as client:
                client.call(verb, network=name)

        threads_at_once([lambda name=name: one(name) for name in names])

    def start_many(self, names):
        self.many("network.create", names)

    def stop_many(self, names):
        self.many("network.destroy", names)

    def define_domain(self, xml):
        self.client.call("domain.define", xml=xml)

    def start_domain(self, name):
        self.client.call("domain.create", domain=name, paused=True)

    def stop_domain(self, name):
        self.client.call("domain.destroy", domain=name)

    def close(self):
        for noun in ("domain", "network"):  # what was cut short
            for each in self.client.call(f"{noun}.list"):
                self.client.call(f"{noun}.destroy", **{noun: each["uuid"]})
        self.client.close()
        self.daemon.stop()
        self.daemon.remove()


class Libvirt(Libvirtd):
    title = "libvirtd"

    def define_network(self, xml):
        self.connection.networkDefineXML(xml)

    def start_network(self, name):
        self.connection.networkLookupByName(name).create()

    def stop_network(self, name):
        self.connection.networkLookupByName(name).destroy()

    def many(self, method, names):
        def one(name):
            connection = self.connect()
            getattr(connection.networkLookupByName(name), method)()
            connection.close()

        threads_at_once([lambda name=name: one(name) for name in names])

    def start_many(self, names):
        self.many("create", names)

    def stop_many(self, names):
        self.many("destroy", names)

    def define_domain(self, xml):
        self.connection.defineXML(xml)

    def start_domain(self, name):
        self.connection.lookupByName(name).createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)

    def stop_domain(self, name):
        self.connection.lookupByName(name).destroy()

    def close(self):
        for network in self.connection.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE):
            network.destroy()  # of what was cut short
        super().close()


def timed(call, *args):
    with Clock() as clock:
        call(*args)
    return clock.ms


def measure_networks(side, rounds):
    side.define_network(network_xml("one", 0))
    starts, stops = [], []
    for unused in range(rounds):
        starts.append(timed(side.start_network, "one"))
        stops.append(timed(side.stop_network, "one"))
    print(f"  start of a network       {spread(starts)}")
    print(f"  its end                  {spread(stops)}")


def measure_plugs(side, rounds):
    side.start_network("one")
    for name, network in (("plugged", "one"), ("alone", None)):
        side.define_domain(domain_xml(name, network))
        side.start_domain(name)  # the first probes the emulator
        side.stop_domain(name)
    plugs, unplugs = [], []
    for unused in range(rounds):
        more = [timed(side.start_domain, name) for name in ("plugged", "alone")]
        plugs.append(more[0] - more[1])
        less = [timed(side.stop_domain, name) for name in ("plugged", "alone")]
        unplugs.append(less[0] - less[1])
    side.stop_network("one")
    print(f"  a plug                   {spread(plugs)}")
    print(f"  an unplug                {spread(unplugs)}")


def measure_many(side):
    names = [f"many{i}" for i in range(1, AT_ONCE + 1)]
    for i, name in enumerate(names):
        side.define_network(network_xml(name, i + 1))
    begun, ended = [], []
    for unused in range(3):
        begun.append(timed(side.start_many, names))
        ended.append(timed(side.stop_many, names))
    print(f"  {AT_ONCE} started at once       median {statistics.median(begun):8.2f}   (of 3)")
    print(f"  {AT_ONCE} ended at once         median {statistics.median(ended):8.2f}   (of 3)")


def left_links():
    return [name for name in os.listdir("/sys/class/net") if name != "lo" and
            os.path.exists(f"/sys/class/net/{name}/ifindex")]


def measure(side_class, rounds):
    side = side_class()
    print(f"{side.title}, ms, {rounds} rounds, {place()}")
    try:
        measure_networks(side, rounds)
        if os.access(EMULATOR, os.X_OK):
            measure_plugs(side, rounds)
        else:
            print(f"  plugs are not measured: there is no {EMULATOR}")
        measure_many(side)
    finally:
        side.close()
    if left_links():
        print(f"  left behind: {' '.join(left_links())}")


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    missing = [name for name in ("ip", "nft", "dnsmasq") if not shutil.which(name)]
    if missing:
        sys.exit(f"not measured: missing {', '.join(missing)}")
    enter_namespace()
    measure(Troupe, rounds)
    if Libvirtd.installed():
        measure(Libvirt, rounds)
    else:
        print(f"libvirtd is not measured beside it: {LIBVIRTD} and python3-libvirt are not both installed")


if __name__ == "__main__":
    main()
