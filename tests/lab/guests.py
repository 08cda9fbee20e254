"""What tests of guests with PCI devices of the host share: their documents, and a daemon that knows QEMU
already."""

import json
import os
import subprocess

import lab
import emulator
from devices import HeldTest
from firmware import SYSTEM
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


#   Free slots of PCI Express.
PORTS = "<controller type='pci' index='0' model='pcie-root'/>" + \
    "".join(f"<controller type='pci' index='{index}' model='pcie-root-port'/>" for index in range(1, 5))

def guest(name, *hostdevs, firmware=""):
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type>{firmware}</os>
  <devices>{"".join(hostdevs)}</devices>
</domain>"""


class GuestTest(HeldTest):
    def make_daemon(self):
        return emulator.give(super().make_daemon())

    def setUp(self):
        super().setUp()
        self.before = lab.settings()

    def as_before(self):
        super().as_before()
        self.assertEqual(lab.settings(), self.before)

    def define_guest(self, name, *devices):
        """One that has nothing to do, and so leaves the lab's time to others."""
        path = os.path.join(self.daemon.root, "system")
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.write(SYSTEM)
        self.client.call("domain.define", xml=guest(name, *devices, firmware=f"<loader>{path}</loader>"))

    def keep_from_vfio(self, function):
        """What the daemon writes to its driver_override does not come to the kernel, which gives the function to its
        own driver again and again: it is not vfio-pci's, though each write was good."""
        override = lab.path(function, "driver_override")
        subprocess.run(["mount", "--bind", self.write(f"override-{function}", "(null)\n"), override], check=True)
        self.addCleanup(subprocess.run, ["umount", override], check=True)

    def start_all(self, names):
        """What came of it, for each: None, or the error."""
        ids = [self.client.send("domain.create", domain=name) for name in names]
        outcomes = []
        for id in ids:
            try:
                self.client.wait(id)
                outcomes.append(None)
            except Exception as error:  # the answer's
                outcomes.append(str(error))
        return outcomes

    def refused_start(self, name):
        done = self.daemon.run("start", name, status=None)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stderr

    def has_function(self, name):
        return self.device_of(name, "hostdev0") == self.function

    def monitor(self, name, *command):
        return self.daemon.run("qemu-monitor-command", name, *command)

    def define_system(self, name, *devices):
        """A guest that has free slots, and lets go of what is to go, as long as it is not suspended."""
        said = os.path.join(self.daemon.root, f"{name}.said")
        self.define_guest(name, PORTS, f"<serial type='file'><source path='{said}'/></serial>", *devices)

    def start_system(self, name, *devices):
        self.define_system(name, *devices)
        self.start_again(name)

    def start_again(self, name):
        said = os.path.join(self.daemon.root, f"{name}.said")
        if os.path.exists(said):
            os.unlink(said)
        self.daemon.run("start", name)
        until(lambda: os.path.exists(said) and os.path.getsize(said) > 0, what="the guest's system")

    def qemu(self):
        """The pid of the only guest's QEMU."""
        found = [line.split()[0] for line in self.daemon.processes() if "-name guest=" in line]
        self.assertEqual(len(found), 1)
        return int(found[0])

    def all_returned(self):
        """The host has all functions, with what the card had set for them; nothing is on file."""
        def returned():
            return all(lab.driver(each) == "igbvf" for each in self.functions) and \
                not any(name.endswith(".status") for name in os.listdir(os.path.dirname(self.status)))
        until(returned, what="the return of all")
        self.assertEqual(lab.settings(), self.before)

    def make_network(self, name, forward, extra=""):
        path = self.write(f"{name}.xml", f"<network><name>{name}</name><forward mode='hostdev' managed='yes'>"
                                         f"{forward}</forward>{extra}</network>")
        self.daemon.run("net-create", path)

    def make_pool(self, name="pool", extra=""):
        self.make_network(name, f"<pf dev='{lab.card_interface()}'/>", extra)

    def ports(self, name="pool"):
        return self.daemon.run("net-port-list", name).split("\n")[2:-2]

    def device_of(self, name, alias="net0", which="host"):
        """Which device of the host QEMU has under this alias."""
        ask = {"execute": "qom-get",
               "arguments": {"path": f"/machine/peripheral/{alias}", "property": which}}
        return json.loads(self.monitor(name, json.dumps(ask)))["return"]

    def returned(self):
        until(self.is_back, what="its return")
        until(lambda: not os.path.exists(self.status), what="the end of its file")
