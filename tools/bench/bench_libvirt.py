"""What libvirt's own client (python3-libvirt) has to wait for: of troupe, and of libvirtd where it is installed.

    bench_libvirt.py [ROUNDS]

Both serve the same at the same time: RUNNING guests under QEMU that have nothing to boot, and as many others as to have
LISTED domains. Of each question a few are asked of the one, then of the other, and so on, so that what else the machine
does burdens both. All is in namespaces of the benchmark's own.
"""

import multiprocessing
import os
import statistics
import sys
import time

from bench import EMULATOR, Daemon, place
from libvirtd import LIBVIRTD, Libvirtd, enter_namespace, libvirt

RUNNING = 24
LISTED = 500
CLIENTS = 8
SECONDS = 2


def domain_xml(number):
    return f"""<domain type='qemu'>
  <name>guest{number:03}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
  <features><acpi/></features>
  <devices>
    <emulator>{EMULATOR}</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='/tmp/disk{number:03}'/><target dev='vda' bus='virtio'/><readonly/>
    </disk>
    <interface type='user'><model type='virtio'/></interface>
    <console type='pty'/>
    <memballoon model='virtio'/>
  </devices>
</domain>"""


class Troupe:
    title = "troupe"

    def __init__(self):
        self.daemon = Daemon("--quiet").start()
        self.uri = f"qemu+unix:///system?socket={self.daemon.root}/run/troupe/libvirt-sock"
        self.connection = libvirt.open(self.uri)

    def close(self):
        for domain in self.connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            domain.destroy()
        self.connection.close()
        self.daemon.stop()
        self.daemon.remove()


class Libvirt(Libvirtd):
    title = "libvirtd"


def prepare(side):
    for number in range(LISTED):
        with open(f"/tmp/disk{number:03}", "w") as file:
            file.truncate(1 << 20)
        domain = side.connection.defineXML(domain_xml(number))
        if number < RUNNING:
            domain.create()
    side.domain = side.connection.lookupByName("guest000")


#   What is asked, how often one after the other, and the unit: 1 s has so many.
QUESTIONS = (
    ("info", lambda side: side.domain.info(), 200, "us"),
    ("state", lambda side: side.domain.state(), 200, "us"),
    ("XML", lambda side: side.domain.XMLDesc(), 100, "us"),
    (f"list of {LISTED}", lambda side: side.connection.listAllDomains(), 10, "us"),
    (f"statistics of {RUNNING} running", lambda side: side.connection.getAllDomainStats(
        0, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE), 2, "us"),
    ("their state and CPU time", lambda side: side.connection.getAllDomainStats(
        libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL,
        libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE), 5, "us"),
)


def ask(question, side, times):
    """Microseconds of each."""
    took = []
    for unused in range(times):
        begun = time.perf_counter()
        question(side)
        took.append((time.perf_counter() - begun) * 1e6)
    return took


def told(name, values, unit, more_is_better=False):
    """VALUES: of each side, ours first."""
    text = f"  {name:26}" + "".join(f"{value:12,.0f} {unit}" for value in values)
    if len(values) == 2:
        ratio = values[0] / values[1]
        good = ratio >= 1 if more_is_better else ratio <= 1
        text += f"   {ratio:6.2f}   {'ahead' if good else 'NOT ahead'}"
    print(text, flush=True)


def measure(sides, rounds):
    for name, question, times, unit in QUESTIONS:
        took = [[] for unused in sides]
        for each in range(rounds):
            for i, side in enumerate(sides):
                if not each:
                    ask(question, side, 2)
                took[i] += ask(question, side, times)
        told(name, [statistics.median(each) for each in took], unit)


def client(uri, begin, done):
    connection = libvirt.open(uri)
    domain = connection.lookupByName("guest000")
    begin.wait()
    calls, end = 0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for unused in range(20):
            domain.info()
        calls += 20
    done.put(calls)
    connection.close()


def throughput(side):
    """Calls a second of CLIENTS processes."""
    begin, done = multiprocessing.Barrier(CLIENTS), multiprocessing.Queue()
    processes = [multiprocessing.Process(target=client, args=(side.uri, begin, done)) for unused in range(CLIENTS)]
    for process in processes:
        process.start()
    calls = sum(done.get() for unused in processes)
    for process in processes:
        process.join()
    return calls / SECONDS


def measure_throughput(sides):
    rates = [[] for unused in sides]
    for unused in range(3):
        for i, side in enumerate(sides):
            rates[i].append(throughput(side))
    told(f"info of {CLIENTS} clients", [statistics.median(each) for each in rates], "/s", True)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    if not libvirt or not os.access(EMULATOR, os.X_OK):
        sys.exit(f"not measured: {EMULATOR} and python3-libvirt are not both installed")
    multiprocessing.set_start_method("spawn")
    enter_namespace()
    sides = []
    try:
        for side_class in [Troupe] + ([Libvirt] if Libvirtd.installed() else []):
            sides.append(side_class())
            prepare(sides[-1])
        if len(sides) == 1:
            print(f"libvirtd is not measured beside it: there is no {LIBVIRTD}")
        print(f"{', '.join(side.title for side in sides)}: {LISTED} domains, {RUNNING} of them running, medians of "
              f"{rounds} rounds; {place()}", flush=True)
        measure(sides, rounds)
        measure_throughput(sides)
    finally:
        for side in sides:
            side.close()


if __name__ == "__main__":
    main()
