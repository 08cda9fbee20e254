"""What a guest's agent tells of it, and changes in it."""

import threading
import time
import unittest

import libvirt

from guest import AGENT_DEVICES, AgentTest
from harness import PATIENCE
from libvirt_client import uri
from troupe_client import TroupeError


CHANNEL = "<channel type='unix'><target type='virtio' name='org.example.words'/></channel>"


class Told(AgentTest):
    def test_all(self):
        self.guest = self.boot_disk("web1")
        for check in (self.check_told, self.check_password, self.check_trim, self.check_time, self.check_sleep):
            with self.subTest(check.__name__):
                check()

    def run_said(self, *args):
        return self.daemon.run(*args).rstrip("\n")

    def check_told(self):
        self.guest.run("ifconfig lo 127.0.0.1; echo up")
        self.assertEqual(self.daemon.run("domhostname", "web1"), "web1\n")
        info = self.client.call("domain.guest_info", domain="web1")
        self.assertEqual(info["hostname"], "web1")
        self.assertEqual(info["os.id"], "troupe")
        self.assertEqual(info["os.machine"], "x86_64")
        self.assertEqual(info["user.count"], 0)
        self.assertEqual(info["fs.count"], 1)
        self.assertEqual((info["fs.0.mountpoint"], info["fs.0.fstype"]), ("/disk", "ext4"))
        self.assertEqual(info["fs.0.disk.0.alias"], "vda")
        self.assertGreater(info["fs.0.total-bytes"], info["fs.0.used-bytes"])
        disks = [info[f"disk.{i}.name"] for i in range(info["disk.count"])]
        self.assertIn("/dev/vda", disks)
        interfaces = [info[f"if.{i}.name"] for i in range(info["if.count"])]
        self.assertIn("lo", interfaces)
        #   Only what is asked for, under the names that tools know.
        said = self.daemon.run("guestinfo", "web1", "--os", "--hostname")
        self.assertRegex(said, r"(?m)^os\.id               : troupe$")
        self.assertRegex(said, r"(?m)^hostname            : web1$")
        self.assertNotRegex(said, r"(?m)^(fs|disk|if|user)\.")
        with self.assertRaisesRegex(TroupeError, "'weather' is not known"):
            self.client.call("domain.guest_info", domain="web1", types=["weather"])

        self.assertRegex(self.daemon.run("domfsinfo", "web1"), r" /disk +vda +ext4 +vda *\n")
        said = self.daemon.run("domifaddr", "web1", "--source", "agent")
        self.assertRegex(said, r" Name +MAC address +Protocol +Address *\n-+\n")
        self.assertRegex(said, r" lo +00:00:00:00:00:00 +ipv4 +127\.0\.0\.1/8\n")
        self.assertNotIn(" lo ", self.daemon.run("domifaddr", "web1", "--source", "agent", "--interface", "eth7"))

    def check_time(self):
        self.daemon.run("domtime", "web1", "--time", "1000000000")
        year = self.guest.run("date -u +%Y-%m-%d")
        self.assertEqual(year, "2001-09-09")
        said = self.client.call("domain.time", domain="web1")
        self.assertLess(abs(said["seconds"] - 1000000000), 300)
        self.assertRegex(self.daemon.run("domtime", "web1", "--pretty"), r"^Time: 2001-09-09 \d\d:\d\d:\d\d\n$")
        self.assertRegex(self.daemon.run("domtime", "web1"), r"^Time: 1000000\d\d\d\n$")
        self.daemon.run("domtime", "web1", "--now")
        self.assertLess(abs(self.client.call("domain.time", domain="web1")["seconds"] - time.time()), 300)
        self.daemon.run("domtime", "web1", "--sync")
        self.daemon.run("domtime", "web1", "--sync", "--now", status=2)
        with self.assertRaisesRegex(TroupeError, "set the time of domain 'web1'"):
            self.client.call("domain.time_set", domain="web1", seconds=1, sync=True)

    def check_sleep(self):
        """It says itself that it sleeps, and is answered for only then; and it wakes with its agent."""
        self.client.call("event.subscribe", verbs=["domain.pm"])
        failed = self.daemon.run("dompmsuspend", "web1", "mem", "--duration", "60", status=None)
        self.assertIn("not supported: a duration", failed.stderr)
        self.assertEqual(self.run_said("dompmsuspend", "web1", "mem"), "Domain 'web1' successfully suspended")
        self.assertEqual(self.guest.state()[0], "pmsuspended")
        self.assertEqual(self.client.next_event("domain.pm", timeout=PATIENCE)["args"]["event"], "suspend")
        failed = self.daemon.run("dompmsuspend", "web1", "mem", status=None)
        self.assertIn("does not run at present", failed.stderr)
        failed = self.daemon.run("suspend", "web1", status=None)
        self.assertIn("suspend domain 'web1': it sleeps", failed.stderr)
        self.assertEqual(self.guest.state()[0], "pmsuspended")
        self.daemon.run("dompmwakeup", "web1")
        self.assertEqual(self.client.next_event("domain.pm", timeout=PATIENCE)["args"]["event"], "wakeup")
        self.guest.wait_state("running", "event wakeup", timeout=PATIENCE)
        self.wait_agent(self.guest, "connected")
        self.wait_answer(self.guest)

    def test_vcpus(self):
        self.guest = self.boot_agent("web1", AGENT_DEVICES + CHANNEL, vcpus=2)
        self.check_vcpus()
        self.check_channel()

    def check_channel(self):
        """Bytes in both directions, under the name that the guest knows; its agent's is not to be had."""
        libvirt.registerErrorHandler(lambda *unused: None, None)
        connection = libvirt.open(uri(self.daemon, "qemu:///system"))
        self.addCleanup(connection.close)
        domain = connection.lookupByName("web1")
        stream = connection.newStream()
        domain.openChannel("org.example.words", stream)
        #   A port can be open once only.
        self.guest.type("(read words; echo heard $words >&0) <>/dev/vport0p2 &")
        stream.send(b"some words\n")
        heard = bytearray()

        def listen():
            while not heard.endswith(b"\n"):
                heard.extend(stream.recv(4096))

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        listener.join(PATIENCE)
        self.assertEqual(heard, b"heard some words\n")
        stream.finish()
        for name, words in (("org.qemu.guest_agent.0", "is its agent's"), ("org.example.none", "it has no channel org")):
            with self.assertRaisesRegex(libvirt.libvirtError, words):
                domain.openChannel(name, connection.newStream())

    def check_vcpus(self):
        said = self.client.call("domain.guest_vcpus", domain="web1")
        self.assertEqual((said["vcpus"], said["online"]), ("0-1", "0-1"))
        self.assertEqual(self.run_said("guestvcpus", "web1", "1", "--disable"), "CPUs disabled")
        self.assertEqual(self.guest.run("cat /sys/devices/system/cpu/online"), "0")
        self.assertRegex(self.daemon.run("guestvcpus", "web1"), r"(?m)^online         : 0$")
        self.daemon.run("guestvcpus", "web1", "--cpulist", "1", "--enable")
        self.assertEqual(self.guest.run("cat /sys/devices/system/cpu/online"), "0-1")
        self.daemon.run("setvcpus", "web1", "1", "--guest")
        self.assertEqual(self.daemon.run("vcpucount", "web1", "--guest"), "1\n")
        self.assertEqual(self.daemon.run("vcpucount", "web1", "--guest", "--maximum"), "2\n")
        self.daemon.run("setvcpus", "web1", "2", "--guest")
        self.assertEqual(self.guest.run("cat /sys/devices/system/cpu/online"), "0-1")
        with self.assertRaisesRegex(TroupeError, "has 2, and uses 2"):
            self.client.call("domain.guest_vcpus_set", domain="web1", vcpus=3)
        with self.assertRaises(TroupeError):
            self.client.call("domain.guest_vcpus_set", domain="web1", cpus="7", online=True)
        with self.assertRaisesRegex(TroupeError, "CPUs of domain 'web1'"):
            self.client.call("domain.guest_vcpus_set", domain="web1", cpus="one", online=True)
        self.daemon.run("guestvcpus", "web1", "--enable", status=2)

    def check_password(self):
        self.daemon.run("set-user-password", "web1", "root", "s3cret: Grüße")
        self.assertEqual(self.guest.run("cat /tmp/chpasswd"), "root:s3cret: Grüße")
        self.daemon.run("set-user-password", "web1", "root", "$1$x", "--encrypted")
        self.assertEqual(self.guest.run("cat /tmp/chpasswd"), "-e root:$1$x")
        self.assertNotIn("s3cret", self.daemon.log())

    def check_trim(self):
        self.guest.run("dd if=/dev/zero of=/disk/f bs=64k count=16 2>/dev/null; sync; rm /disk/f; sync; echo")
        self.assertEqual(self.run_said("domfstrim", "web1"), "Trimmed")


if __name__ == "__main__":
    unittest.main()
