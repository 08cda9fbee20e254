"""Guests with QEMU's guest agent: what it is asked."""

import json
import os
import unittest

from guest import AGENT_DEVICES, BOOT_SECONDS, AgentTest
from harness import until
from troupe_client import TroupeError

AGENT_UNRESPONSIVE, AGENT_COMMAND_FAILED = 86, 113


class Asked(AgentTest):
    def test_commands(self):
        self.client.call("event.subscribe", verbs=["domain.agent"])
        guest = self.boot_agent("web1")
        said = self.client.next_event("domain.agent", state_text="connected")["args"]
        self.assertEqual((said["uuid"], said["reason_text"]), (guest.uuid, "channel event"))
        self.assertRegex(self.daemon.run("dominfo", "web1"), r"\nGuest agent: +connected\n")
        until(lambda: "state='connected'" in self.daemon.run("dumpxml", "web1"), 20, "the live XML")
        self.assertNotIn("state=", self.daemon.run("dumpxml", "--inactive", "web1"))

        self.assertEqual(self.ask(guest, "guest-ping"), {})
        ask = ("qemu-agent-command", "web1")
        self.assertEqual(self.daemon.run(*ask, '{"execute":"guest-ping"}'), '{"return":{}}\n')
        self.assertRegex(self.daemon.run(*ask, "--pretty", "guest-ping"), r'\{\n +"return": \{')
        self.assertEqual(self.daemon.run(*ask, "--timeout", "30", "guest-sync", '"id":', "77"), '{"return":77}\n')
        self.assertEqual(self.daemon.run(*ask, "--block", "guest-ping"), '{"return":{}}\n')
        #   What nobody waits for is done all the same, and its answer reaches nobody.
        run = {"path": "/bin/touch", "arg": ["/tmp/touched"]}
        self.daemon.run(*ask, "--async", json.dumps({"execute": "guest-exec", "arguments": run}))
        self.assertEqual(self.ask(guest, "guest-ping"), {})
        self.assertEqual(guest.run("until [ -e /tmp/touched ]; do usleep 50000; done; echo done"), "done")

        with self.assertRaisesRegex(TroupeError, "'web1'.*refused no-such: .*CommandNotFound") as caught:
            self.ask(guest, "no-such")
        self.assertEqual(caught.exception.code, AGENT_COMMAND_FAILED)
        for command in ("guest-ping", "{}", '{"execute": 1}', "[]"):
            with self.assertRaisesRegex(TroupeError, "agent command for domain 'web1'"):
                self.client.call("domain.agent_command", domain="web1", command=command)
        self.daemon.run(*ask, "--async", "--block", "guest-ping", status=2)

    def test_exec(self):
        """A program in the guest: its output, and how it ended."""
        guest = self.boot_agent("web1")
        run = {"path": "/bin/sh", "arg": ["-c", "echo out; exit 3"], "capture-output": True}
        pid = self.ask(guest, "guest-exec", run)["pid"]
        until(lambda: self.ask(guest, "guest-exec-status", {"pid": pid})["exited"], 60, "its end")
        #   An agent tells it once.
        with self.assertRaises(TroupeError):
            self.ask(guest, "guest-exec-status", {"pid": pid})

    def test_freeze(self):
        guest = self.boot_disk("web1")
        self.assertEqual(self.daemon.run("domfsfreeze", "web1"), "Froze 1 filesystem(s)\n")
        self.assertTrue(self.frozen(guest))
        with self.assertRaises(TroupeError) as caught:
            self.client.call("domain.fs_freeze", domain="web1")
        self.assertEqual(caught.exception.code, AGENT_COMMAND_FAILED)
        guest.type("(echo written >/disk/f; echo through >/tmp/f) &")
        self.assertEqual(guest.run("cat /tmp/f 2>/dev/null"), "")
        with self.assertRaisesRegex(TroupeError, "thaws all at once"):
            self.client.call("domain.fs_thaw", domain="web1", mountpoints=["/disk"])
        self.assertEqual(self.daemon.run("domfsthaw", "web1"), "Thawed 1 filesystem(s)\n")
        self.assertEqual(guest.run("until [ -s /tmp/f ]; do usleep 50000; done; cat /tmp/f"), "through")
        self.assertEqual(self.daemon.run("domfsthaw", "web1"), "Thawed 0 filesystem(s)\n")
        self.assertEqual(self.daemon.run("domfsfreeze", "web1", "/disk"), "Froze 1 filesystem(s)\n")
        self.daemon.run("domfsthaw", "web1")
        self.assertFalse(self.frozen(guest))

    def test_quiesced_snapshot(self):
        """What was written before is on the disk, without any sync; the guest goes on writing."""
        guest = self.boot_disk("web1")
        guest.run("echo marker-of-this-test >/disk/f")
        self.daemon.run("snapshot-create-as", "web1", "one", "--disk-only", "--quiesce")
        with open(os.path.join(self.daemon.root, "disk.raw"), "rb") as file:
            self.assertIn(b"marker-of-this-test", file.read())
        self.assertFalse(self.frozen(guest))
        guest.run("echo more >/disk/f; sync")
        self.daemon.run("snapshot-create-as", "web1", "two", "--disk-only")
        self.assertFalse(self.frozen(guest))

    def test_no_agent(self):
        """A guest without a channel, and one whose channel nobody has open: at once, and why."""
        (plain, closed) = self.start("plain"), self.start("closed", devices=AGENT_DEVICES)
        for guest in (plain, closed):
            self.client.call("domain.resume", domain=guest.uuid)
        self.assertEqual(self.agent_state(plain), "")
        self.assertEqual(self.agent_state(closed), "disconnected")
        with self.assertRaisesRegex(TroupeError, "'plain': no guest agent is configured"):
            self.ask(plain, "guest-ping")
        with self.assertRaisesRegex(TroupeError, "'closed': the guest agent is not connected") as caught:
            self.ask(closed, "guest-ping")
        self.assertEqual(caught.exception.code, AGENT_UNRESPONSIVE)
        self.client.call("domain.suspend", domain=closed.uuid)
        with self.assertRaisesRegex(TroupeError, "does not run at present"):
            self.ask(closed, "guest-ping")
        self.client.call("domain.destroy", domain=closed.uuid)
        with self.assertRaisesRegex(TroupeError, "'closed': it is not running"):
            self.ask(closed, "guest-ping")


