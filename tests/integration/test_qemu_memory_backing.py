"""What of the host is behind a guest's memory, and the vhost-user peers that it is shared with."""

import os
import re
import resource
import signal
import unittest
from xml.etree import ElementTree

import plug
from guest import Guest, QemuTest, qemu_domain
from harness import until
from libvirt_client import Virsh
from troupe_client import TroupeError
from vhost_peer import Peer

SHARED = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
#   With less a guest that can have memory above 4 GiB has none left for its bounce buffers.
CELL = "<cpu><numa><cell id='0' cpus='0' memory='256' unit='MiB'{}/></numa></cpu>"
MORE = "<maxMemory slots='2' unit='MiB'>1024</maxMemory>"
DIMM = "<memory model='dimm'{}><target><size unit='MiB'>128</size><node>0</node></target></memory>"
CAP_SYS_RESOURCE = 24
MEMFD = "/memfd:memory-backend-memfd (deleted)"


def read(path):
    with open(path) as file:
        return file.read()


class Backing(Virsh, QemuTest):
    connect = "qemu:///system"

    def define(self, extra, devices=""):
        return self.client.call("domain.define", xml=qemu_domain("web1", extra=extra, devices=devices))["uuid"]

    def refused(self, words, extra, devices=""):
        with self.assertRaisesRegex(TroupeError, words):
            self.define(extra, devices)

    def peer_xml(self, number, mode="client", extra=""):
        path = os.path.join(self.daemon.root, f"peer{number}")
        return (f"<interface type='vhostuser'><mac address='52:54:00:77:00:0{number}'/>"
                f"<source type='unix' path='{path}' mode='{mode}'/><model type='virtio'/>{extra}</interface>")

    def peer(self, number, listen=True):
        return Peer(self, os.path.join(self.daemon.root, f"peer{number}"), listen)

    def mapping(self, guest, name):
        """What the kernel says of the mapping of a file with this name, or in this folder: numbers, and the mode."""
        found = None
        with open(f"/proc/{guest.pid()}/smaps") as maps:
            for line in maps:
                words = line.split(None, 5)
                if len(words) == 6 and words[5].startswith(name):
                    found = {"mode": words[1]}
                elif found is not None and words[0] == "VmFlags:":
                    return found
                elif found is not None:
                    found[words[0].rstrip(":")] = int(words[1])
        return found

    def command(self, guest):
        with open(f"/proc/{guest.pid()}/cmdline") as file:
            return file.read().split("\0")

    #   Peers.

    def test_peers(self):
        """A peer reads what the guest sends out of its memory: of a card that is there from the start on, and of
        those that come and go, with memory that came too; and the guest is saved and restored."""
        self.refusals()
        self.start_is_cancelled()
        waiting = self.client.send("domain.create_xml", xml=self.waiter("web2", 7), paused=True)
        first = self.peer(1)
        (guest,) = self.boot(
            "web1", devices="<console type='pty'/>" + self.peer_xml(1), extra=SHARED + MORE + CELL.format("")
        )
        self.assertEqual(self.mapping(guest, MEMFD)["mode"], "rw-s")
        self.check_card(guest, first, 1)
        self.plugged_card(guest)
        self.no_peer()
        self.more_memory(guest, first)
        self.saved(guest)
        self.start_waits(waiting)

    def waiter(self, name, number):
        """A guest whose peer connects to QEMU."""
        return qemu_domain(name, extra=SHARED, devices=self.peer_xml(number, "server"), memory_mib=16)

    def start_waits(self, waiting):
        """A guest's start waits for its peer, and not for ever."""
        with self.assertRaisesRegex(TroupeError, "no peer came to the interface's socket within 30 s .unix:.*/peer7"):
            self.client.wait(waiting, 60)
        waiting = self.client.send("domain.create_xml", xml=self.waiter("web2", 8), paused=True)
        self.peer(8, listen=False)
        self.client.wait(waiting, 60)

    def start_is_cancelled(self):
        """While QEMU answers nothing at all."""
        waiting = self.client.send("domain.create_xml", xml=self.waiter("web3", 9), paused=True)
        log = os.path.join(self.daemon.root, "var/log/troupe/qemu/web3.log")
        #   First each waits for the daemon, then this one for its peer.
        until(lambda: os.path.exists(log) and read(log).count("waiting for connection") == 2, what="QEMU")
        self.client.call("domain.job_abort", domain="web3")
        with self.assertRaisesRegex(TroupeError, "start of domain 'web3' was cancelled"):
            self.client.wait(waiting, 60)

    def refusals(self):
        """Without shared memory, nothing is begun."""
        shared = "its peer needs all of the guest's memory, and {} is not shared; write <memoryBacking>"
        self.refused(shared.format("<memory>"), "", self.peer_xml(1))
        private = SHARED.replace("'shared'", "'private'")
        self.refused(shared.format("<memory>"), private, self.peer_xml(1))
        self.refused(shared.format("the NUMA cell 0"), SHARED + CELL.format(" memAccess='private'"), self.peer_xml(1))
        self.define(CELL.format(" memAccess='shared'"), self.peer_xml(1))
        self.daemon.run("undefine", "web1")
        self.client.call("domain.create_xml", xml=qemu_domain("web1"), paused=True)
        self.attach_fails(self.peer_xml(1), "<memory> is not shared")
        self.daemon.run("destroy", "web1")

    def attach_fails(self, xml, words):
        before = plug.has(self.client, "web1")
        with self.assertRaisesRegex(TroupeError, words):
            self.client.call("domain.device_attach", domain="web1", xml=xml, live=True)
        self.assertEqual(plug.has(self.client, "web1"), before)

    def check_card(self, guest, peer, number):
        """The frame that asks for an address comes out of the memory that the peer was given."""
        self.assertEqual(guest.run(f"cat /sys/class/net/eth{number - 1}/address"), f"52:54:00:77:00:0{number}")
        guest.run(f"ip link set eth{number - 1} up; ip addr add 10.{number}.0.1/24 dev eth{number - 1}")
        guest.run(f"ping -c 1 -W 1 10.{number}.0.2")
        asked = bytes.fromhex(f"ffffffffffff52540077000{number}0806")
        until(lambda: any(asked in frame for frame in peer.frames()), what="the guest's ARP request")
        self.assertEqual({region.file for region in peer.regions}, {MEMFD})

    def plugged_card(self, guest):
        before = plug.has(self.client, "web1")
        second = self.peer(2)
        self.client.call("domain.device_attach", domain="web1", xml=self.peer_xml(2), live=True)
        until(lambda: "eth1" in guest.run("ls /sys/class/net"), what="the card")
        self.check_card(guest, second, 2)
        self.client.call("domain.device_detach", domain="web1", xml=self.peer_xml(2), live=True)
        until(lambda: plug.has(self.client, "web1") == before, what="the end of the card")
        second.thread.join(60)
        self.assertFalse(second.thread.is_alive(), "QEMU has the peer's socket still")

    def no_peer(self):
        """QEMU is not told to wait for a peer; and of one that connects to QEMU, it is when that has come."""
        self.attach_fails(self.peer_xml(3), "peer3.*No such file")
        self.attach_fails(self.peer_xml(4, "server"), "no peer came to the interface's socket within 10 s.*peer4")
        before = plug.has(self.client, "web1")
        attaching = self.client.send("domain.device_attach", domain="web1", xml=self.peer_xml(5, "server"), live=True)
        self.peer(5, listen=False)
        self.client.wait(attaching, 60)
        self.client.call("domain.device_detach", domain="web1", xml=self.peer_xml(5, "server"), live=True)
        until(lambda: plug.has(self.client, "web1") == before, what="the end of the card")

    def more_memory(self, guest, peer):
        """What comes is shared, too, or does not come."""
        self.attach_fails(DIMM.format(" access='private'"), "memory 'dimm' is not shared")
        before, blocks = len(peer.regions), self.blocks(guest)
        self.client.call("domain.device_attach", domain="web1", xml=DIMM.format(""), live=True)
        until(lambda: len(peer.regions) > before, what="the dimm in the peer's table")
        #   A guest that is still busy with its insertion would not hear of its removal.
        until(lambda: self.blocks(guest) == blocks + 1, what="the dimm in the guest")
        self.assertEqual({region.file for region in peer.regions}, {MEMFD})
        self.client.call("domain.device_detach", domain="web1", xml=DIMM.format(""), live=True)
        until(lambda: len(peer.regions) == before, what="its end")

    def blocks(self, guest):
        return int(guest.run("ls -d /sys/devices/system/memory/memory* | wc -l"))

    def saved(self, guest):
        """As of any guest, once QEMU has no peer, whose memory it would have to follow."""
        self.client.call("domain.device_detach", domain="web1", xml=self.peer_xml(1), live=True)
        until(lambda: "eth0" not in guest.run("ls /sys/class/net"), what="the end of the card")
        guest.type("memory=kept")
        guest.run("true")
        path = os.path.join(self.daemon.root, "web1.save")
        self.daemon.run("save", "web1", path)
        self.daemon.run("restore", path)
        guest = Guest(self, guest.uuid).open()
        self.assertEqual(guest.run("echo $memory"), "kept")
        self.assertEqual(self.mapping(guest, MEMFD)["mode"], "rw-s")

    #   Backing.

    def test_kinds(self):
        """Each is what QEMU has, and what dumpxml says again; nothing is left of it."""
        self.files()
        self.huge()
        self.locked()

    def files(self):
        backing = ("<memoryBacking><nosharepages/><source type='file'/><access mode='shared'/>"
                   "<allocation mode='immediate' threads='2'/><discard/></memoryBacking>")
        guest = self.start("web1", extra=backing)
        folder = os.path.join(self.daemon.root, "var/lib/troupe/qemu/ram", guest.uuid)
        self.assertEqual(os.listdir(folder), [])
        mapping = self.mapping(guest, folder)
        self.assertEqual((mapping["mode"], mapping["Rss"]), ("rw-s", 128 << 10))
        self.assertIn("mem-merge=off", " ".join(self.command(guest)))
        for options in ([], ["--inactive"]):
            shown = ElementTree.fromstring(self.virsh("dumpxml", "web1", *options)).find("memoryBacking")
            self.assertEqual([ElementTree.tostring(each).strip() for each in shown],
                             [ElementTree.tostring(each) for each in ElementTree.fromstring(backing)])
        os.kill(guest.pid(), signal.SIGKILL)
        until(lambda: not os.path.exists(folder), what="the end of the folder")
        self.daemon.run("undefine", "web1")
        guest = self.start("web1", uuid=guest.uuid, extra="<memoryBacking><source type='file'/></memoryBacking>")
        self.assertEqual(self.mapping(guest, folder)["mode"], "rw-p")
        self.restart()
        self.daemon.run("destroy", "web1")
        self.daemon.run("undefine", "web1")
        self.assertFalse(os.path.exists(folder))

    def pages(self, size, mib):
        return qemu_domain("web1", memory_mib=mib, extra=f"<memoryBacking><hugepages><page {size}/></hugepages></memoryBacking>")

    def huge(self):
        """What the host does not have is said before QEMU is there. (That which it has: tests/lab.)"""
        for size, words in [
            ("size='1' unit='GiB'", "needs 1024 huge pages of 1048576 KiB, and the host has|no huge pages of 1048576 KiB"),
            ("size='4' unit='MiB'", "no huge pages of 4096 KiB .it has: "),
            ("size='3' unit='MiB'", "not supported: memory in pages of 3072 KiB"),
            ("size='2048' nodeset='1'", "no NUMA cell 1"),
        ]:
            with self.subTest(size=size), self.assertRaisesRegex(TroupeError, words):
                self.client.call("domain.create_xml", xml=self.pages(size, 1 << 20), paused=True)

    def locked(self):
        xml = qemu_domain("web1", memory_mib=16, extra="<memoryBacking><locked/></memoryBacking>")
        with open("/proc/self/status") as status:
            can = int(re.search(r"CapEff:\s+(\w+)", status.read()).group(1), 16) >> CAP_SYS_RESOURCE & 1
        if not can and resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] != resource.RLIM_INFINITY:
            with self.assertRaisesRegex(TroupeError, "raise the limit of locked memory to infinity .*CAP_SYS_RESOURCE"):
                self.client.call("domain.create_xml", xml=xml, paused=True)
            return
        uuid = self.client.call("domain.create_xml", xml=xml, paused=True)["uuid"]
        with open(f"/proc/{Guest(self, uuid).pid()}/status") as status:
            self.assertGreater(int(re.search(r"VmLck:\s+(\d+)", status.read()).group(1)), 16 << 10)
        self.daemon.run("destroy", "web1")


if __name__ == "__main__":
    unittest.main()
