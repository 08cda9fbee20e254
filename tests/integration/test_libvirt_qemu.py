"""libvirt's clients and a real guest under QEMU."""

import glob
import json
import os
import signal
import socket
import subprocess
import sys

import libvirt
import libvirt_qemu

from guest import processes_of, qemu_domain, require_guest, stop_process
from harness import PATIENCE, ClientTest, until
from libvirt_client import uri, virsh
from troupe_client import TroupeError


class Qemu(ClientTest):
    def setUp(self):
        require_guest()
        super().setUp()
        libvirt.registerErrorHandler(lambda *unused: None, None)
        self.connection = libvirt.open(uri(self.daemon, "qemu:///system"))
        self.addCleanup(self.connection.close)

    def path(self, name):
        return os.path.join(self.daemon.root, name)

    def virsh(self, *args):
        return virsh(self.daemon, *args, connect="qemu:///system")

    def test_guest(self):
        disk = self.path("disk.img")
        with open(disk, "wb") as file:
            file.truncate(8 * 1024 * 1024)
        devices = (
            "<video><model type='vga'/></video><graphics type='vnc' autoport='yes'/>"
            f"<disk><source file='{disk}'/><target dev='vda'/></disk>"
        )
        self.virsh("create", self.write("seen.xml", qemu_domain("seen", devices)), "--paused")
        domain = self.connection.lookupByName("seen")
        self.screenshot()
        self.monitor(domain)
        self.descriptors(domain)
        self.peek(domain, disk)
        self.statistics(domain)
        self.assertEqual(domain.OSType(), "hvm")
        self.assertGreater(self.connection.getVersion(), 2000000)
        self.assertEqual(domain.info()[:4], [libvirt.VIR_DOMAIN_PAUSED, 131072, 131072, 1])
        self.cpu_time(domain)
        domain.destroy()

    def cpu_time(self, domain):
        """It is the process's, as it is now: QEMU is not asked."""
        (pid,) = processes_of(domain.UUIDString())
        self.addCleanup(lambda: processes_of(domain.UUIDString()) and os.kill(pid, signal.SIGCONT))
        stop_process(pid)
        (cpu,) = domain.getCPUStats(True)
        now = libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
        ((_, stats),) = self.connection.getAllDomainStats(now)
        told = [domain.info()[4], cpu["cpu_time"], stats["cpu.time"]]
        with open(f"/proc/{pid}/stat") as file:
            ticks = sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))
        #   /proc cuts off both of its figures.
        second = 1000000000
        expected, slack = ticks * second // os.sysconf("SC_CLK_TCK"), 2 * second // os.sysconf("SC_CLK_TCK")
        for each in told:
            self.assertGreaterEqual(each, expected)
            self.assertLessEqual(each, expected + slack)
        self.assertEqual(stats["cpu.user"] + stats["cpu.system"], stats["cpu.time"])
        self.assertEqual(stats["state.state"], libvirt.VIR_DOMAIN_PAUSED)
        self.assertFalse(any(name.startswith(("block.", "balloon.", "vcpu.")) for name in stats))
        os.kill(pid, signal.SIGCONT)

    def screenshot(self):
        path = self.path("picture")
        self.virsh("screenshot", "seen", path)
        with open(path, "rb") as file:
            self.assertIn(file.read(4), (b"\x89PNG", b"P6\n7"))

    def monitor(self, domain):
        answer = json.loads(self.virsh("qemu-monitor-command", "seen", '{"execute":"query-status"}'))
        self.assertEqual(answer["return"]["status"], "prelaunch")
        answer = libvirt_qemu.qemuMonitorCommand(domain, "info status", 1)
        self.assertIn("paused", answer)
        with self.assertRaises(libvirt.libvirtError):
            libvirt_qemu.qemuAgentCommand(domain, '{"execute":"guest-ping"}', 1, 0)

    def peek(self, domain, disk):
        """What the firmware has at the end of the first MiB: a jump, and its date."""
        for flag in (libvirt.VIR_MEMORY_PHYSICAL, libvirt.VIR_MEMORY_VIRTUAL):
            seen = domain.memoryPeek(0xFFFF0, 16, flag)
            self.assertEqual(seen[0], 0xEA)
            self.assertRegex(seen[5:13], rb"^\d\d/\d\d/\d\d$")
        most = 4 << 20
        self.assertEqual(domain.memoryPeek(1 << 20, most, libvirt.VIR_MEMORY_PHYSICAL), bytes(most))
        with open(disk, "r+b") as file:
            os.pwrite(file.fileno(), b"what is on it", 4099)
        for name in ("vda", disk):
            self.assertEqual(domain.blockPeek(name, 4096, 16), b"\0\0\0what is on it")
        self.assertEqual(domain.blockPeek("vda", 0, most), bytes(4099) + b"what is on it" + bytes(most - 4112))
        refused = {
            "has no disk 'vdb'": lambda: domain.blockPeek("vdb", 0, 1),
            "ends at 8388608, before 2 bytes": lambda: domain.blockPeek("vda", (8 << 20) - 1, 2),
            "too large": lambda: domain.blockPeek("vda", 1 << 63, 1),
            #   Where operating systems are, which the firmware has not.
            "Invalid addr 0xffffffff81000000/": lambda: domain.memoryPeek(
                0xFFFFFFFF81000000, 8, libvirt.VIR_MEMORY_VIRTUAL),
        }
        for words, call in refused.items():
            with self.assertRaisesRegex(libvirt.libvirtError, words):
                call()
        with self.assertRaisesRegex(TroupeError, "at most 4194304"):
            self.client.call("domain.memory_peek", domain="seen", address=0, size=most + 1)
        self.assertEqual(glob.glob(os.path.join(self.daemon.root, "run/troupe/qemu/*.peek")), [])

    def daemon_descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def descriptors(self, domain):
        """They come from clients and go to them; the daemon keeps none."""
        before = self.daemon_descriptors()
        with socket.socket(fileno=domain.openGraphicsFD(0)) as display:
            self.assertEqual(display.recv(4), b"RFB ")
        ours, theirs = socket.socketpair()
        with ours, theirs:
            domain.openGraphics(0, theirs.fileno(), libvirt.VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH)
            theirs.close()
            self.assertEqual(ours.recv(4), b"RFB ")
        for call in (lambda: domain.openGraphicsFD(1), lambda: domain.openGraphics(1, sys.stdin.fileno())):
            with self.assertRaisesRegex(libvirt.libvirtError, "socket|it has no display 1"):
                call()
        #   virsh passes one with a command of QEMU's.
        path = self.path("passed")
        with open(path, "w") as file:
            command = '{"execute":"add-fd","arguments":{"fdset-id":7}}'
            words = ["qemu-monitor-command", "seen", "--pass-fds", str(file.fileno()), command]
            virsh = ["virsh", "-q", "-c", uri(self.daemon, "qemu:///system"), *words]
            done = subprocess.run(virsh, capture_output=True, text=True, timeout=PATIENCE, pass_fds=[file.fileno()])
        if "pass-fds" not in done.stderr:
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["return"]["fdset-id"], 7)
            (pid,) = processes_of(domain.UUIDString())
            #   Stopped: a client of its display has just gone, whose descriptor it would close.
            stop_process(pid)
            links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
            os.kill(pid, signal.SIGCONT)
            self.assertIn(path, links)
        until(lambda: self.daemon_descriptors() <= before, what="the daemon's descriptors to be closed")

    def statistics(self, domain):
        ((who, stats),) = self.connection.getAllDomainStats()
        self.assertEqual(who.name(), "seen")
        expected = {
            "state.state": libvirt.VIR_DOMAIN_PAUSED,
            "vcpu.current": 1,
            "balloon.maximum": 131072,
            "block.count": 1,
            "block.0.name": "vda",
            "block.0.path": self.path("disk.img"),
            "block.0.capacity": 8 * 1024 * 1024,
        }
        self.assertEqual({name: stats.get(name) for name in expected}, expected)
        self.assertGreater(stats["cpu.time"], 0)
        #   Only what is asked for.
        ((_, stats),) = self.connection.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_STATE)
        self.assertEqual(set(stats), {"state.state", "state.reason"})
        off = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE
        self.assertEqual(self.connection.getAllDomainStats(0, off), [])
        self.assertIn("block.0.name=vda", self.virsh("domstats", "--block", "seen"))
        everything = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS
        with self.assertRaises(libvirt.libvirtError):
            self.connection.getAllDomainStats(1 << 20, everything)
