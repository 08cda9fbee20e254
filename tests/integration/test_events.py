"""What real guests do by themselves, or have done to them, as clients hear of it."""

import os
import subprocess
import unittest

from guest import QemuTest
from harness import until


class Events(QemuTest):
    def boot_one(self, devices=""):
        """A guest, and its events from then on."""
        (guest,) = self.boot("web1", devices="<console type='pty'/>" + devices)
        self.client.call("event.subscribe")
        return guest

    def path(self, name):
        return os.path.join(self.daemon.root, name)

    def disk(self, folder="", mib=8):
        path = self.path(os.path.join(folder, "disk.img"))
        with open(path, "wb") as file:
            file.truncate(mib * 1024 * 1024)
        return path

    @staticmethod
    def disk_xml(path):
        return f"<disk><source file='{path}'/><target dev='vda'/></disk>"

    def hmp(self, command):
        return self.client.call("domain.monitor_command", domain="web1", command=command, hmp=True)

    def qmp(self, command):
        return self.client.call("domain.monitor_command", domain="web1", command=command)

    def event(self, verb, **wanted):
        """The next event; its own arguments."""
        args = self.client.next_event(verb, timeout=60, **wanted)["args"]
        return {key: args[key] for key in args if key not in ("seq", "uuid", "id", "name")}

    def lifecycle_of(self, event):
        return self.event("domain.lifecycle", event_text=event)["detail_text"]

    def test_clock_balloon_and_tray(self):
        image = self.disk()
        guest = self.boot_one(
            f"<disk device='cdrom'><source file='{image}'/><target dev='hda'/><readonly/></disk>"
        )
        #   The guest's clock: the hours' register of its CMOS.
        self.hmp("o /b 0x70 0x0b")
        self.hmp("o /b 0x70 4")
        self.hmp("o /b 0x71 3")
        self.assertEqual(list(self.event("domain.rtc_change")), ["offset"])
        self.hmp("balloon 100")
        until(
            lambda: self.event("domain.balloon") == {"memory_kib": 100 * 1024},
            60,
            "a smaller balloon",
        )
        tray = {"number": 0, "tray": "open", "device": "ide0-0-0"}
        self.qmp('{"execute": "blockdev-open-tray", "arguments": {"id": "ide0-0-0", "force": true}}')
        self.assertEqual(self.event("domain.tray"), tray)
        self.qmp('{"execute": "blockdev-close-tray", "arguments": {"id": "ide0-0-0"}}')
        self.assertEqual(self.event("domain.tray"), tray | {"number": 1, "tray": "closed"})
        guest.type("reboot")
        self.event("domain.reboot")

    def test_watchdog(self):
        """It fires, and stops the guest, as the definition says."""
        guest = self.boot_one("<watchdog model='ib700' action='pause'/>")
        #   Its I/O port: the guest has no time at all.
        self.hmp("o /b 0x443 0x0f")
        self.assertEqual(self.event("domain.watchdog"), {"number": 1, "action": "pause"})
        self.assertEqual(self.lifecycle_of("Suspended"), "Watchdog")
        self.assertEqual(guest.state(), ("paused", "watchdog"))
        self.client.call("domain.resume", domain="web1")
        self.assertEqual(self.lifecycle_of("Resumed"), "Unpaused")

    def test_threshold(self):
        path = self.disk()
        guest = self.boot_one(self.disk_xml(path))
        self.qmp(
            '{"execute": "block-set-write-threshold", "arguments":'
            ' {"node-name": "disk-vda-file", "write-threshold": 1048576}}'
        )
        guest.run("dd if=/dev/zero of=/dev/vda bs=64k seek=16 count=1 conv=fsync")
        told = self.event("domain.block_threshold")
        self.assertGreater(told.pop("excess"), 0)
        self.assertEqual(told, {"threshold": 1048576, "device": "vda", "path": path})

    @unittest.skipUnless(os.getuid() == 0, "needs a file system that is full")
    def test_full_disk(self):
        """A guest whose disk can't grow is stopped, and goes on once there is room."""
        full = self.path("full")
        os.mkdir(full)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", full], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", full], check=True)
        path = self.disk("full")
        guest = self.boot_one(self.disk_xml(path))
        guest.type("dd if=/dev/urandom of=/dev/vda bs=64k count=4 conv=fsync; echo written")
        told = self.event("domain.io_error")
        alias = told.pop("device")
        self.assertIn(f"<alias name='{alias}'/>", self.xml())
        wanted = {"number": 1, "action": "pause", "path": path, "reason": "enospc"}
        self.assertEqual(told, wanted)
        self.assertEqual(self.lifecycle_of("Suspended"), "I/O Error")
        self.assertEqual(guest.state(), ("paused", "I/O error"))
        self.assertEqual(self.daemon.run("domblkerror", "web1"), "vda: no space\n")
        self.client.call("domain.resume", domain="web1")  # it is stopped again by the same write
        self.event("domain.io_error")
        self.assertEqual(guest.state(), ("paused", "I/O error"))
        subprocess.run(["mount", "-o", "remount,size=16m", full], check=True)
        guest.forget()
        self.client.call("domain.resume", domain="web1")
        guest.console.read_until(b"written", 60)
        self.assertEqual(self.daemon.run("domblkerror", "web1"), "No errors found\n")

    def xml(self):
        return self.client.call("domain.xml", domain="web1")["xml"].replace('"', "'")

    def test_passes_and_the_end_of_a_dump(self):
        guest = self.boot_one()
        self.client.call(
            "domain.dump", domain="web1", path=self.path("core"), live=True, timeout=120
        )
        self.assertGreaterEqual(self.event("domain.migration_iteration")["iteration"], 1)
        told = self.event("domain.job_completed", kind="dump")
        self.assertEqual((told["outcome"], told["operation"]), ("completed", 8))
        self.assertGreater(told["total"], 0)
        self.assertEqual(told["remaining"], 0)
        self.assertEqual(guest.state()[0], "running")


if __name__ == "__main__":
    unittest.main()
