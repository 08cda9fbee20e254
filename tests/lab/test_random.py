"""Random sequences of starts, attached and detached devices, ends, kills of QEMU and of the daemon, of three guests that
want the same three virtual functions in each way that there is. After each sequence what is shown of a guest is what
its QEMU has, nothing is listed twice, and what no guest has is as it was before.

TROUPE_LAB_SEED: other ones (a number, or random; a failure says which it was). TROUPE_LAB_SEQUENCES: more than 50."""

import contextlib
import json
import os
import random
import signal
import time
import unittest
import xml.etree.ElementTree as ET

import lab
from guests import GuestTest, hostdev, interface, pooled
from harness import PATIENCE, seed, until
from troupe_client import TroupeError

SEED = seed("TROUPE_LAB_SEED")
SEQUENCES = int(os.environ.get("TROUPE_LAB_SEQUENCES") or 50)

#   What may go wrong: a device is somebody else's, or the guest's already, or gone; a guest does not run, or does already; or ended meanwhile.
EXPECTED = ("VIR_ERR_OPERATION_INVALID", "VIR_ERR_OPERATION_FAILED", "VIR_ERR_DEVICE_MISSING", "VIR_ERR_RESOURCE_BUSY",
            "VIR_ERR_OPERATION_ABORTED", "VIR_ERR_OPERATION_TIMEOUT", "VIR_ERR_XML_ERROR")

GUESTS = ("web0", "web1", "web2")
PORTS_OF_POOL = "02"  # the fifth part of a MAC: who is plugged into the network


def mac(kind, guest, number):
    return f"52:54:00:77:{kind}:{GUESTS.index(guest)}{number}"


