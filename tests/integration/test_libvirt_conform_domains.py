"""Domains' lives as libvirt documents them: who is who, and what may be done with one when."""

import json
import os
import unittest

import libvirt
import libvirt_qemu

from conform import (
    ARGUMENT,
    FAILED,
    INVALID,
    NO_DOMAIN,
    UUIDS,
    ConformTest,
    domain_xml,
    refusal,
)
from harness import until

A, B, C = UUIDS[:3]


class Domains(ConformTest):
    def define(self, name, uuid=None, **parts):
        return self.connection.defineXML(domain_xml(name, uuid, **parts))

    def create(self, name, uuid=None, flags=0, **parts):
        return self.connection.createXML(domain_xml(name, uuid, **parts), flags)

    def test_unique_ids(self):
        """A name has one uuid, and a uuid one name."""
        define, create = self.define, self.create
        domain = define("a", A)
        self.check(
            [
                ("the same again", "a", define, "a", A),
                ("its name, another uuid", refusal(FAILED), define, "a", B),
                ("its name, no uuid", refusal(FAILED), define, "a"),
                ("its uuid, another name", refusal(FAILED), define, "b", A),
                ("created with its name, another uuid", refusal(FAILED), create, "a", B),
                ("created with its uuid, another name", refusal(FAILED), create, "b", A),
                ("created as it is defined", "a", create, "a", A),
                ("it is persistent still", 1, domain.isPersistent),
                ("created again", refusal(INVALID), create, "a", A),
                ("while it runs: its name, another uuid", refusal(FAILED), create, "a", B),
                ("while it runs: its uuid, another name", refusal(FAILED), create, "b", A),
                ("while it runs: defined with another uuid", refusal(FAILED), define, "a", B),
                ("while it runs: defined with another name", refusal(FAILED), define, "b", A),
            ]
        )
        domain = self.connection.lookupByUUIDString(A)
        first = domain.ID()
        self.assertGreater(first, 0)
        domain.destroy()
        self.assertEqual(domain.ID(), -1)
        domain.create()
        self.assertGreater(domain.ID(), first)
        self.assertEqual(self.connection.lookupByID(domain.ID()).UUIDString(), A)

    def test_created_with_other_xml(self):
        """A persistent domain is created as the XML says this time, and keeps its definition."""
        domain = self.define("a", A)
        self.create("a", A, memory=65536)
        self.assertIn("65536", domain.XMLDesc(0))
        inactive = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        self.assertNotIn("65536", inactive)
        domain.destroy()
        self.assertEqual((domain.isPersistent(), domain.XMLDesc(0)), (1, inactive))
        domain.create()
        self.assertEqual(domain.info()[1], 32768)

    def test_transient_and_persistent(self):
        domain = self.create("t", B)
        self.check(
            [
                ("transient", 0, domain.isPersistent),
                ("not updated", 0, domain.isUpdated),
                ("undefined", refusal(INVALID), domain.undefine),
                ("its autostart", 0, domain.autostart),
                ("autostart", refusal(INVALID), domain.setAutostart, 1),
                ("started", refusal(INVALID), domain.create),
                ("defined with another name", refusal(FAILED), self.define, "x", B),
                ("defined with another uuid", refusal(FAILED), self.define, "t"),
                ("defined", "t", self.define, "t", B),
                ("persistent", 1, domain.isPersistent),
                ("undefined while it runs", 0, domain.undefine),
                ("transient again", 0, domain.isPersistent),
                ("it runs", 1, domain.isActive),
                ("undefined again", refusal(INVALID), domain.undefine),
                ("destroyed", 0, domain.destroy),
                ("gone", refusal(NO_DOMAIN), domain.isActive),
            ]
        )

    def test_gone(self):
        """A domain that is no more."""
        domain = self.define("a", A)
        domain.undefine()
        names = (
            "isActive isPersistent isUpdated info state create destroy undefine suspend resume shutdown reset autostart "
            "maxMemory maxVcpus OSType hasManagedSaveImage jobInfo vcpus memoryStats jobStats"
        )
        self.refused(NO_DOMAIN, *[(getattr(domain, name),) for name in names.split()])
        connection = self.connection
        self.refused(
            NO_DOMAIN,
            (domain.XMLDesc, 0),
            (domain.reboot, 0),
            (domain.setAutostart, 1),
            (domain.setMemory, 1024),
            (domain.save, "/nonexistent/image"),
            (connection.lookupByName, "conform-a"),
            (connection.lookupByUUIDString, A),
            (connection.lookupByID, 99999),
        )
        self.assertEqual(domain.ID(), -1)

    def test_inactive(self):
        """What only a running domain can do."""
        domain = self.define("a", A)
        names = (
            "suspend resume shutdown destroy reset vcpus memoryStats jobInfo jobStats abortJob hostname getTime injectNMI "
            "fsFreeze diskErrors interfaceAddresses fsInfo"
        )
        calls = [(getattr(domain, name),) for name in names.split() if name != "interfaceAddresses"]
        self.refused(
            INVALID,
            *calls,
            (domain.interfaceAddresses, 0),
            (domain.reboot, 0),
            (domain.controlInfo, 0),
            (domain.save, "/nonexistent/image"),
            (domain.managedSave, 0),
            (domain.coreDump, "/nonexistent/image", 0),
            (domain.destroyFlags, libvirt.VIR_DOMAIN_DESTROY_GRACEFUL),
            (domain.setMemory, 16384),
            (domain.setVcpus, 1),
            (domain.sendKey, 0, 50, [30], 1, 0),
            (domain.blockStats, "vda"),
            (domain.blockJobInfo, "vda", 0),
            (domain.interfaceStats, "vnet0"),
            (domain.setMemoryFlags, 16384, libvirt.VIR_DOMAIN_AFFECT_LIVE),
            (domain.setVcpusFlags, 1, libvirt.VIR_DOMAIN_AFFECT_LIVE),
            (domain.vcpusFlags, libvirt.VIR_DOMAIN_AFFECT_LIVE),
            (domain.pinVcpu, 0, (True,)),
            (domain.migrateSetMaxDowntime, 10),
            (domain.attachDevice, "<disk type='file'><source file='/dev/null'/><target dev='vdb'/></disk>"),
        )
        self.assertEqual(domain.info()[:4], [libvirt.VIR_DOMAIN_SHUTOFF, 32768, 32768, 1])

    def test_active(self):
        domain = self.define("a", A)
        paused, running = libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_RUNNING

        def state():
            return domain.state()[0]

        self.check(
            [
                ("started", 0, domain.create),
                ("started again", refusal(INVALID), domain.create),
                ("started again, with flags", refusal(INVALID), domain.createWithFlags, 1),
                ("unknown flags", refusal(ARGUMENT), domain.createWithFlags, 1 << 20),
                ("renamed", refusal(INVALID), domain.rename, "conform-b", 0),
                ("resumed while it runs", refusal(INVALID), domain.resume),
                ("suspended", 0, domain.suspend),
                ("paused", [paused, libvirt.VIR_DOMAIN_PAUSED_USER], domain.state),
                ("suspended again", 0, domain.suspend),
                ("shut down while paused", refusal(INVALID), domain.shutdown),
                ("reset", 0, domain.reset),
                ("paused still", paused, state),
                ("resumed", 0, domain.resume),
                ("unpaused", [running, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED], domain.state),
                ("shut down", 0, domain.shutdown),
                ("destroyed", 0, domain.destroyFlags, libvirt.VIR_DOMAIN_DESTROY_GRACEFUL),
                ("off", [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED], domain.state),
                ("started paused", 0, domain.createWithFlags, libvirt.VIR_DOMAIN_START_PAUSED),
                ("paused", [paused, libvirt.VIR_DOMAIN_PAUSED_USER], domain.state),
                ("resumed", 0, domain.resume),
                ("autostart of a running one", 0, domain.setAutostart, 1),
                ("undefined", 0, domain.undefine),
                ("no more autostart", refusal(INVALID), domain.setAutostart, 1),
            ]
        )

    def test_xml(self):
        domain = self.define("a", A)
        for flags in (0, 1, 2, 3, 4, 8, 15):
            with self.subTest(flags=flags):
                self.assertIn(A, domain.XMLDesc(flags))
        self.refused(ARGUMENT, (domain.XMLDesc, 1 << 20))
        xml = domain.XMLDesc(0)
        for piece in (
            "<memory unit='KiB'>32768</memory>",
            "<currentMemory unit='KiB'>32768</currentMemory>",
            "<vcpu placement='static'>1</vcpu>",
            "machine='pc-i440fx-",
            "<clock offset='utc'/>",
            "<on_reboot>restart</on_reboot>",
            "<emulator>/usr/bin/qemu-system-x86_64</emulator>",
            "<controller type='usb' index='0'",
            "<input type='keyboard' bus='ps2'/>",
            "<memballoon model='virtio'>",
        ):
            self.assertIn(piece, xml)
        #   What was completed is taken as it is.
        self.connection.defineXML(xml)
        self.assertEqual(domain.XMLDesc(0), xml)
        domain.create()
        self.assertIn(f"<domain type='qemu' id='{domain.ID()}'>", domain.XMLDesc(0))
        self.assertEqual(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), xml)
        migratable = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_MIGRATABLE)
        self.assertIn("<domain type='qemu'>", migratable)
        self.assertNotIn("<alias", migratable)

    def test_metadata(self):
        domain = self.define("a", A)
        title, description, element = 1, 0, 2
        none = refusal(libvirt.VIR_ERR_NO_DOMAIN_METADATA)
        self.check(
            [
                ("no title", none, domain.metadata, title, None),
                ("no element", none, domain.metadata, element, "urn:k"),
                ("title", 0, domain.setMetadata, title, "t", None, None, 0),
                ("its title", "t", domain.metadata, title, None),
                ("description", 0, domain.setMetadata, description, "d\ne", None, None, 0),
                ("its description", "d\ne", domain.metadata, description, None),
                ("an element", 0, domain.setMetadata, element, "<x/>", "k", "urn:k", 0),
                ("as it was set", "<x/>", domain.metadata, element, "urn:k"),
                ("with children", 0, domain.setMetadata, element, "<x>\n  <y/>\n</x>", "k", "urn:k", 0),
                ("in lines", "<x>\n  <y/>\n</x>", domain.metadata, element, "urn:k"),
                ("of a running one", refusal(INVALID), domain.metadata, title, None, 1),
                ("no such type", refusal(ARGUMENT), domain.metadata, 9, None),
                ("removed", 0, domain.setMetadata, element, None, "k", "urn:k", 0),
                ("gone", none, domain.metadata, element, "urn:k"),
            ]
        )

    def test_monitor(self):
        """QEMU's own answers, whatever they are."""
        domain = self.define("a", A)
        command = libvirt_qemu.qemuMonitorCommand
        hmp = libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
        self.refused(INVALID, (command, domain, '{"execute":"query-status"}', 0))
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        answer = json.loads(command(domain, '{"execute":"query-status"}', 0))
        self.assertFalse(answer["return"]["running"])
        answer = json.loads(command(domain, '{"execute":"no-such-command"}', 0))
        self.assertEqual(answer["error"]["class"], "CommandNotFound")
        self.assertIn("no-such-command", answer["error"]["desc"])
        self.assertIn("paused", command(domain, "info status", hmp))
        self.assertIn("unknown command", command(domain, "no-such-command", hmp))

    def test_autodestroy(self):
        """Some domains end with the connection that started them."""
        other = self.open()
        mortal, started = libvirt.VIR_DOMAIN_START_AUTODESTROY, []
        try:
            started.append(other.createXML(domain_xml("t", A), mortal))
            started.append(other.defineXML(domain_xml("p", B)))
            started[-1].createWithFlags(mortal | libvirt.VIR_DOMAIN_START_PAUSED)
            #   One that was started again is not the one that is meant.
            started.append(other.defineXML(domain_xml("again", C)))
            started[-1].createWithFlags(mortal)
            self.connection.lookupByUUIDString(C).destroy()
            self.connection.lookupByUUIDString(C).create()
            other.createXML(domain_xml("other"), 0)
        finally:
            del started
            other.close()
        until(lambda: len(self.connection.listAllDomains(1)) == 2, what="the end of those that were to end")
        self.refused(NO_DOMAIN, (self.connection.lookupByUUIDString, A))
        domain = self.connection.lookupByUUIDString(B)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED])
        self.assertEqual(self.connection.lookupByUUIDString(C).isActive(), 1)

    def test_lists(self):
        """Each pair of filters parts the domains in two."""
        running = self.define("running", A)
        running.create()
        running.setAutostart(1)
        self.create("passing", B, libvirt.VIR_DOMAIN_START_PAUSED)
        self.define("off")

        def listed(flags):
            found = [domain.name() for domain in self.connection.listAllDomains(flags)]
            return sorted(name.split("-")[1] for name in found if name.startswith("conform-"))

        everyone = ["off", "passing", "running"]
        self.check(
            [
                ("all", everyone, listed, 0),
                ("active", ["passing", "running"], listed, libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE),
                ("inactive", ["off"], listed, libvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE),
                ("both", everyone, listed, 3),
                ("persistent", ["off", "running"], listed, libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT),
                ("transient", ["passing"], listed, libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT),
                ("running", ["running"], listed, libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING),
                ("paused", ["passing"], listed, libvirt.VIR_CONNECT_LIST_DOMAINS_PAUSED),
                ("shut off", ["off"], listed, libvirt.VIR_CONNECT_LIST_DOMAINS_SHUTOFF),
                ("other", [], listed, libvirt.VIR_CONNECT_LIST_DOMAINS_OTHER),
                ("saved", [], listed, libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE),
                ("autostart", ["running"], listed, libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART),
                ("no autostart", ["off", "passing"], listed, libvirt.VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART),
                ("active and transient", ["passing"], listed, 1 | 8),
                ("running or off, persistent", ["off", "running"], listed, 4 | 16 | 64),
            ]
        )

    def test_saved(self):
        path = os.path.join(self.daemon.root if self.daemon else "/tmp", "conform-image")
        self.addCleanup(lambda: os.path.exists(path) and os.remove(path))
        domain = self.create("t", B)
        domain.save(path)
        restore = self.connection.restore
        self.refused(NO_DOMAIN, (domain.info,))
        self.assertIn(B, self.connection.saveImageGetXMLDesc(path, 0))
        restore(path)
        domain = self.connection.lookupByUUIDString(B)
        self.check(
            [
                ("it runs", [1, libvirt.VIR_DOMAIN_RUNNING_RESTORED], domain.state),
                ("transient", 0, domain.isPersistent),
                ("restored again", refusal(INVALID), restore, path),
                ("managed save", refusal(INVALID), domain.managedSave, 0),
                ("destroyed", 0, domain.destroy),
                ("both", refusal(ARGUMENT), self.connection.restoreFlags, path, None, 2 | 4),
                ("paused", 0, self.connection.restoreFlags, path, None, libvirt.VIR_DOMAIN_SAVE_PAUSED),
            ]
        )
        self.assertEqual(self.connection.lookupByUUIDString(B).state()[0], libvirt.VIR_DOMAIN_PAUSED)

    def test_managed_save(self):
        domain = self.define("a", A)
        domain.create()
        self.check(
            [
                ("saved", 0, domain.managedSave, 0),
                ("there", 1, domain.hasManagedSaveImage, 0),
                ("off", [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SAVED], domain.state),
                ("again", refusal(INVALID), domain.managedSave, 0),
                ("undefined", refusal(INVALID), domain.undefine),
                ("started", 0, domain.create),
                ("restored", [1, libvirt.VIR_DOMAIN_RUNNING_RESTORED], domain.state),
                ("used", 0, domain.hasManagedSaveImage, 0),
                ("saved paused", 0, domain.managedSave, libvirt.VIR_DOMAIN_SAVE_PAUSED),
                ("started", 0, domain.create),
                ("booted instead", refusal(INVALID), domain.createWithFlags, libvirt.VIR_DOMAIN_START_FORCE_BOOT),
                ("saved", 0, domain.managedSave, 0),
                ("booted", 0, domain.createWithFlags, libvirt.VIR_DOMAIN_START_FORCE_BOOT),
                ("booted", [1, libvirt.VIR_DOMAIN_RUNNING_BOOTED], domain.state),
                ("saved", 0, domain.managedSave, 0),
                ("undefined with it", 0, domain.undefineFlags, libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE),
            ]
        )


if __name__ == "__main__":
    unittest.main()
