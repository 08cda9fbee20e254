"""Links of the host that a container is given, and that come back: in a network namespace of the test's own."""

import os
import signal
import unittest

from container import container_xml
from harness import until
from test_lxc_network import CONSOLE, PluggedTest, interface
from troupe_client import TroupeError

IDMAP = "<idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='100000' count='65536'/></idmap>"
MAC = "52:54:00:aa:00:77"


def hostdev(name):
    return f"<hostdev mode='capabilities' type='net'><source><interface>{name}</interface></source></hostdev>"


class Given(PluggedTest):
    def setUp(self):
        super().setUp()
        self.space.ip("link", "add", "up0", "address", MAC, "type", "veth", "peer", "name", "up1")

    def give(self, name, *more):
        uuid = self.start_on(name, hostdev("up0"), *more)
        self.assertNotIn("up0", self.links())
        return uuid

    def assertBack(self, what, name="up0"):
        until(lambda: name in self.links(), what=what)
        self.assertIn(MAC, self.space.ip("link", "show", "dev", name))

    def restart(self):
        self.daemon.kill()
        self.daemon.start()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def test_given_and_back(self):
        """After destroy, and whatever the container did to it; a reboot keeps it; nobody else gets it meanwhile."""
        uuid = self.give("web1", interface("bridge", "bridge='br0'"))
        self.assertRegex(self.daemon.run("dumpxml", "web1"), "<interface>up0</interface>")
        shell = self.console("web1")
        self.assertIn(MAC, shell.run("ip link show up0")[0])
        self.assertIn("LOWER_UP", shell.run("ip link show eth0")[0])
        self.define("web2", devices=CONSOLE + hostdev("up0"), extra=IDMAP)
        with self.assertRaisesRegex(TroupeError, "'up0'.*domain 'web1' has it"):
            self.client.call("domain.create", domain="web2")
        self.client.call("event.subscribe", verbs=["domain.reboot"])
        shell.type("reboot -f")
        self.client.next_event("domain.reboot")
        again = self.console("web1")
        self.assertEqual(again.run("ip link set up0 name mine address 52:54:00:aa:00:78")[1], 0)
        self.client.call("domain.destroy", domain=uuid)
        self.assertBack("the link after destroy")
        self.assertEqual(self.links(), ["up0", "up1"])
        self.client.call("domain.create", domain="web2")
        self.assertEqual(self.links(), ["up1"])
        self.assertEqual(self.console("web2").run("ip link set up0 up")[1], 0)
        #   Its name is taken when it comes back.
        self.space.ip("link", "add", "up0", "type", "bridge")
        self.client.call("domain.destroy", domain="web2")
        (name,) = until(lambda: set(self.links()) - {"up0", "up1"}, what="the link with another name")
        self.assertBack("that link", name)
        until(lambda: f"came back from domain 'web2' as '{name}'" in self.daemon.log(), what="the log")
        self.assertNothingLeft()

    def test_ends_without_us(self):
        """Init ends; the daemon is killed, before the end and before init's; the supervisor is killed."""
        self.give("web1")
        self.console("web1").type("exit 0")
        self.assertBack("the link after init's exit")
        self.assertNothingLeft()
        self.client.call("domain.create", domain="web1")
        self.restart()
        until(lambda: "domain 'web1': found running" in self.daemon.log(), what="its adoption")
        self.assertNotIn("up0", self.links())
        self.client.call("domain.destroy", domain="web1")
        self.assertBack("the link after another daemon's destroy")
        self.client.call("domain.create", domain="web1")
        shell = self.console("web1")
        self.daemon.kill()
        shell.type("exit 0")
        self.daemon.start()
        self.assertBack("the link of one that ended alone")
        self.assertNothingLeft()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.client.call("domain.create", domain="web1")
        os.kill(self.supervisor(), signal.SIGKILL)
        until(lambda: "'up0' of the host did not come back from domain 'web1'" in self.daemon.log(), what="the log")
        self.assertNothingLeft()
        #   The kernel removes a namespace, and what is in it, some time after its last process.
        until(lambda: self.links() == [], what="the end of the link and of its peer")

    def test_refusals(self):
        """What can't be given stays where it is, and a start that fails gives back what it had."""
        self.space.ip("link", "set", "up1", "master", "br0")
        for name, message in (("none", "no link of this name"), ("up1", "a port of 'br0'")):
            self.define("web1", devices=hostdev("up0") + hostdev(name))
            with self.assertRaisesRegex(TroupeError, f"'{name}' of the host: .*{message}"):
                self.client.call("domain.create", domain="web1")
            self.assertBack("the link of a start that failed")
        self.define("web1", devices=hostdev("br0"))
        with self.assertRaisesRegex(TroupeError, "take link 'br0' of the host"):
            self.client.call("domain.create", domain="web1")
        for devices, message in (
            (hostdev("lo"), "not supported: .*'lo'"),
            (hostdev("up0") + interface("bridge", "bridge='br0'", "<guest dev='up0'/>"), "two interfaces 'up0'"),
        ):
            with self.assertRaisesRegex(TroupeError, message):
                self.client.call("domain.define", xml=container_xml("web2", self.root, devices=devices))
        self.assertEqual(self.links(), ["up0", "up1"])
        self.assertNothingLeft()


if __name__ == "__main__":
    unittest.main()
