"""What the kernel has of a guest's share of the host's resources, whatever cgroups there are."""

import os

MIB = 1 << 20

#   Where the kernel has a value: the controller of version 1 and its file, and the file of version 2.
FILES = {
    "memory": ("memory", "memory.limit_in_bytes", "memory.max"),
    "swap": ("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"),
    "soft": ("memory", "memory.soft_limit_in_bytes", "memory.high"),
    "shares": ("cpu", "cpu.shares", "cpu.weight"),
    "quota": ("cpu", "cpu.cfs_quota_us", "cpu.max"),
    "period": ("cpu", "cpu.cfs_period_us", "cpu.max"),
    "cpus": ("cpuset", "cpuset.cpus", "cpuset.cpus"),
    "weight": ("blkio", "blkio.bfq.weight", "io.bfq.weight"),
    "reads": ("blkio", "blkio.throttle.read_bps_device", "io.max"),
}


class Cgroups:
    """For tests that have a daemon: values of its guests' cgroups."""

    def instance(self):
        return self.daemon.instance()

    def cgroups(self):
        return self.daemon.cgroups()

    def folder(self, uuid, name):
        """The guest's cgroup that has NAME, and the file there."""
        controller, first, second = FILES[name]
        for folder in self.cgroups():
            for wanted, file in ((f"/{controller}/", first), ("", second)):
                path = os.path.join(folder, uuid, file)
                if wanted in folder and os.path.exists(path):
                    return path
        return None

    def value(self, uuid, name):
        path = self.folder(uuid, name)
        if path is None:
            return None
        with open(path) as file:
            text = file.read().strip()
        if os.path.basename(path) == "cpu.max":
            return text.split()[name == "period"]
        return text.removeprefix("default ")

    def needs(self, uuid, *names):
        for name in names:
            if self.folder(uuid, name) is None:
                self.skipTest(f"this host's cgroups have nothing for {name}")

    def assertValues(self, uuid, **values):
        self.assertEqual({name: self.value(uuid, name) for name in values}, values)

    def unlimited(self, uuid):
        return "max" if self.folder(uuid, "quota").endswith("cpu.max") else "-1"
