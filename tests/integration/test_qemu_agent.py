"""Guests with QEMU's guest agent: what it is asked, and one that is dead."""

import json
import unittest

from guest import QemuTest
from harness import until
from troupe_client import TroupeError

CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
DEVICES = "<console type='pty'/>" + CHANNEL


class Agent(QemuTest):
    def boot_agent(self, *names, devices=DEVICES, **parts):
        """Guests whose agents are there."""
        guests = self.boot(*names, initrd="initrd-agent.img", devices=devices, **parts)
        for guest in guests:
            self.wait_agent(guest, "connected")
        return guests

    def agent(self, guest):
        return self.client.call("domain.info", domain=guest.uuid)["agent"]

    def wait_agent(self, guest, state, timeout=60):
        until(lambda: self.agent(guest) == state, timeout, f"an agent that is {state}")

    def ask(self, guest, command, **args):
        words = json.dumps({"execute": command})
        reply = self.client.call("domain.agent_command", domain=guest.uuid, command=words, timeout=60, **args)
        return json.loads(reply["reply"])["return"]

    def test_asked(self):
        (guest,) = self.boot_agent("web1")
        print(self.ask(guest, "guest-info"))
        print(self.ask(guest, "guest-get-osinfo"))
        print(guest.run("cat /var/log/qemu-ga.log; mount"))
        print(self.daemon.run("dominfo", "web1"))
        print(self.daemon.run("dumpxml", "web1"))


if __name__ == "__main__":
    unittest.main()
