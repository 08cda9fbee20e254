"""virsh and libvirt's Python binding on what can be set of a real guest's parts while it runs."""

import json
import os
import unittest
from xml.etree import ElementTree

import libvirt

from guest import QemuTest, processes_of
from libvirt_client import Virsh, uri

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG


class Devices(Virsh, QemuTest):
    connect = "qemu:///system"

    def setUp(self):
        super().setUp()
        libvirt.registerErrorHandler(lambda *unused: None, None)

    def open(self):
        connection = libvirt.open(uri(self.daemon, "qemu:///system"))
        self.addCleanup(connection.close)
        return connection.lookupByName("web1")

    def xml(self, inactive=False):
        text = self.client.call("domain.xml", domain="web1", inactive=inactive)["xml"]
        return ElementTree.fromstring(text)

    def fails(self, code, call, *args):
        with self.assertRaises(libvirt.libvirtError) as failed:
            call(*args)
        self.assertEqual(failed.exception.get_error_code(), code, failed.exception)
        return str(failed.exception)

    def qemu(self, execute, **arguments):
        command = json.dumps({"execute": execute, "arguments": arguments})
        reply = self.client.call("domain.monitor_command", domain="web1", command=command)["reply"]
        return json.loads(reply)["return"]

    def iothreads(self):
        return {each["id"]: each for each in self.qemu("query-iothreads")}

    def test_iothreads(self):
        """They come, go and change; with them their pins."""
        path = os.path.join(self.daemon.root, "disk.raw")
        with open(path, "wb") as file:
            file.truncate(1 << 20)
        disk = (
            f"<disk type='file'><driver name='qemu' type='raw' iothread='1'/><source file='{path}'/>"
            "<target dev='vda' bus='virtio'/></disk>"
        )
        extra = "<iothreads>2</iothreads><cputune><iothreadpin iothread='2' cpuset='0'/></cputune>"
        guest = self.start("web1", devices=disk, extra=extra)
        domain = self.open()
        self.virsh("iothreadadd", "web1", "5", "--live", "--config")
        self.assertEqual(set(self.iothreads()), {"iothread1", "iothread2", "iothread5"})
        self.virsh("iothreadset", "web1", "5", "--poll-max-ns", "4000", "--poll-grow", "3", "--live")
        now = self.iothreads()["iothread5"]
        self.assertEqual((now["poll-max-ns"], now["poll-grow"]), (4000, 3))
        self.virsh("iothreadset", "web1", "5", "--thread-pool-min", "100", "--thread-pool-max", "200")
        domain.setIOThreadParams(5, {"thread_pool_min": 2, "thread_pool_max": 8}, LIVE)
        path = {"path": "/objects/iothread5", "property": "thread-pool-max"}
        self.assertEqual(self.qemu("qom-get", **path), 8)
        self.virsh("iothreadpin", "web1", "5", "0", "--live")
        rows = dict(map(str.split, self.virsh("iothreadinfo", "web1").splitlines()))
        self.assertEqual((set(rows), rows["2"], rows["5"]), ({"1", "2", "5"}, "0", "0"))
        self.assertIn("iothread.5.poll-max-ns=4000", self.virsh("domstats", "web1", "--iothread"))
        before = self.xml()
        for call, *args in (
            (domain.addIOThread, 5, LIVE),
            (domain.addIOThread, 0, LIVE),
            (domain.delIOThread, 7, LIVE),
            (domain.delIOThread, 1, LIVE),
            (domain.setIOThreadParams, 5, {"thread_pool_min": 9}, LIVE),
        ):
            self.fails(libvirt.VIR_ERR_INVALID_ARG, call, *args)
        self.assertEqual(ElementTree.tostring(self.xml()), ElementTree.tostring(before))
        self.virsh("iothreaddel", "web1", "2", "--live")
        self.assertEqual(set(self.iothreads()), {"iothread1", "iothread5"})
        self.assertEqual([pin.get("iothread") for pin in self.xml().iter("iothreadpin")], ["5"])
        self.again(guest)

    def again(self, guest):
        """The next daemon knows them; the next start has those of the definition."""
        self.restart()
        self.assertEqual({row[0] for row in self.rows("iothreadinfo", "web1")}, {"1", "5"})
        self.daemon.run("destroy", "web1")
        self.daemon.run("iothreadset", "web1", "5", "--poll-max-ns", "0", "--config")
        self.client.call("domain.create", domain=guest.uuid, paused=True)
        self.assertEqual(set(self.iothreads()), {"iothread1", "iothread2", "iothread5"})
        self.assertEqual(self.iothreads()["iothread5"]["poll-max-ns"], 0)
        self.assertEqual(len(processes_of(guest.uuid)), 1)


if __name__ == "__main__":
    unittest.main()
