"""Guests whose agent is dead, or comes and goes: nobody else waits, and no answer goes astray."""

import glob
import json
import os
import unittest

from guest import BOOT_SECONDS, AgentTest, Guest
from harness import until
from troupe_client import TroupeError

AGENT_UNRESPONSIVE, AGENT_COMMAND_TIMEOUT = 86, 112


class Dead(AgentTest):
    def test_delays_nobody(self):
        """Its calls end within their deadline; nothing else waits. When it is back, late answers
        reach nobody."""
        guest = self.boot_agent("web1")
        guest.run("kill -STOP $(pidof qemu-ga); echo stopped")
        command = json.dumps({"execute": "guest-exec", "arguments": {"path": "/bin/true"}})
        asked = [
            self.client.send("domain.agent_command", domain="web1", command=command, timeout=2)
            for unused in range(3)
        ]
        thaw = self.client.send("domain.fs_thaw", domain="web1")
        self.client.call("session.ping")  # they are under way, before what follows
        other = self.daemon.client()
        self.addCleanup(other.close)
        for unused in range(5):
            other.call("domain.suspend", domain="web1")
            other.call("domain.resume", domain="web1")
            other.call("domain.monitor_command", domain="web1", command='{"execute":"query-name"}')
        self.assertEqual(self.client.call("domain.info", domain="web1")["state_text"], "running")
        for id in asked + [thaw]:
            with self.assertRaisesRegex(TroupeError, "'web1': guest-.*the guest agent") as caught:
                self.client.wait(id, 60)
            self.assertIn(caught.exception.code, (AGENT_UNRESPONSIVE, AGENT_COMMAND_TIMEOUT))
        guest.run("kill -CONT $(pidof qemu-ga); echo going")
        self.wait_answer(guest)
        for number in range(20):
            self.assertEqual(self.ask(guest, "guest-sync", {"id": number}), number)

    def test_late_answer(self):
        """An answer that comes after its deadline is not taken for the next command's."""
        guest = self.boot_disk("web1")
        #   It is in sync: the next command is sent, and can't be answered.
        guest.run("kill -STOP $(pidof qemu-ga); echo stopped")
        with self.assertRaises(TroupeError) as caught:
            self.ask(guest, "guest-get-host-name", seconds=1)
        self.assertEqual(caught.exception.code, AGENT_COMMAND_TIMEOUT)
        self.assertRegex(str(caught.exception), "did not answer the command within 1000 ms")
        guest.run("kill -CONT $(pidof qemu-ga); echo going")
        self.assertEqual(self.ask(guest, "guest-sync", {"id": 5}), 5)

    def test_goes_and_comes(self):
        """Its end is told at once, and so is its return."""
        guest = self.boot_agent("web1")
        self.client.call("event.subscribe", verbs=["domain.agent"])
        guest.run("kill $(pidof qemu-ga); echo killed")
        self.client.next_event("domain.agent", timeout=BOOT_SECONDS, state_text="disconnected")
        self.client.next_event("domain.agent", timeout=BOOT_SECONDS, state_text="connected")
        self.wait_answer(guest)

    def test_daemon_killed(self):
        """The next daemon knows at once whether the agent is there, asks it, and waits as long as the
        one before was told to."""
        guest = self.boot_agent("web1")
        self.daemon.run("guest-agent-timeout", "web1", "--timeout", "1")
        self.daemon.kill()
        self.restart()
        self.assertEqual(self.agent_state(guest), "connected")
        self.wait_answer(guest)
        self.check_timeout(Guest(self, guest.uuid).open())

    def check_timeout(self, guest):
        #   It is in sync: the next command is sent, and can't be answered.
        guest.run("kill -STOP $(pidof qemu-ga); echo stopped")
        with self.assertRaisesRegex(TroupeError, "did not answer the command within 1000 ms") as caught:
            self.client.call("domain.hostname", domain="web1")
        self.assertEqual(caught.exception.code, AGENT_COMMAND_TIMEOUT)
        guest.run("kill -CONT $(pidof qemu-ga); echo going")
        self.daemon.run("guest-agent-timeout", "web1", "--timeout", "0")
        with self.assertRaisesRegex(TroupeError, "whose answer is not waited for") as caught:
            self.client.call("domain.hostname", domain="web1")
        self.assertEqual(caught.exception.code, AGENT_COMMAND_TIMEOUT)
        #   As long as it takes.
        self.daemon.run("guest-agent-timeout", "web1")
        self.assertEqual(self.daemon.run("domhostname", "web1"), "web1\n")
        failed = self.daemon.run("guest-agent-timeout", "web1", "--timeout", "86401", status=None)
        self.assertIn("86401 is none", failed.stderr)

    def test_thawed_after_a_restart(self):
        """A job froze the guest, and the daemon was killed: the next one thaws it as soon as the
        agent answers."""
        guest = self.boot_disk("web1")
        self.ask(guest, "guest-fsfreeze-freeze")
        guest.run("kill -STOP $(pidof qemu-ga); echo stopped")
        self.daemon.kill()
        (path,) = glob.glob(os.path.join(self.daemon.root, "run/troupe/qemu/*.status"))
        text = self.text_of(path)
        with open(path, "w") as file:
            file.write(text.replace("<process ", "<freeze by='job'/><process ", 1))
        self.restart()
        self.assertEqual(Guest(self, guest.uuid).state()[0], "running")
        Guest(self, guest.uuid).open().run("kill -CONT $(pidof qemu-ga); echo going")
        until(lambda: "<freeze" not in self.text_of(path), BOOT_SECONDS, "the thaw")
        self.assertFalse(self.frozen(guest))

    def text_of(self, path):
        with open(path) as file:
            return file.read()


if __name__ == "__main__":
    unittest.main()
