"""Other hosts: connections over TCP, keys and their roles; a guest that migrates between such hosts."""

import json
import subprocess
import unittest

from guest import QemuTest, qemu_domain
from harness import Daemon, test_domain, until


def listening():
    """A daemon that serves other hosts at a port that was free."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    daemon = Daemon("--listen", f"tcp://127.0.0.1:{port}")
    daemon.remote = f"tcp://127.0.0.1:{port}"
    return daemon


class Remote(QemuTest):
    """Two hosts; what is done on this one uses the other daemon's TCP endpoint."""

    def setUp(self):
        self.daemon = listening()
        self.addCleanup(self.daemon.remove)
        self.addCleanup(self._stop)
        self.daemon.start()
        self.client = self.daemon.client(timeout=30.0)
        self.addCleanup(lambda: self.client.close())
        self.other = listening()
        self.addCleanup(self.other.remove)
        self.addCleanup(self.stop_other)
        self.other.start()
        self.there = self.other.client(timeout=30.0)
        self.addCleanup(lambda: self.there.close())

    def stop_other(self):
        mine, self.daemon = self.daemon, self.other
        try:
            self._stop()
        finally:
            self.daemon = mine

    def introduce(self, role="write"):
        """Each knows the other's key."""
        pairs = (("here", self.daemon, self.other), ("there", self.other, self.daemon))
        for name, daemon, to in pairs:
            key = daemon.run("key-own").strip()
            to.run("key-add", name, key, "--role", role, "--endpoint", daemon.remote)

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
            self.addCleanup(daemon.remove)
            with self.assertRaises(AssertionError) as caught:
                daemon.start()
            self.assertIn(said, str(caught.exception))

    def test_migration(self):
        """Between two hosts: asked there, received there, and back. Without the way back: refused."""
        self.client.call("domain.create_xml", xml=qemu_domain("web1", "web1"))
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


def readable(file):
    import select

    return select.select([file], [], [], 0)[0]


if __name__ == "__main__":
    unittest.main()
