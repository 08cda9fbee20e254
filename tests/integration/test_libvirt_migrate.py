"""Migration as virsh and other clients of libvirt do it: between two daemons, which the client drives."""

import os
import subprocess

from libvirt_client import Virsh, uri, virsh
from two_daemons import TwoDaemonsTest

QEMU = "qemu:///system"


class Migrate(Virsh, TwoDaemonsTest):
    connect = QEMU

    def virsh_there(self, *args, **options):
        return virsh(self.other, *args, **{"connect": QEMU, **options})

    def there_uri(self):
        return uri(self.other, QEMU)

    def run_guest(self, name="g", **parts):
        """One that runs, and need not come up."""
        guest = self.start(name, **parts)
        self.client.call("domain.resume", domain=guest.uuid)
        return guest

    def migrate_by_virsh(self, *options, name="g", **how):
        return self.virsh("migrate", *options, name, self.there_uri(), **how)

    def test_live(self):
        (guest,) = self.boot("g")
        guest.type("memory=kept")
        guest.run("true")
        self.client.call("event.subscribe", verbs=["domain.lifecycle"])
        self.there.call("event.subscribe", verbs=["domain.lifecycle"])
        self.migrate_by_virsh("--live")
        self.assertEqual(guest.state(), ("shut off", "migrated"))
        self.assertEqual(self.qemus(guest.uuid), [])
        self.assertEqual(self.lifecycle(2), [("g", "Suspended", "Migrated"), ("g", "Stopped", "Migrated")])
        self.assertEqual(self.state(self.there, guest.uuid), ("running", "migrated"))
        said = [self.there.next_event("domain.lifecycle", timeout=10)["args"] for unused in range(2)]
        self.assertEqual([(s["event_text"], s["detail_text"]) for s in said],
                         [("Started", "Migrated"), ("Resumed", "Migrated")])
        self.assertEqual(self.guest_there(guest.uuid).open().run("echo $memory"), "kept")
        self.assertEqual(self.marks(), [])
