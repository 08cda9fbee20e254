"""What the benchmarks share: medians, tables, guests."""

import os
import statistics
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("TROUPE_BIN", os.path.join(TOP, "build", "release", "bin"))
sys.path.insert(0, os.path.join(TOP, "tests", "integration"))
sys.dont_write_bytecode = True

from guest import processes_of  # noqa: E402, F401
from harness import Daemon, behaviour, until  # noqa: E402, F401
from harness import test_domain as simulated_domain  # noqa: E402, F401
from troupe_client import TroupeError  # noqa: E402, F401

EMULATOR = "/usr/bin/qemu-system-x86_64"


def qemu_domain(name, memory_mib=32):
    """A guest with nothing to boot: an ordinary machine, whose firmware finds no disk."""
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <emulator>{EMULATOR}</emulator>
    <console type='pty'/>
    <interface type='user'><model type='virtio'/></interface>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
</domain>
"""


class Clock:
    """with Clock () as clock: ...; clock.ms"""

    def __enter__(self):
        self.begun = time.perf_counter()
        return self

    def __exit__(self, *unused):
        self.ms = (time.perf_counter() - self.begun) * 1000


def spread(values):
    """Median and the middle half, as text."""
    quarters = statistics.quantiles(values, n=4)
    return f"median {quarters[1]:8.2f}   middle half {quarters[0]:8.2f} to {quarters[2]:8.2f}"


def verdict(good):
    return "met" if good else "NOT met"


def place():
    """Where it was measured; a figure without it says little."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{len(os.sched_getaffinity(0))} cores, load {load}"


def resident_kib(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def cpu_ms(pid):
    """CPU time that the process has used."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")
