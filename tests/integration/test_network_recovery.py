"""The daemon is killed at each step of a network's start and of its end: the next one leaves nothing half done."""

import subprocess
import unittest

from network import Site, network, usable


@unittest.skipUnless(usable(), "needs root, namespaces, ip, nft, dnsmasq and busybox")
class Recovery(unittest.TestCase):
    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.close)
        self.daemon = self.site.daemon.start()
        self.site.define(network("red", 90), start=False)

    def kill_at(self, command, step):
        """Kills the daemon once the job that carries the command out asks for its STEPth effect. What it asks
        for; None if the job was over before."""
        with self.daemon.client() as client:
            client.call("host.trace")
            asks = subprocess.Popen(self.daemon.command(command, "red"), stderr=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL)
            try:
                seen = self.await_step(client, step)
                self.daemon.kill()
            finally:
                asks.kill()
                asks.wait()
        return seen

    @staticmethod
    def await_step(client, step):
        while True:
            hop = client.next_event("trace")["args"]
            if not hop["from"].startswith("job/"):
                continue
            if hop["kind"] == "bye":
                return None
            step -= hop["kind"] == "request"
            if step == 0:
                return hop["verb"]

    def all_steps(self, command, before):
        """The effects at which the daemon was killed, one after the other; BEFORE each the network is as the
        command wants it."""
        killed_at = []
        while True:
            before()
            effect = self.kill_at(command, len(killed_at) + 1)
            self.daemon.start()
            with self.subTest(command=command, killed_at=[*killed_at, effect]):
                self.whole()
            if effect is None:
                return killed_at
            killed_at.append(effect)

    def whole(self):
        """It runs, and nothing is missing, or it does not, and nothing is left."""
        daemon = self.daemon
        daemon.run("net-check", "red", status=None)  # behind what looks after it
        if daemon.json("net-info", "red")["active"]:
            daemon.run("net-check", "red", "--repair")
            daemon.run("net-check", "red")
            self.assertEqual(len(self.site.dnsmasqs()), 1)
            daemon.run("net-destroy", "red")
        self.assertEqual(self.site.leftovers(), [])

    def test_start(self):
        effects = self.all_steps("net-start", lambda: None)
        for effect in ("job.record", "link.create", "link.address", "process.spawn", "process.go"):
            self.assertIn(effect, effects)

    def test_end(self):
        effects = self.all_steps("net-destroy", lambda: self.daemon.run("net-start", "red"))
        for effect in ("process.kill", "process.spawn", "link.delete"):
            self.assertIn(effect, effects)


if __name__ == "__main__":
    unittest.main()
