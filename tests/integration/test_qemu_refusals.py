"""What can't be is refused: with one clear line that names the object and the cause, leaving nothing
behind, and the daemon goes on."""

import os
import stat
import threading
import unittest

from guest import EMULATOR, Guest, QemuTest, qemu_domain
from harness import PATIENCE, until
from troupe_client import TroupeError

MIB = 1024 * 1024
GOOD = qemu_domain("web1", machine="pc")
BOMB = """<!DOCTYPE domain [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
<domain type='qemu'><name>&d;</name></domain>"""
OUTSIDE = """<!DOCTYPE domain [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<domain type='qemu'><name>&x;</name></domain>"""


def changed(old, new):
    assert old in GOOD, old
    return GOOD.replace(old, new)


def with_devices(devices):
    return qemu_domain("web1", devices=devices)


DISK = "<disk><source file='/x.img'/><target dev='vda'/></disk>"

#   Documents, and what the error has to say.
DOCUMENTS = {
    "empty": ("", r"XML"),
    "no XML": ("hello", r"XML"),
    "cut off": (GOOD[:-30], r"XML"),
    "mismatched tags": (changed("</memory>", "</memry>"), r"memory|memry"),
    "not UTF-8": (GOOD.replace("web1", "w\x01b"), r"XML|name"),
    "entity bomb": (BOMB, r"DOCTYPE"),
    "external entity": (OUTSIDE, r"DOCTYPE"),
    "deep nesting": ("<a>" * 100000 + "</a>" * 100000, r"64|deep|nest"),
    "too large": (changed("</domain>", "<!--" + "x" * (4 * MIB) + "--></domain>"), r"4 MiB|[0-9]{7}"),
    "many attributes": (
        "<domain " + " ".join(f"a{i}='{i}'" for i in range(30000)) + "/>",
        r"attributes",
    ),
    "many elements": (changed("</domain>", "<x/>" * 120000 + "</domain>"), r"elements"),
    "another root": ("<network><name>web1</name></network>", r"network|domain"),
    "unknown type": (changed("type='qemu'", "type='bhyve9'"), r"bhyve9"),
    "no type": (changed("type='qemu'", ""), r"type"),
    "no name": (changed("<name>web1</name>", ""), r"name"),
    "empty name": (changed("<name>web1</name>", "<name></name>"), r"name"),
    "slash in the name": (changed("<name>web1<", "<name>../web1<"), r"name"),
    "name of two lines": (changed("<name>web1<", "<name>we\nb1<"), r"name"),
    "no memory": (changed("<memory unit='MiB'>128</memory>", ""), r"memory"),
    "memory of zero": (changed(">128</memory>", ">0</memory>"), r"memory"),
    "negative memory": (changed(">128</memory>", ">-5</memory>"), r"memory"),
    "memory beyond counting": (changed(">128</memory>", ">99999999999999999999</memory>"), r"memory"),
    "unknown unit": (changed("unit='MiB'", "unit='parsec'"), r"parsec"),
    "vcpus of zero": (changed("<vcpu>1<", "<vcpu>0<"), r"vcpu"),
    "vcpus as a word": (changed("<vcpu>1<", "<vcpu>many<"), r"vcpu"),
    "current vcpus above": (changed("<vcpu>1<", "<vcpu current='8'>1<"), r"vcpu|current"),
    "bad uuid": (changed("<memory", "<uuid>xyz</uuid><memory"), r"uuid"),
    "no os": ("<domain type='qemu'><name>web1</name><memory>65536</memory></domain>", r"os"),
    "unknown machine": (changed("machine='pc'", "machine='pdp11'"), r"pdp11"),
    "unknown architecture": (changed("arch='x86_64'", "arch='vax'"), r"vax"),
    "initrd without kernel": (
        qemu_domain("web1").replace("<kernel>", "<!--").replace("</kernel>", "-->"),
        r"kernel",
    ),
    "disk without target": (with_devices("<disk><source file='/x.img'/></disk>"), r"target"),
    "two disks of one name": (with_devices(DISK + DISK), r"vda"),
    "unknown bus": (
        with_devices("<disk><source file='/x'/><target dev='vda' bus='punch'/></disk>"),
        r"punch",
    ),
    "unknown format": (
        with_devices(DISK.replace("<source", "<driver name='qemu' type='clay'/><source")),
        r"clay",
    ),
    "unknown network card": (
        with_devices("<interface type='user'><model type='tincan'/></interface>"),
        r"tincan",
    ),
    "bad MAC address": (
        with_devices("<interface type='user'><mac address='52:54:00:zz:00:01'/></interface>"),
        r"52:54:00:zz:00:01",
    ),
    "multicast MAC address": (
        with_devices("<interface type='user'><mac address='01:00:5e:00:00:01'/></interface>"),
        r"01:00:5e:00:00:01",
    ),
    "one address twice": (
        with_devices(
            "<interface type='user'><address type='pci' bus='0' slot='9'/></interface>"
            "<rng model='virtio'><backend model='random'>/dev/urandom</backend>"
            "<address type='pci' bus='0' slot='9'/></rng>"
        ),
        r"0*9|address",
    ),
    "one boot order twice": (
        with_devices(
            "<disk><source file='/x'/><target dev='vda'/><boot order='1'/></disk>"
            "<disk><source file='/y'/><target dev='vdb'/><boot order='1'/></disk>"
        ),
        r"order",
    ),
    "what is not supported": (
        with_devices("<tpm model='tpm-tis'><backend type='emulator'/></tpm>"),
        r"not supported: .*tpm",
    ),
}