class Sequences(GuestTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.calls = {}  # not answered yet: which guest each is about
        self.attached = {name: [] for name in GUESTS}  # what was asked for, had or not
        self.steps = []
        self.make_pool(extra="<vlan><tag id='7'/></vlan>")
        for name, devices in zip(GUESTS, ((), (self.device("web1", 0),), (pooled("pool", mac("02", "web2", 9)),))):
            self.define_system(name, *devices)
        self.defined = self.definitions()

    #   What is done.

    def device(self, name, number):
        """A device for a guest: of which kind, and which function, is chosen."""
        function = self.random.choice(self.functions)
        return self.random.choice((
            hostdev(function), interface(function, mac("01", name, number)),
            pooled("pool", mac(PORTS_OF_POOL, name, number))))

    def send(self, name, verb, **args):
        """Often nobody waits for the answer, and the next step comes at any moment."""
        self.steps.append(f"{verb} {name} {' '.join(map(str, args.values()))}")
        self.calls[self.client.send(verb, domain=name, **args)] = name
        if self.random.random() < 0.4:
            self.answers(5)
        else:
            time.sleep(self.random.choice((0, 0.05, 0.2, 0.5)))

    def answers(self, seconds):
        """Waits for what was sent; whether all was answered in that time."""
        end = time.monotonic() + seconds
        while self.calls and self.client.poll(max(0, end - time.monotonic())):
            self.take(self.client.wait_any())
        return not self.calls

    def all_answered(self):
        until(lambda: self.answers(PATIENCE), what=f"answers to {self.calls}")

    def take(self, answer):
        del self.calls[answer["id"]]
        if answer["kind"] == "reply":
            return
        error = answer["error"]
        self.assertIn(error["name"], EXPECTED, error["message"])
        self.assertNotIn("\n", error["message"])

    def qemu_of(self, name):
        """The pid of a guest's QEMU, if it has one."""
        for line in self.daemon.processes():
            if f"-name guest={name}," in line or f"-name guest={name} " in line:
                return int(line.split()[0])
        return None

    def signal(self, name, number):
        pid = self.qemu_of(name)
        if pid:
            self.steps.append(f"{number.name} {name}")
            with contextlib.suppress(ProcessLookupError):  # it is ending as we look
                os.kill(pid, number)

    def start(self, name):
        self.send(name, "domain.create")

    def attach(self, name):
        device = self.device(name, 1 + len(self.attached[name]) % 8)
        self.attached[name].append(device)
        self.send(name, "domain.device_attach", xml=device, live=True)

    def detach(self, name):
        if self.attached[name]:
            self.send(name, "domain.device_detach", live=True, wait_ms=self.random.choice((300, 2000)),
                      xml=self.random.choice(self.attached[name]))

    def destroy(self, name):
        self.send(name, "domain.destroy")

    def suspend(self, name):
        self.send(name, "domain.suspend")

    def kill(self, name):
        self.signal(name, signal.SIGKILL)

    def freeze(self, name):
        self.signal(name, signal.SIGSTOP)

    def thaw(self, name):
        self.signal(name, signal.SIGCONT)

    def kill_daemon(self, name):
        self.steps.append("kill the daemon")
        self.calls.clear()
        self.restart()

    STEPS = ((start, 3), (attach, 6), (detach, 4), (destroy, 1), (suspend, 1), (kill, 1), (freeze, 2), (thaw, 2),
             (kill_daemon, 2))

    def sequence(self):
        doing, weights = zip(*self.STEPS)
        if not any(self.qemu_of(name) for name in GUESTS):
            self.start(self.random.choice(GUESTS))
        for step in self.random.choices(doing, weights, k=self.random.randint(3, 6)):
            step(self, self.random.choice(GUESTS))

    #   What has to be so then.

    def settle(self):
        """No process is stopped, no call waits, no guest is suspended."""
        for name in GUESTS:
            self.thaw(name)
        self.all_answered()
        for domain in self.client.call("domain.list"):
            self.send(domain["name"], "domain.resume")
        self.all_answered()
        end = time.monotonic() + PATIENCE
        while (problem := self.problem()) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertIsNone(problem)

    def qemu_has(self, name):
        """{alias: the host's device}, as QEMU has it."""
        def ask(command, **arguments):
            text = json.dumps({"execute": command, "arguments": arguments})
            return json.loads(self.client.call("domain.monitor_command", domain=name, command=text)["reply"])["return"]
        return {each["name"]: ask("qom-get", path=f"/machine/peripheral/{each['name']}", property="host")
                for each in ask("qom-list", path="/machine/peripheral") if each["type"] == "child<vfio-pci>"}

    def shown(self, name):
        """{alias: (the host's device, MAC)}, as its document says; twice the same alias is none."""
        devices = ET.fromstring(self.client.call("domain.xml", domain=name)["xml"]).find("devices")
        found = [each for each in devices if each.tag == "hostdev" or each.get("type") == "hostdev"]
        aliases = [each.find("alias").get("name") for each in found]
        self.assertEqual(len(aliases), len(set(aliases)))
        return {each.find("alias").get("name"): (address_of(each), mac_of(each)) for each in found}

    def problem(self):
        """What is not as it has to be; None: all is well. Some of it comes with time."""
        try:
            return self.look()
        except TroupeError as error:  # a guest that ends just now
            return error.message

    def look(self):
        have = {}
        for domain in self.client.call("domain.list"):
            name = domain["name"]
            shown = self.shown(name)
            has = self.qemu_has(name)
            if {alias: address for alias, (address, unused) in shown.items()} != has:
                return f"'{name}' is shown with {shown}, and QEMU has {has}"
            for address, its_mac in shown.values():
                if address in have:
                    return f"{address} is listed twice"
                have[address] = (name, its_mac)
        return self.look_at_ports(have) or self.look_at_functions(have)

    def look_at_ports(self, have):
        ports = sorted(port["mac"] for port in self.client.call("network.ports", network="pool"))
        pooled = sorted(its_mac for unused, its_mac in have.values() if its_mac and f":{PORTS_OF_POOL}:" in its_mac)
        return None if ports == pooled else f"the network's ports are {ports}, and of its guests {pooled}"

    def look_at_functions(self, have):
        settings = lab.settings()
        for function, before, now in zip(self.functions, self.before, settings):
            holder, its_mac = have.get(function, (None, None))
            info = self.info(function)
            if info["holder_name"] != holder or info["state"] != ("detached" if holder else "host"):
                return f"'{holder}' has {function}, which is '{info['state']}', of '{info['holder_name']}'"
            if lab.driver(function) != ("vfio-pci" if holder else "igbvf"):
                return f"{function}, of '{holder}', has the driver {lab.driver(function)}"
            wanted = (its_mac, 7 if f":{PORTS_OF_POOL}:" in its_mac else 0, False) if its_mac else before
            if now != wanted:
                return f"{function} has {now}, not {wanted}"
        return None

    def leave(self):
        """All guests give back what they have, by their end or as they run."""
        for domain in self.client.call("domain.list"):
            name = domain["name"]
            if self.random.random() < 0.5:
                self.destroy(name)
            else:
                for alias in self.shown(name):
                    self.send(name, "domain.device_detach", alias=alias)
        self.all_answered()
        self.all_returned()
        until(lambda: not self.client.call("network.ports", network="pool"), what="the end of all ports")
        self.assertEqual(self.definitions(), self.defined)
        self.assertEqual([each for each in self.client.call("host.actors") if each["restarts"]], [])
        for attached in self.attached.values():
            attached.clear()

    def definitions(self):
        return [self.client.call("domain.xml", domain=name, inactive=True)["xml"] for name in GUESTS]

    def test_sequences(self):
        begun = time.monotonic()
        for number in range(SEQUENCES):
            self.steps.clear()
            try:
                self.sequence()
                self.settle()
                self.leave()
            except BaseException:
                print(f"\nTROUPE_LAB_SEED={SEED}: sequence {number}:", *self.steps, sep="\n    ")
                raise
        print(f"{SEQUENCES} sequences in {time.monotonic() - begun:.0f} s (TROUPE_LAB_SEED={SEED})")


def address_of(device):
    """As sysfs writes it."""
    at = device.find("source/address")
    return "{:04x}:{:02x}:{:02x}.{:x}".format(*(int(at.get(part), 16)
                                                for part in ("domain", "bus", "slot", "function")))


def mac_of(device):
    found = device.find("mac")
    return None if found is None else found.get("address")


if __name__ == "__main__":
    unittest.main()
