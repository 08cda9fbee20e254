"""Network namespaces of a test's own: what happens to links in them is seen nowhere else, and goes
with them."""

import os
import subprocess

from harness import until


KEEP = """mount -t sysfs sysfs /mnt && mount --rbind /sys/fs/cgroup /mnt/fs/cgroup && mount --move /mnt /sys &&
exec sleep 1000000"""


class Namespace:
    """One, with a process that keeps it; TEST ends it. It sees its own links in /sys, too, and the host's cgroups."""

    def __init__(self, test):
        self.process = subprocess.Popen(["unshare", "--net", "--mount", "sh", "-c", KEEP])
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)
        until(self._is_up, what="a network namespace")
        self.ip("link", "set", "lo", "up")

    def _is_up(self):
        with open(f"/proc/{self.process.pid}/comm") as file:
            return file.read() == "sleep\n"

    @property
    def pid(self):
        return self.process.pid

    @property
    def within(self):
        """What stands before a command that is to run in it."""
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "--"]

    def run(self, *command):
        """What a command in it prints; it has to end well."""
        done = subprocess.run([*self.within, *command], capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def ip(self, *words):
        return self.run("ip", *words)

    def add_bridge(self, name, address, mtu):
        self.ip("link", "add", name, "type", "bridge")
        self.ip("address", "add", address, "dev", name)
        self.ip("link", "set", name, "mtu", str(mtu), "up")

    def links(self):
        """The names of its links."""
        listed = self.ip("-o", "link", "show").splitlines()
        return sorted(line.split(": ")[1].split("@")[0] for line in listed)

    def cable(self, name, other, other_name):
        """A veth between two namespaces."""
        self.ip("link", "add", "name", name, "type", "veth", "peer", "name", other_name, "netns", str(other.pid))
        self.ip("link", "set", name, "up")
        other.ip("link", "set", other_name, "up")


class InNamespace:
    """In front of a DaemonTest: its daemon runs in a network namespace of its own, with these bridges."""

    bridges = {"br0": "10.9.0.1/24"}
    mtu = 1500

    def make_daemon(self):
        self.space = Namespace(self)
        for name, address in self.bridges.items():
            self.space.add_bridge(name, address, mtu=self.mtu)
        daemon = super().make_daemon()
        daemon.within = self.space.within
        return daemon