class Refusals(QemuTest):
    def leftovers(self):
        """Files of domains, but for logs, and processes beside the daemon's own."""
        found = []
        for folder, unused, files in os.walk(self.daemon.root):
            if os.path.basename(folder) == "networks":
                continue  # the default one
            found += [f"{folder}/{name}" for name in files if name.endswith((".xml", ".status"))]
        return found + [line for line in self.daemon.processes() if "trouped --root" not in line]

    def assertNothingThere(self):
        until(lambda: not self.client.call("domain.list", all=True), 10, "the end of all domains")
        until(lambda: not self.leftovers(), 10, f"the end of {self.leftovers()}")

    def refuse(self, verb, pattern, **args):
        """The error's line."""
        with self.assertRaises(TroupeError) as caught:
            self.client.call(verb, **args)
        message = caught.exception.message
        self.assertRegex(message, pattern)
        self.assertNotIn("\n", message)
        self.assertNotEqual(caught.exception.name, "VIR_ERR_INTERNAL_ERROR", message)
        return message

    def test_documents(self):
        for name, (xml, pattern) in DOCUMENTS.items():
            for verb in ("domain.define", "domain.create_xml"):
                with self.subTest(document=name, verb=verb):
                    self.refuse(verb, pattern, xml=xml)
        self.assertNothingThere()
        self.client.call("session.ping")

    def test_the_good_document_is_good(self):
        """Or all of the above would show nothing."""
        self.client.call("domain.define", xml=GOOD)
        self.client.call("domain.undefine", domain="web1")
        self.assertNothingThere()

    def test_names_and_uuids_are_taken_once(self):
        uuid = self.client.call("domain.define", xml=qemu_domain("web1"))["uuid"]
        other = "5b2c6d1e-0000-4000-8000-000000000001"
        self.refuse("domain.define", "web1", xml=qemu_domain("web1", uuid=other))
        self.refuse("domain.create_xml", "web1", xml=qemu_domain("web1", uuid=other))
        self.refuse("domain.define", "web1|web2", xml=qemu_domain("web2", uuid=uuid))
        self.client.call("domain.define", xml=qemu_domain("web1", uuid=uuid, vcpus=2))
        self.assertEqual(self.client.call("domain.info", domain="web1")["vcpus"], 2)
        self.client.call("domain.define", xml=qemu_domain("web2"))
        self.refuse("domain.rename", "web2", domain="web1", name="web2")
        self.client.call("domain.create", domain="web1", paused=True)
        self.refuse("domain.create", "web1.*(running|active)", domain="web1")
        self.refuse("domain.rename", "web1", domain="web1", name="web3")

    def test_what_is_missing(self):
        """Known at the start at the latest, by its path; another start is as good as the first."""
        missing = os.path.join(self.daemon.root, "missing")
        cases = {
            "emulator": qemu_domain("web1", emulator=missing),
            "kernel": qemu_domain("web1", kernel=missing),
            "disk": with_devices(f"<disk><source file='{missing}'/><target dev='vda'/></disk>"),
            "block": with_devices(
                f"<disk type='block'><source dev='{missing}'/><target dev='vda'/></disk>"
            ),
        }
        for name, xml in cases.items():
            with self.subTest(missing=name):
                self.refuse("domain.create_xml", missing, xml=xml)
                self.assertNothingThere()
        self.client.call("domain.define", xml=cases["disk"])
        self.refuse("domain.create", missing, domain="web1")
        self.assertEqual(self.client.call("domain.state", domain="web1")["state_text"], "shut off")
        with open(missing, "wb") as file:
            file.truncate(MIB)
        self.client.call("domain.create", domain="web1", paused=True)

    def emulator(self, script):
        """An emulator that is a script: QEMU, but for the start of a guest."""
        path = self.write("emulator", f"#!/bin/sh\n{script}\n")
        os.chmod(path, stat.S_IRWXU)
        return path

    def test_emulator_that_is_none(self):
        for script, pattern in (
            ("echo a broken build >&2; exit 3", "a broken build"),
            ("echo not QMP at all", "emulator"),
            ("exit 0", "ended without a word of QMP"),
            ("kill -SEGV $$", "emulator"),
        ):
            with self.subTest(script=script):
                path = self.emulator(script)
                self.refuse("domain.create_xml", pattern, xml=qemu_domain("web1", emulator=path))
                self.assertNothingThere()
                os.unlink(path)

    def test_death_at_the_start(self):
        """QEMU's last words are in the error, and nothing is left of it."""
        path = self.emulator(
            f'case "$*" in *guest=web1*) echo all is well >&2; echo the cat ate the disk >&2; '
            f"exit 1;; esac; exec {EMULATOR} \"$@\""
        )
        message = self.refuse(
            "domain.create_xml", "web1.*the cat ate the disk", xml=qemu_domain("web1", emulator=path)
        )
        self.assertLess(len(message), 1000)
        self.assertNothingThere()
        self.client.call("domain.define", xml=qemu_domain("web1", emulator=path))
        self.refuse("domain.create", "the cat ate the disk", domain="web1")
        self.assertEqual(self.client.call("domain.state", domain="web1")["state_text"], "shut off")
        self.client.call("domain.undefine", domain="web1")
        self.assertNothingThere()

    def test_a_disk_that_is_not_what_it_is_called(self):
        """QEMU itself finds out, and its reason arrives."""
        path = self.write("raw.img", "." * MIB)
        disk = f"<disk><driver name='qemu' type='qcow2'/><source file='{path}'/><target dev='vda'/></disk>"
        self.refuse("domain.create_xml", "qcow2", xml=with_devices(disk))
        self.assertNothingThere()

    def test_a_start_that_hangs_is_cut_short(self):
        """Destroy does not wait behind it, and others do not wait at all."""
        path = self.emulator(
            f'case "$*" in *guest=web1*) exec sleep 600;; esac; exec {EMULATOR} "$@"'
        )
        self.client.call("domain.define", xml=qemu_domain("web1", emulator=path))
        errors = []

        def start():
            with self.daemon.client() as client:
                try:
                    client.call("domain.create", domain="web1")
                except TroupeError as error:
                    errors.append(error.message)

        thread = threading.Thread(target=start)
        thread.start()
        self.addCleanup(thread.join)
        sleeps = lambda: [line for line in self.daemon.processes() if "sleep 600" in line]
        until(sleeps, 20, "the start of QEMU's stand-in")
        self.client.call("domain.create_xml", xml=qemu_domain("web2"), paused=True)
        self.assertEqual(self.client.call("domain.state", domain="web1")["state_text"], "shut off")
        try:
            self.client.call("domain.destroy", domain="web1")
        except TroupeError as error:
            self.assertIn("web1", error.message)
        thread.join(PATIENCE)
        self.assertFalse(thread.is_alive())
        self.assertEqual(len(errors), 1)
        self.assertFalse(sleeps())
        self.assertEqual(self.client.call("domain.state", domain="web1")["state_text"], "shut off")

    def test_validate(self):
        """A real guest's document is always checked; a simulated guest takes what it does not know."""
        odd = GOOD.replace("</devices>", "<odd/></devices>")
        for command in ("define", "create"):
            for option in ([], ["--validate"]):
                said = self.daemon.run(command, "/dev/stdin", *option, input=odd, status=None)
                self.assertEqual(said.returncode, 1)
                self.assertIn("not supported: <devices/odd>; remove it", said.stderr)
            said = self.daemon.run(
                command, "/dev/stdin", "--validate", input="<domain type='test'><name>x</name></domain>", status=None
            )
            self.assertEqual(said.returncode, 1)
            self.assertIn("not supported: validating the XML of a domain of type 'test'", said.stderr)
        for options, code in (({}, 67), ({"validate": True}, 92)):
            with self.assertRaises(TroupeError) as caught:
                self.client.call("domain.define", xml=odd, **options)
            self.assertEqual(caught.exception.code, code)
        self.assertNothingThere()
        self.daemon.run("define", "/dev/stdin", "--validate", input=GOOD)
        self.daemon.run("undefine", "web1")

    def test_what_a_state_does_not_allow(self):
        self.client.call("domain.define", xml=GOOD)
        for verb in ("shutdown", "reboot", "reset", "suspend", "resume", "destroy"):
            self.refuse(f"domain.{verb}", "web1.*not running", domain="web1")
        self.refuse("console.open", "web1.*not running", domain="web1")
        self.refuse("domain.monitor_command", "web1.*not running", domain="web1", command="{}")
        self.client.call("domain.create", domain="web1", paused=True)
        self.refuse("domain.monitor_command", "monitor command.*web1", domain="web1", command="{")
        self.refuse("domain.monitor_command", "nosuch", domain="web1", command='{"execute":"nosuch"}')
        self.client.call("domain.undefine", domain="web1")
        self.refuse("domain.undefine", "web1", domain="web1")
        self.assertEqual(Guest(self, "web1").state()[0], "paused")
        #   One that ends QEMU was no request that somebody cancelled.
        quit = {"domain": "web1", "command": '{"execute":"quit"}'}
        try:
            self.client.call("domain.monitor_command", **quit)
        except TroupeError as error:
            self.assertRegex(error.message, "the guest ended|QEMU")
            self.assertNotIn("cancelled", error.message)


if __name__ == "__main__":
    unittest.main()
