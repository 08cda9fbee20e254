"""What tests of guests with PCI devices of the host share: their documents, and a daemon that knows QEMU
already."""

import json
import os
import shutil

import lab
import emulator
from devices import HeldTest
from emulator import CACHE, KEPT
from harness import until


def hostdev(address, managed="yes", extra=""):
    return f"""<hostdev mode='subsystem' type='pci' managed='{managed}'>
  <source>{source(address)}</source>{extra}
</hostdev>"""


def source(address):
    domain, bus, slot = address.split(":")
    slot, function = slot.split(".")
    return f"<address type='pci' domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' function='0x{function}'/>"


def interface(address, mac, managed="yes", extra="", attributes=""):
    return f"""<interface type='hostdev' managed='{managed}'{attributes}>
  <mac address='{mac}'/><source>{source(address)}</source>{extra}
</interface>"""


def pooled(network, mac, extra=""):
    return f"<interface type='network'><mac address='{mac}'/><source network='{network}'/>{extra}</interface>"


def guest(name, *hostdevs):
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>{"".join(hostdevs)}</devices>
</domain>"""


class GuestTest(HeldTest):
    def make_daemon(self):
        daemon = super().make_daemon()
        if os.path.isdir(KEPT):
            shutil.copytree(KEPT, os.path.join(daemon.root, CACHE))
            emulator.of_this_boot(os.path.join(daemon.root, CACHE))
        return daemon

    def define_guest(self, name, *hostdevs):
        self.client.call("domain.define", xml=guest(name, *hostdevs))

    def refused_start(self, name):
        done = self.daemon.run("start", name, status=None)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stderr

    def has_function(self, name):
        ask = {"execute": "qom-get",
               "arguments": {"path": "/machine/peripheral/hostdev0", "property": "host"}}
        answer = self.daemon.run("qemu-monitor-command", name, json.dumps(ask))
        return json.loads(answer)["return"] == self.function

    def qemu(self):
        """The pid of the only guest's QEMU."""
        found = [line.split()[0] for line in self.daemon.processes() if "-name guest=" in line]
        self.assertEqual(len(found), 1)
        return int(found[0])

    def returned(self):
        until(self.is_back, what="its return")
        until(lambda: not os.path.exists(self.status), what="the end of its file")
