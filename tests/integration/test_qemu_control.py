"""What is done to a running guest and leaves its definition alone: keys, interrupts, displays."""

import os
import re

from guest import QemuTest
from harness import PATIENCE, until
from troupe_client import TroupeError

DEVICES = """<console type='pty'/><video><model type='vga'/></video>
    <graphics type='vnc' autoport='yes' passwd='s3cret'><listen type='address' address='127.0.0.1'/></graphics>
    <disk type='file'><driver name='qemu' type='raw'/><source file='{}'/><target dev='vda' bus='virtio'/></disk>"""


class Control(QemuTest):
    def test_all(self):
        image = os.path.join(self.daemon.root, "disk.raw")
        with open(image, "wb") as file:
            file.truncate(4 << 20)
        (self.guest,) = self.boot("web1", devices=DEVICES.format(image))
        checks = (
            self.check_keys,
            self.check_interrupt,
            self.check_display,
            self.check_dirty_rate,
            self.check_no_sleeper,
            self.check_threshold,
            self.check_lifecycle_action,
        )
        for check in checks:
            with self.subTest(check.__name__):
                check()

    def interrupts(self, pattern):
        """How many of these the guest has counted."""
        text = self.guest.run(f"grep -i '{pattern}' /proc/interrupts || true")
        return sum(int(number) for number in re.findall(r":\s+(\d+)", text))

    def check_keys(self):
        before = self.interrupts("i8042")
        self.daemon.run("send-key", "web1", "KEY_LEFTSHIFT", "KEY_A")
        self.daemon.run("send-key", "web1", "--codeset", "usb", "--holdtime", "50", "4", "5")
        until(lambda: self.interrupts("i8042") > before, PATIENCE, "keys in the guest")
        failed = self.daemon.run("send-key", "web1", "KEY_WRONG", status=None)
        self.assertIn("has no key 'KEY_WRONG'", failed.stderr)
        failed = self.daemon.run("send-key", "web1", "--codeset", "osx", "1", status=None)
        self.assertIn("osx", failed.stderr)
        self.daemon.run("send-key", "web1", status=2)

    def check_interrupt(self):
        before = self.interrupts("NMI")
        self.daemon.run("inject-nmi", "web1")
        until(lambda: self.interrupts("NMI") > before, PATIENCE, "an NMI in the guest")

    def check_display(self):
        self.assertRegex(self.daemon.run("domdisplay", "web1"), r"^vnc://127\.0\.0\.1:\d+\n$")
        self.assertRegex(
            self.daemon.run("domdisplay", "web1", "--include-password"),
            r"^vnc://:s3cret@127\.0\.0\.1:\d+\n$",
        )
        self.assertEqual(len(self.daemon.json("domdisplay", "web1", "--all")), 1)
        failed = self.daemon.run("domdisplay", "web1", "--type", "spice", status=None)
        self.assertIn("has no display of type spice", failed.stderr)
        self.assertEqual(self.daemon.run("domcontrol", "web1"), "ok\n")

    def check_dirty_rate(self):
        self.daemon.run("domdirtyrate-calc", "web1", "--seconds", "1")

        def measured():
            said = self.daemon.run("domstats", "--dirtyrate", "web1")
            return "dirtyrate.megabytes_per_second=" in said

        until(measured, PATIENCE, "the dirty rate")
        failed = self.daemon.run("domdirtyrate-calc", "web1", "--seconds", "61", status=None)
        self.assertIn("1 to 60 seconds", failed.stderr)

    def check_no_sleeper(self):
        failed = self.daemon.run("dompmwakeup", "web1", status=None)
        self.assertIn("it is not asleep", failed.stderr)

    def check_threshold(self):
        self.client.call("event.subscribe", verbs=["domain.block_threshold"])
        self.daemon.run("domblkthreshold", "web1", "vda", "2MiB")
        self.guest.run("dd if=/dev/zero of=/dev/vda bs=1024 count=8 seek=3072; sync")
        told = self.client.next_event("domain.block_threshold", timeout=PATIENCE)["args"]
        self.assertEqual((told["device"], told["threshold"]), ("vda", 2 << 20))
        failed = self.daemon.run("domblkthreshold", "web1", "vdx", "1", status=None)
        self.assertIn("vdx", failed.stderr)

    def check_lifecycle_action(self):
        """A guest that reboots ends, because that was asked for while it ran."""
        with self.assertRaisesRegex(TroupeError, "say live and config"):
            self.client.call("domain.lifecycle_action_set", domain="web1", type="poweroff", action="restart", live=True)
        with self.assertRaisesRegex(TroupeError, "'coredump-destroy'"):
            self.client.call(
                "domain.lifecycle_action_set", domain="web1", type="crash", action="coredump-destroy", config=True
            )
        self.daemon.run("set-lifecycle-action", "web1", "crash", "preserve", "--live", "--config")
        self.daemon.run("set-lifecycle-action", "web1", "reboot", "destroy", "--live")
        self.assertIn("<on_reboot>destroy<", self.daemon.run("dumpxml", "web1"))
        self.assertNotIn("<on_reboot>destroy<", self.daemon.run("dumpxml", "--inactive", "web1"))
        self.assertIn("<on_crash>preserve<", self.daemon.run("dumpxml", "--inactive", "web1"))
        self.guest.type("reboot -f")
        until(lambda: self.guest.state()[0] == "shut off", PATIENCE, "the end of the guest")
        failed = self.daemon.run("domdisplay", "web1", status=None)
        self.assertIn("is not running", failed.stderr)
