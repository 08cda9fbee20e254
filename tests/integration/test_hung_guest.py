"""A QEMU that is stopped: who needs it gets an error, all others notice nothing, and when it goes on
everything is as before."""

import os
import signal
import unittest

from guest import Guest, QemuTest, processes_of, qemu_domain, stop_process
from harness import until, within
from troupe_client import TroupeError


class Hung(QemuTest):
    def hang(self, *names):
        """Guests that run, the first of which is stopped: its uuid and pid."""
        uuids = []
        for name in names:
            xml = qemu_domain(name)
            uuids.append(self.client.call("domain.create_xml", xml=xml)["uuid"])
        (pid,) = processes_of(uuids[0])
        self.addCleanup(lambda: processes_of(uuids[0]) and os.kill(pid, signal.SIGCONT))
        stop_process(pid)
        return uuids[0], pid

    def silent_since(self, uuid):
        return self.client.call("domain.state", domain=uuid)["silent_since_us"]

    def test_the_others_notice_nothing(self):
        self.client.call("event.subscribe", verbs=["domain.monitor"])
        uuid, pid = self.hang("hung", "web1")
        asked = self.client.send("domain.suspend", domain=uuid)
        for unused in range(3):
            self.client.call("domain.suspend", domain="web1")
            self.client.call("domain.resume", domain="web1")
        states = [row["state_text"] for row in self.client.call("domain.list")]
        self.assertEqual(states, ["running", "running"])
        with self.assertRaisesRegex(TroupeError, "'hung'.*(hangs|did not answer)"):
            self.client.wait(asked)
        event = self.client.next_event("domain.monitor", responding=False, uuid=uuid)["args"]
        self.assertEqual(self.silent_since(uuid), event["since_us"])
        self.assertRegex(self.daemon.run("domstate", "hung"), r"^running, monitor not responding since \d{4}-")
        self.assertIn("monitor not responding since", self.daemon.run("dominfo", "hung"))
        until(lambda: self.silent_since("web1") == 0, what="the other, which answers")

    def test_it_goes_on(self):
        """What it was asked meanwhile is answered late, to nobody; new questions get their own answers."""
        uuid, pid = self.hang("hung")
        self.client.call("event.subscribe", verbs=["domain.monitor", "domain.lifecycle"])
        with self.assertRaises(TroupeError):
            self.client.call("domain.suspend", domain=uuid, timeout=90)
        until(lambda: self.silent_since(uuid) > 0, 20, "the word that it hangs")
        os.kill(pid, signal.SIGCONT)
        until(lambda: self.silent_since(uuid) == 0, 20, "the word that it answers again")
        guest = Guest(self, uuid)
        #   The stop that was given up is carried out all the same, and told truthfully.
        until(lambda: guest.state()[0] == "paused", 20, "the late stop")
        self.client.call("domain.resume", domain=uuid)
        self.assertEqual(guest.state()[0], "running")
        for unused in range(20):
            reply = self.client.call("domain.monitor_command", domain=uuid, command='{"execute":"query-name"}')
            self.assertIn("hung", reply["reply"])

    def test_destroy_at_once(self):
        uuids = [self.hang(f"hung{i}")[0] for i in range(3)]

        def destroy():
            uuid = uuids.pop()
            self.client.call("domain.destroy", domain=uuid)
            self.assertEqual(processes_of(uuid), [])

        #   The patience for a QEMU that may still write its caches is longer.
        within(self, 5, destroy)

    def test_measured_with_a_budget(self):
        uuid, pid = self.hang("hung")
        os.kill(pid, signal.SIGCONT)
        until(lambda: not self.client.call("domain.usage", domain=uuid, budget=5000)["stale"], 20, "figures")
        stop_process(pid)
        usage = self.client.call("domain.usage", domain=uuid)
        self.assertGreater(usage["measured_us"], 0)

    def test_daemon_restarts_meanwhile(self):
        """It is adopted as running, said not to respond, and is all there when it goes on."""
        uuid, pid = self.hang("hung")
        self.daemon.kill()
        self.restart()
        self.assertEqual(self.client.call("domain.state", domain=uuid)["state_text"], "running")
        self.client.call("event.subscribe", verbs=["domain.monitor"])
        until(lambda: self.silent_since(uuid) > 0, 30, "the word that it hangs")
        os.kill(pid, signal.SIGCONT)
        until(lambda: self.silent_since(uuid) == 0, 60, "its adoption")
        self.client.next_event("domain.monitor", uuid=uuid, responding=True)
        self.client.call("domain.suspend", domain=uuid)


if __name__ == "__main__":
    unittest.main()
