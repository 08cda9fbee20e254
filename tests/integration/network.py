"""Network namespaces for tests of virtual networks: nothing of the host's own network is touched.

A Site has a namespace in which a daemon runs (its host), one that lies beyond it (world), and clients, each of
them a namespace with one interface that is plugged into a bridge of the host.
"""

import json
import os
import shutil
import subprocess

from harness import Daemon, until

WORLD = "203.0.113.2"  # RFC 5737: documentation
HOST = "203.0.113.1"

#   Tells whoever connects from which address they did.
SERVER = """import socket
s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(('::', 7777))
s.listen(16)
print('ready', flush=True)
while True:
    c, a = s.accept()
    c.sendall(a[0].removeprefix('::ffff:').encode())
    c.close()
"""

#   What busybox's udhcpc runs when it has got an address.
UDHCPC = """#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip address replace "$ip/$mask" dev "$interface"
[ -z "$router" ] || ip route replace default via "$router"
"""


def run(*args, status=0):
    done = subprocess.run(args, capture_output=True, text=True, timeout=120)
    if status is not None and done.returncode != status:
        raise AssertionError(f"{args}: {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def usable():
    """False where this machine does not let us make namespaces."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "nft", "dnsmasq", "busybox"))):
        return False
    return subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0


class Namespace:
    """A process that sleeps holds it; it ends with that."""

    def __init__(self):
        self.holder = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE
        )
        self.holder.stdout.readline()
        self.path = f"/proc/{self.holder.pid}/ns/net"
        self.command = ["nsenter", f"--net={self.path}", "--"]
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *args, status=0):
        return run(*self.command, *args, status=status)

    def link(self, name):
        return json.loads(self.run("ip", "-json", "link", "show", name))[0]

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class Site:
    def __init__(self):
        self.host, self.world = Namespace(), Namespace()
        self.clients = []
        pid = str(self.world.holder.pid)
        self.host.run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up0", "netns", pid)
        for space, address in ((self.host, HOST), (self.world, WORLD)):
            space.run("ip", "address", "add", f"{address}/24", "dev", "up0")
            space.run("ip", "link", "set", "up0", "up")
        self.daemon = Daemon()
        self.daemon.within = self.host.command
        self.script = os.path.join(self.daemon.root, "udhcpc.sh")
        with open(self.script, "w") as file:
            file.write(UDHCPC)
        os.chmod(self.script, 0o755)

    def serve(self, test):
        """Somebody in the world who tells who has connected, until the end of TEST."""
        server = subprocess.Popen(
            [*self.world.command, "/usr/bin/python3", "-c", SERVER], stdout=subprocess.PIPE
        )
        test.addCleanup(server.stdout.close)
        test.addCleanup(server.wait)
        test.addCleanup(server.kill)
        server.stdout.readline()

    def define(self, xml, start=True):
        path = os.path.join(self.daemon.root, "network.xml")
        with open(path, "w") as file:
            file.write(xml)
        said = self.daemon.run("net-define", path)
        name = said.split()[1]
        if start:
            self.daemon.run("net-start", name)
        return name

    def plug(self, network):
        """A client whose interface is plugged into the network's bridge."""
        client = Namespace()
        self.clients.append(client)
        bridge = self.daemon.json("net-info", network)["bridge"]
        link = f"c{len(self.clients)}"
        self.host.run(
            "ip", "link", "add", link, "type", "veth", "peer", "name", "eth0",
            "netns", str(client.holder.pid),
        )
        self.host.run("ip", "link", "set", link, "master", bridge, "up")
        client.run("ip", "link", "set", "eth0", "up")
        return client

    def lease(self, client, name):
        """The address that DHCP gives to the client, which calls itself NAME."""
        client.run(
            "busybox", "udhcpc", "-i", "eth0", "-q", "-n", "-t", "30", "-T", "1", "-A", "1",
            "-s", self.script, "-x", f"hostname:{name}",
        )
        words = client.run("ip", "-4", "-o", "address", "show", "dev", "eth0").split()
        return words[words.index("inet") + 1].split("/")[0]

    def dnsmasqs(self):
        """The pids of those that serve with this daemon's configuration. Their helpers, which run troupe-lease,
        stay root."""
        return sorted(pid for pid, user in self.processes() if user)

    def processes(self):
        """(pid, uid) of each dnsmasq with this daemon's configuration."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline") as file:
                    words = file.read()
                user = os.stat(f"/proc/{pid}").st_uid
            except OSError:
                continue
            if self.daemon.root in words and "dnsmasq" in words:
                found.append((int(pid), user))
        return found

    def helpers_end(self):
        """A helper ends by itself, a moment after the dnsmasq that it is of."""
        until(lambda: not self.processes(), what="the end of dnsmasq and its helpers")

    def leftovers(self):
        """What networks left on the host, once all of them have stopped."""
        links = self.host.run("ip", "-o", "link").splitlines()
        left = [line for line in links if " lo:" not in line and "up0" not in line and ": c" not in line]
        left += self.host.run("nft", "list", "ruleset").splitlines()
        left += self.dnsmasqs()
        if not left:
            self.helpers_end()
        folder = os.path.join(self.daemon.root, "run", "troupe", "networks")
        return left + [name for name in os.listdir(folder) if not name.endswith(".lease")]

    def close(self):
        self.daemon.stop()
        for pid in self.dnsmasqs():
            os.kill(pid, 9)
        self.helpers_end()
        self.daemon.remove()
        for space in (*self.clients, self.world, self.host):
            space.close()


def network(name, number, forward="nat", extra=""):
    mode = f"<forward mode='{forward}'/>" if forward else ""
    return f"""<network><name>{name}</name>{mode}<domain name='{name}.test' localOnly='yes'/>
  <ip address='192.168.{number}.1' prefix='24'>
    <dhcp><range start='192.168.{number}.10' end='192.168.{number}.99'/></dhcp>
  </ip>{extra}
</network>"""