class Power(AgentTest):
    def test_reboot_and_shut_down(self):
        guest = self.boot_agent("web1")
        self.client.call("event.subscribe", verbs=["domain.agent", "domain.reboot", "domain.lifecycle"])
        self.daemon.run("reboot", "web1", "--mode", "agent")
        self.client.next_event("domain.reboot", timeout=BOOT_SECONDS)
        self.client.next_event("domain.agent", timeout=BOOT_SECONDS, state_text="connected")
        self.assertEqual(guest.state()[0], "running")
        #   Nothing is left of the reboot: this is the end.
        self.daemon.run("shutdown", "web1", "--mode", "agent")
        guest.wait_state("shut off", "shutdown", timeout=BOOT_SECONDS)

    def test_called_off_reboot(self):
        """A reboot by ACPI that the guest did not heed; then its agent shuts it down: it stays down."""
        guest = self.boot_agent("web1")
        guest.run("killall acpid; echo killed")
        self.daemon.run("reboot", "web1", "--mode", "acpi")
        self.daemon.run("shutdown", "web1")
        guest.wait_state("shut off", "shutdown", timeout=BOOT_SECONDS)

    def test_in_order(self):
        """What the first does not do the other does."""
        agent, plain = self.boot_agent("agent"), self.boot("plain")[0]
        with self.assertRaisesRegex(TroupeError, "'plain': no guest agent is configured"):
            self.client.call("domain.shutdown", domain="plain", mode="agent")
        #   The agent says that it can't.
        agent.run("rm /sbin/shutdown; echo gone")
        self.client.call("domain.shutdown", domain="agent", mode="agent,acpi")
        self.client.call("domain.shutdown", domain="plain", mode="agent,acpi")
        agent.wait_state("shut off", "shutdown", timeout=BOOT_SECONDS)
        plain.wait_state("shut off", "shutdown", timeout=BOOT_SECONDS)

    def test_acpi_first(self):
        guest = self.boot_agent("web1")
        guest.run("rm /sbin/shutdown; echo gone")
        self.client.call("domain.shutdown", domain="web1", mode="acpi,agent")
        guest.wait_state("shut off", "shutdown", timeout=BOOT_SECONDS)


if __name__ == "__main__":
    unittest.main()
