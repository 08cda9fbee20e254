"""Containers in namespaces of others (<lxc:namespace>)."""

import os
import subprocess
import unittest

from container import container_xml, make_root
from harness import until
from netns import Namespace
from test_lxc import ContainerTest
from test_lxc_idmap import IDMAP, give
from troupe_client import TroupeError

SPACES = ("net", "ipc", "uts")


def shares(**of):
    """SPACE=(type, value) as <lxc:namespace>."""
    rows = "".join(f"<lxc:share{space} type='{kind}' value='{value}'/>" for space, (kind, value) in of.items())
    return f"<lxc:namespace xmlns:lxc='http://libvirt.org/schemas/domain/lxc/1.0'>{rows}</lxc:namespace>"


def spaces_of(pid):
    return {space: os.readlink(f"/proc/{pid}/ns/{space}") for space in (*SPACES, "pid", "mnt")}


def inside(shell):
    return {space: shell.run(f"readlink /proc/self/ns/{space}")[0] for space in (*SPACES, "pid", "mnt")}


class Shared(ContainerTest):
    def define(self, name, **parts):
        """Without <privnet/> if it shares a network."""
        xml = container_xml(name, parts.pop("root", self.root), **parts)
        if "sharenet" in xml:
            xml = xml.replace("<privnet/>", "")
        return self.client.call("domain.define", xml=xml)["uuid"]

    def refused(self, uuid, pattern):
        with self.assertRaisesRegex(TroupeError, pattern) as caught:
            self.client.call("domain.create", domain=uuid)
        self.assertNotIn("\n", str(caught.exception))

    def assertShared(self, of, seen, spaces):
        """The namespaces SPACES are the same ones, all others are not."""
        self.assertEqual({space for space in of if of[space] == seen[space]}, set(spaces))

    def test_of_a_container(self):
        """A container in all that another can share: over reboots, without a daemon, after the other's end."""
        three = shares(**{space: ("name", "db1") for space in SPACES})
        uuid = self.define("web1", extra=three)
        self.refused(uuid, "lxc:sharenet: domain 'db1' is no running container")
        other = self.define("db1", features="<capabilities><sys_admin state='on'/></capabilities>")
        self.refused(uuid, "lxc:sharenet: domain 'db1' is no running container; start that first")
        self.assertNothingLeft()

        self.client.call("domain.create", domain=other)
        self.client.call("domain.create", domain=uuid)
        db, web = self.console("db1"), self.console("web1")
        before = inside(db)
        self.assertShared(before, inside(web), SPACES)
        #   The host's name is the other's, and its to change; so are the links.
        self.assertEqual(web.run("hostname"), ("db1", 0))
        db.run("hostname renamed; ip link add name shared0 type bridge")
        self.assertEqual(web.run("hostname"), ("renamed", 0))
        self.assertEqual(web.run("ls /sys/class/net | grep -x shared0"), ("shared0", 0))
        self.assertNotEqual(web.run("ip link delete shared0")[1], 0)  # not a network of its own
        self.assertIn("lxc:sharenet", self.daemon.run("dumpxml", "web1"))

        #   A program that enters is where init is.
        done = self.daemon.run("lxc-enter-namespace", "web1", "--", "/bin/readlink", "/proc/self/ns/net")
        self.assertEqual(done.strip(), before["net"])

        #   An init that follows another is there, too.
        init = self.init(uuid)
        web.type("reboot -f")
        until(lambda: self.init(uuid) != init, what="the reboot")
        self.assertShared(before, inside(self.console("web1")), SPACES)

        #   The daemon has nothing to do with it any more.
        self.daemon.kill()
        self.daemon.start()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.assertShared(before, spaces_of(self.init(uuid)), SPACES)

        #   The other goes, and what was its goes with the last that has it.
        self.daemon.run("destroy", "db1")
        self.assertFalse(os.path.exists(os.path.join(self.daemon.root, "run", "troupe", "lxc", f"{other}.init")))
        self.assertShared(before, spaces_of(self.init(uuid)), SPACES)
        self.daemon.run("destroy", "web1")
        self.assertNothingLeft()
        self.refused(uuid, "'db1' is no running container")

    def test_of_the_host(self):
        """A network that 'ip netns' made, and processes: what they had, they keep."""
        space = Namespace(self)
        space.ip("link", "add", "name", "mine0", "type", "bridge")
        name = f"troupe-test-{os.getpid()}"
        subprocess.run(["ip", "netns", "attach", name, str(space.pid)], check=True)
        self.addCleanup(subprocess.run, ["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)
        first = self.start("web1", extra=shares(net=("netns", name), ipc=("pid", space.pid)))
        web = self.console("web1")
        host = spaces_of(space.pid)
        self.assertShared(host, inside(web), ("net", "ipc"))
        self.assertEqual(web.run("hostname"), ("web1", 0))
        self.assertEqual(web.run("ls /sys/class/net | grep -x mine0"), ("mine0", 0))
        self.daemon.run("destroy", "web1")
        self.assertNothingLeft()
        self.assertIn("mine0", space.links())
        self.assertEqual(spaces_of(space.pid), host)

        #   With users of its own it has no rights there, but it is there.
        mapped = make_root(os.path.join(self.daemon.root, "mapped"))
        give(mapped)
        second = self.define("web2", root=mapped, extra=IDMAP + shares(**{each: ("pid", space.pid) for each in SPACES}))
        self.client.call("domain.create", domain=second)
        web = self.console("web2")
        self.assertShared(host, inside(web), SPACES)
        self.assertEqual(web.run("id -u"), ("0", 0))
        self.assertNotEqual(web.run("ip link delete mine0")[1], 0)
        done = self.daemon.run("lxc-enter-namespace", "web2", "--", "/bin/readlink", "/proc/self/ns/uts")
        self.assertEqual(done.strip(), host["uts"])
        self.daemon.run("destroy", "web2")
        self.assertNothingLeft()

        #   What is not there.
        subprocess.run(["ip", "netns", "delete", name], check=True)
        self.refused(first, f"lxc:sharenet: open the network namespace '/run/netns/{name}': No such file")
        space.process.kill()
        space.process.wait()
        self.refused(second, f"lxc:sharenet: the host has no process {space.pid}$")
        self.assertNothingLeft()


if __name__ == "__main__":
    unittest.main()
