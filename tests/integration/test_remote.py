"""Other hosts: connections over TCP, keys and their roles; a guest that migrates between such hosts."""

import json
import os
import subprocess
import unittest

from guest import QemuTest, qemu_domain
from harness import Daemon, test_domain, until
from netns import Namespace


def begin_hosts(test, here, there):
    """TEST's daemon is HERE's; other and there are the other host's daemon, and a client of it."""

    def stop_other():
        mine, test.daemon = test.daemon, test.other
        try:
            test._stop()
        finally:
            test.daemon = mine

    test.daemon, test.other = here, there
    for daemon, stop in ((here, test._stop), (there, stop_other)):
        test.addCleanup(daemon.remove)
        test.addCleanup(stop)
        daemon.start()
    test.client = here.client()
    test.addCleanup(lambda: test.client.close())
    test.there = there.client()
    test.addCleanup(lambda: test.there.close())


def introduce(here, there, role="write"):
    """Each knows the other's key."""
    for name, daemon, to in (("here", here, there), ("there", there, here)):
        key = daemon.run("key-own").strip()
        to.run("key-add", name, key, "--role", role, "--endpoint", daemon.remote)


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Hosts(QemuTest):
    """Two hosts, each in a network namespace of its own, with a cable between them."""

    def setUp(self):
        self.spaces = [Namespace(self), Namespace(self)]
        self.spaces[0].cable("cable", self.spaces[1], "cable")
        hosts = []
        for i in range(2):
            self.spaces[i].ip("address", "add", f"10.9.8.{i + 1}/24", "dev", "cable")
            hosts.append(Daemon("--listen", f"tcp://10.9.8.{i + 1}:16510"))
            hosts[i].remote = f"tcp://10.9.8.{i + 1}:16510"
            hosts[i].within = self.spaces[i].within
        begin_hosts(self, *hosts)


class Remote(Hosts):
    """What is done on this one uses the other daemon's TCP endpoint."""

    def introduce(self, role="write"):
        introduce(self.daemon, self.other, role)

    def remote(self, *args, **options):
        """A command of this host, to the other's daemon."""
        return self.daemon.run("-c", self.other.remote, *args, **options)

    def test_keys(self):
        """Nobody comes in unknown; then by role."""
        done = self.remote("list", status=None)
        self.assertEqual(done.returncode, 1)
        self.assertIn("troupe key-add NAME KEY --endpoint " + self.other.remote, done.stderr)
        key = self.other.run("key-own").strip()
        self.daemon.run("key-add", "there", key, "--endpoint", self.other.remote)
        done = self.remote("list", status=None)
        self.assertIn("the daemon refused us; is our key known there", done.stderr)
        self.introduce(role="read")
        self.assertIn("Name", self.remote("list"))
        done = self.remote("define", "-", input=test_domain("web1"), status=None)
        self.assertIn("have its key added with another --role there", done.stderr)
        self.introduce(role="write")
        until(lambda: json.loads(self.remote("session.ping", "--output", "json"))["role"] == "write",
              what="the new role")
        self.remote("define", "-", input=test_domain("web1"))
        self.remote("start", "web1")
        rows = self.there.call("domain.jobs", history=True)
        self.assertEqual([row["by"].get("key") for row in rows], ["here"])
        self.assertIn("key here", self.other.run("jobs", "--history"))
        listed = json.loads(self.daemon.run("key-list", "--output", "json"))
        self.assertEqual([(row["name"], row["role"]) for row in listed], [("there", "write")])

    def test_removed_key(self):
        """It ends the connection, which gets no more events; requests are refused."""
        self.introduce()
        command = self.daemon.command("-c", self.other.remote, "event", "--all", "--loop")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.there.call("domain.define", xml=test_domain("web1"))

        def listens():
            for verb in ("domain.create", "domain.destroy"):
                self.there.call(verb, domain="web1")
            return readable(process.stdout)

        until(listens, 20, "an event")
        self.other.run("key-remove", "here")
        self.assertIn("lost", process.stderr.readline())
        done = self.remote("list", status=None)
        self.assertIn("refused us", done.stderr)
        self.introduce()
        self.assertIn("web1", self.remote("list", "--all"))

    def test_wrong_endpoint(self):
        """--listen has to be TCP, and free."""
        for listen, said in (("ipc:///tmp/x", "it has to be tcp://HOST:PORT"), (self.other.remote, "in use")):
            daemon = Daemon("--listen", listen)
            daemon.within = self.other.within
            self.addCleanup(daemon.remove)
            with self.assertRaises(AssertionError) as caught:
                daemon.start()
            self.assertIn(said, str(caught.exception))

    def test_migration(self):
        """Between two hosts: asked there, received there, and back. Without the way back: refused."""
        self.client.call("domain.create_xml", xml=qemu_domain("web1"))
        key = self.other.run("key-own").strip()
        self.daemon.run("key-add", "there", key, "--endpoint", self.other.remote)
        key = self.daemon.run("key-own").strip()
        self.other.run("key-add", "here", key, "--role", "write")
        done = self.daemon.run("migrate", "web1", self.other.remote, "--live", status=None)
        self.assertIn("to ask the sender", done.stderr)
        self.assertEqual(self.client.call("domain.state", domain="web1")["state_text"], "running")
        self.introduce()
        self.daemon.run("migrate", "web1", self.other.remote, "--live")
        self.assertEqual(self.there.call("domain.state", domain="web1")["state_text"], "running")
        self.assertEqual(self.client.call("domain.list"), [])
        self.other.run("migrate", "web1", self.daemon.remote, "--live")
        self.assertEqual(self.client.call("domain.state", domain="web1")["state_text"], "running")


class Cut(Hosts):
    def test_cut(self):
        """The guest goes on where it was; the other side gives up when it can ask."""
        introduce(self.daemon, self.other)
        self.client.call("domain.create_xml", xml=qemu_domain("web1"))
        id = self.client.send("domain.migrate", deadline=600000, domain="web1", peer=self.other.remote,
                              live=True, bandwidth=1000000)
        until(lambda: self.client.call("domain.job_info", domain="web1").get("done", 0) > 0, 60, "bytes")
        self.spaces[1].ip("link", "set", "cable", "down")
        failed = self.assertFails("VIR_ERR_OPERATION_TIMEOUT", self.client.wait, id, 120)
        self.assertIn("is the network to the other host cut?", failed.message)
        self.assertEqual(self.client.call("domain.state", domain="web1")["state_text"], "running")
        self.assertEqual(len(self.there.call("domain.list")), 1)
        self.assertEqual(self.there.call("domain.state", domain="web1")["state_text"], "paused")
        self.spaces[1].ip("link", "set", "cable", "up")
        until(lambda: not self.there.call("domain.list"), 120, "the end of the receiver")
        self.assertEqual(self.client.call("domain.state", domain="web1")["state_text"], "running")


def readable(file):
    import select

    return select.select([file], [], [], 0)[0]


if __name__ == "__main__":
    unittest.main()
