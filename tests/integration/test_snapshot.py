"""Snapshots of simulated guests: the tree, what is known of them, and what becomes of them."""

import os
import unittest

from harness import ClientTest, behaviour, test_domain as simulated, until
from troupe_client import TroupeError

DISK = "<disk type='file'><source file='/images/web.img'/><target dev='vda'/></disk>"
SLOW = behaviour("<test:delay op='snapshot' ms='60000'/>")


class Snapshot(ClientTest):
    def domain(self, extra="", start=True, devices=DISK):
        uuid = self.define("web", extra=extra, devices=devices)
        if start:
            self.client.call("domain.create", domain="web")
        return uuid

    def take(self, *names, **args):
        for name in names:
            xml = f"<domainsnapshot><name>{name}</name></domainsnapshot>"
            self.client.call("snapshot.create", domain="web", xml=xml, **args)

    def tree_file(self, uuid):
        return os.path.join(self.daemon.root, "var", "lib", "troupe", "test", "snapshot", f"{uuid}.xml")

    def names(self, **filters):
        return [each["name"] for each in self.client.call("snapshot.list", domain="web", **filters)]

    def info(self, name):
        return self.client.call("snapshot.info", domain="web", snapshot=name)

    def current(self):
        return self.client.call("snapshot.info", domain="web")["name"]

    def state(self):
        found = self.client.call("domain.state", domain="web")
        return found["state_text"], found["reason_text"]

    def history(self):
        rows = self.client.call("domain.jobs", domain="web", history=True)
        return [(row["verb"], row["outcome"]) for row in rows]

    def test_suspend_beside(self):
        """Once the memory is written the guest may be suspended and resumed; before, that waits."""
        self.domain(behaviour("<test:delay op='snapshot' ms='300'/><test:delay op='written' ms='600000'/>"))
        id = self.client.send("snapshot.create", domain="web", xml="<domainsnapshot/>")
        until(lambda: self.client.call("domain.job_info", domain="web")["kind"], what="the job")
        for verb, state in (("suspend", "paused"), ("resume", "running"), ("suspend", "paused")):
            self.client.call(f"domain.{verb}", domain="web")
            self.assertEqual(self.state()[0], state)
            (job,) = self.client.call("domain.jobs")
            self.assertEqual(job["verb"], "snapshot.create")
        self.client.call("domain.job_abort", domain="web")
        self.assertFails("VIR_ERR_OPERATION_ABORTED", self.client.wait, id)
        self.assertEqual((self.state()[0], self.names()), ("paused", []))

    def test_suspended_stays(self):
        """What the guest became meanwhile, it still is when the snapshot is taken."""
        self.domain(behaviour("<test:delay op='written' ms='1500'/>"))
        id = self.client.send("snapshot.create", domain="web", xml="<domainsnapshot/>")
        until(lambda: self.client.call("domain.job_info", domain="web")["kind"], what="the job")
        self.client.call("domain.suspend", domain="web")
        self.client.wait(id)
        self.assertEqual(self.state(), ("paused", "user"))
        self.client.call("domain.resume", domain="web")
        self.assertEqual(self.state(), ("running", "unpaused"))

    def sample(self):
        """a - b - c, and d from a; d is shut off."""
        self.domain()
        self.take("a", "b", "c")
        self.client.call("snapshot.revert", domain="web", snapshot="a")
        self.client.call("domain.destroy", domain="web")
        self.take("d")

    def test_tree(self):
        self.sample()
        self.assertEqual(self.names(), ["a", "b", "c", "d"])
        self.assertEqual(self.names(**{"from": "a"}), ["b", "d"])
        self.assertEqual(self.names(**{"from": "a"}, descendants=True), ["b", "c", "d"])
        self.assertEqual(self.names(roots=True), ["a"])
        self.assertEqual(self.names(leaves=True), ["c", "d"])
        self.assertEqual(self.names(no_leaves=True), ["a", "b"])
        self.assertEqual(self.names(inactive=True), ["d"])
        self.assertEqual(self.names(active=True, leaves=True), ["c"])
        self.assertEqual(self.names(external=True), [])
        self.assertEqual(
            self.daemon.run("snapshot-list", "web", "--tree"),
            "a\n  |\n  +- b\n  |   |\n  |   +- c\n  |\n  +- d\n\n",
        )
        self.assertEqual(self.daemon.run("snapshot-list", "web", "--tree", "--from", "b"), "b\n  |\n  +- c\n\n")
        self.assertEqual(self.daemon.run("snapshot-list", "web", "--name", "--from", "a"), "b\nd\n")
        self.assertEqual(self.daemon.run("snapshot-parent", "web", "c"), "b\n")
        self.assertEqual(self.daemon.run("snapshot-list", "web", "--name", "--metadata"), "a\nb\nc\nd\n")
        self.assertEqual(self.daemon.run("snapshot-list", "web", "--name", "--no-metadata"), "")
        self.assertEqual(
            self.daemon.run("snapshot-list", "web", "--name", "--topological", "--leaves"), "d\nc\n"
        )
        self.assertRegex(self.daemon.run("snapshot-list", "web", "--parent"), r"(?m)^ d .* shutoff +a$")
        info = self.daemon.run("snapshot-info", "web", "--current")
        self.assertRegex(info, r"Name: +d\nDomain: +web\nCurrent: +yes\nState: +shutoff\n")
        self.assertEqual((self.info("a")["children"], self.info("a")["descendants"]), (2, 3))
        for query in ("snapshot.info", "snapshot.xml"):
            self.assertFails("VIR_ERR_NO_DOMAIN_SNAPSHOT", self.client.call, query, domain="web", snapshot="x")

    def test_delete(self):
        self.sample()
        self.daemon.run("snapshot-delete", "web", "b", "--children")
        self.assertEqual(self.names(), ["a", "d"])
        self.take("e")
        self.daemon.run("snapshot-delete", "web", "d")
        self.assertEqual(self.info("e")["parent"], "a")
        self.assertEqual(self.daemon.run("snapshot-delete", "web", "a", "--children-only"), "Domain snapshot a children deleted\n")
        self.assertEqual((self.names(), self.current()), (["a"], "a"))
        self.assertFails(
            "VIR_ERR_NO_DOMAIN_SNAPSHOT", self.client.call, "snapshot.delete", domain="web", snapshot="e"
        )
        self.client.call("snapshot.delete", domain="web", snapshot="a")
        self.assertFails("VIR_ERR_NO_DOMAIN_SNAPSHOT", self.client.call, "snapshot.info", domain="web")

    def test_revert(self):
        """The definition goes back too; the domain keeps its new name; events in their order."""
        uuid = self.domain()
        self.take("one")
        self.client.call("domain.suspend", domain="web")
        self.take("two")
        self.client.call("domain.destroy", domain="web")
        self.define("web", extra=f"<uuid>{uuid}</uuid><title>new</title>", devices=DISK)
        self.client.call("event.subscribe", verbs=["domain.lifecycle"])
        found = self.client.call("snapshot.revert", domain="web", snapshot="two")
        self.assertEqual(found["uuid"], uuid)
        self.assertGreater(found["id"], 0)
        said = [self.client.next_event("domain.lifecycle")["args"] for _ in range(3)]
        self.assertEqual(
            [(each["event_text"], each["detail_text"]) for each in said],
            [("Defined", "Snapshot"), ("Started", "Snapshot"), ("Suspended", "Snapshot")],
        )
        self.assertEqual(self.state(), ("paused", "from snapshot"))
        self.assertNotIn("new", self.client.call("domain.xml", domain="web", inactive=True)["xml"])
        self.client.call("snapshot.revert", domain="web", snapshot="one")
        self.assertEqual(self.state(), ("running", "from snapshot"))
        self.client.call("domain.destroy", domain="web")
        self.client.call("domain.rename", domain="web", name="moved")
        self.client.call("snapshot.revert", domain="moved", snapshot="one", paused=True)
        self.assertEqual(self.client.call("domain.info", domain="moved")["state_text"], "paused")
        self.assertIn("<name>moved</name>", self.client.call("domain.xml", domain="moved")["xml"])

    def test_revert_that_fails(self):
        """Before it ends what runs nothing has happened; afterwards the domain is shut off."""
        self.domain(extra=behaviour("<test:fault op='revert' message='no'/>"))
        self.take("one")
        with self.assertRaisesRegex(TroupeError, "no snapshot 'x'"):
            self.client.call("snapshot.revert", domain="web", snapshot="x")
        self.assertEqual(self.state()[0], "running")
        with self.assertRaisesRegex(TroupeError, "revert domain 'web' to snapshot 'one'"):
            self.client.call("snapshot.revert", domain="web", snapshot="one")
        self.assertEqual(self.state(), ("shut off", "failed"))
        self.assertEqual(self.names(), ["one"])
        self.client.call("domain.create", domain="web")

    def test_revert_to_a_definition_that_is_none(self):
        """It is looked at while what runs still runs."""
        uuid = self.domain()
        self.define("web", extra=f"<uuid>{uuid}</uuid><title>new</title>", devices=DISK)
        self.take("one")
        xml = self.client.call("snapshot.xml", domain="web", snapshot="one", security_info=True)["xml"]
        at = xml.index("<inactiveDomain")
        broken = xml[:at] + xml[at:].replace("<memory unit='KiB'>", "<memory unit='stones'>")
        self.assertNotEqual(broken, xml)
        self.client.call("snapshot.create", domain="web", xml=broken, redefine=True)
        with self.assertRaisesRegex(TroupeError, "revert domain 'web' to snapshot 'one'.*stones"):
            self.client.call("snapshot.revert", domain="web", snapshot="one")
        self.assertEqual(self.state()[0], "running")

    def test_undefine_that_is_refused(self):
        """It has removed nothing, whatever else it was told to remove."""
        self.domain()
        self.take("one")
        self.client.call("domain.managed_save", domain="web")
        with self.assertRaisesRegex(TroupeError, "it has 1 snapshots"):
            self.client.call("domain.undefine", domain="web", managed_save=True)
        self.assertTrue(self.client.call("domain.info", domain="web")["managed_save"])
        self.client.call("domain.create", domain="web")
        self.assertEqual(self.state(), ("running", "restored"))

    def test_remembered(self):
        """After a kill of the daemon, and not once the domain is undefined."""
        self.sample()
        before = self.client.call("snapshot.list", domain="web")
        xml = self.client.call("snapshot.xml", domain="web", snapshot="a")["xml"]
        self.restart()
        self.assertEqual(self.client.call("snapshot.list", domain="web"), before)
        self.assertEqual(self.client.call("snapshot.xml", domain="web", snapshot="a")["xml"], xml)
        with self.assertRaisesRegex(TroupeError, "it has 4 snapshots"):
            self.client.call("domain.undefine", domain="web")
        self.daemon.run("undefine", "web", "--snapshots-metadata")
        self.assertEqual(os.listdir(os.path.dirname(self.tree_file("x"))), [])
        self.domain(start=False)
        self.assertEqual(self.names(), [])

    def test_damaged_file(self):
        """It is set aside, and the domain works without."""
        uuid = self.domain()
        self.take("one")
        path = self.tree_file(uuid)
        with open(path, "w") as file:
            file.write("<snapshots current='x'/>")
        self.restart()
        self.assertEqual((self.names(), self.state()[0]), ([], "running"))
        self.assertIn("set aside", self.daemon.log())
        self.take("one")
        self.assertEqual(self.names(), ["one"])

    def test_transient(self):
        """Its snapshots end with it."""
        uuid = self.client.call("domain.create_xml", xml=simulated("web", devices=DISK))["uuid"]
        self.take("one")
        self.client.call("snapshot.revert", domain="web", snapshot="one")
        self.assertEqual(self.state(), ("running", "from snapshot"))
        path = self.tree_file(uuid)
        self.assertTrue(os.path.exists(path))
        self.client.call("domain.destroy", domain="web")
        until(lambda: not os.path.exists(path), what="the end of what was known")

    def test_cancelled(self):
        """Queries are answered meanwhile; afterwards nothing is known of it."""
        self.domain(extra=SLOW)
        id = self.client.send("snapshot.create", domain="web")
        until(lambda: self.client.call("domain.job_info", domain="web")["kind"], what="the job")
        job = self.client.call("domain.job_info", domain="web")
        self.assertEqual((job["kind"], job["verb"]), ("snapshot_create", "snapshot.create"))
        self.assertEqual(self.names(), [])
        self.daemon.run("domjobabort", "web")
        with self.assertRaisesRegex(TroupeError, "cancelled"):
            self.client.wait(id)
        self.assertEqual((self.state()[0], self.names()), ("running", []))
        self.assertEqual(self.history()[-1], ("snapshot.create", "cancelled"))

    def test_daemon_killed(self):
        self.domain(extra=SLOW)
        self.client.send("snapshot.create", domain="web")
        until(lambda: self.client.call("domain.job_info", domain="web").get("step") == "snapshot", what="the job")
        self.restart()
        until(lambda: self.history()[1:], what="the end of what was half done")
        self.assertEqual((self.state()[0], self.names()), ("running", []))
        self.assertEqual(self.history()[1], ("snapshot.create", "interrupted by daemon restart"))

    def test_admission(self):
        """Suspending waits for the snapshot."""
        self.domain(extra=SLOW)
        id = self.client.send("snapshot.create", domain="web")
        until(lambda: self.client.call("domain.job_info", domain="web")["kind"], what="the job")
        self.assertFails("VIR_ERR_OPERATION_TIMEOUT", self.client.call, "domain.suspend", domain="web", deadline=300)
        self.client.call("domain.job_abort", domain="web")
        with self.assertRaises(TroupeError):
            self.client.wait(id)

    def test_halt(self):
        self.domain()
        self.daemon.run("snapshot-create", "web", "--halt")
        self.assertEqual(self.state(), ("shut off", "from snapshot"))
        self.assertEqual(len(self.names()), 1)

    def test_redefine(self):
        """What is known can be edited, renamed and cloned, and brought to another daemon."""
        self.domain(devices=DISK + "<graphics type='vnc' passwd='secret'/>")
        self.take("one", "two")
        self.assertNotIn("secret", self.daemon.run("snapshot-dumpxml", "web", "one"))
        self.assertIn("secret", self.daemon.run("snapshot-dumpxml", "web", "one", "--security-info"))
        editor = {**os.environ, "VISUAL": "", "EDITOR": "sed -i 's,<state>,<description>old</description>&,'"}
        self.assertEqual(self.daemon.run("snapshot-edit", "web", "one", env=editor), "Snapshot one edited.\n")
        self.assertEqual(self.info("one")["description"], "old")
        self.assertEqual(self.current(), "two")
        rename = {**editor, "EDITOR": "sed -i 's,<name>two,<name>three,'"}
        self.daemon.run("snapshot-edit", "web", "two", env=rename, status=1)
        self.daemon.run("snapshot-edit", "web", "two", "--rename", env=rename)
        self.assertEqual((self.names(), self.current()), (["one", "three"], "three"))
        self.assertEqual(self.daemon.run("snapshot-current", "web", "one"), "Snapshot one set as current\n")
        self.assertEqual(self.daemon.run("snapshot-current", "web", "--name"), "one\n")
        xml = self.client.call("snapshot.xml", domain="web", snapshot="three", security_info=True)["xml"]
        self.client.call("snapshot.delete", domain="web", snapshot="three", metadata=True)
        file = self.write("three.xml", xml)
        self.daemon.run("snapshot-create", "web", file, "--redefine", "--current")
        self.assertEqual(self.current(), "three")
        self.assertEqual(
            self.client.call("snapshot.xml", domain="web", snapshot="three", security_info=True)["xml"], xml
        )

    def test_refused(self):
        self.domain()
        self.take("one")
        cases = [
            ({"xml": "<domainsnapshot><name>one</name></domainsnapshot>"}, "'one' already"),
            ({"xml": "<domainsnapshot><name>a/b</name></domainsnapshot>"}, "'/'"),
            ({"xml": "<domain/>"}, "<domain>"),
            ({"xml": "<domainsnapshot"}, "snapshot XML"),
            ({"quiesce": True}, "disk_only"),
            ({"disk_only": True}, "external"),
            ({"current": True}, "goes with 'redefine'"),
            ({"redefine": True}, "needs the xml"),
            ({"no_metadata": True, "live": True}, "live"),
        ]
        for args, words in cases:
            with self.subTest(args=args), self.assertRaisesRegex(TroupeError, words):
                self.client.call("snapshot.create", domain="web", **args)
        self.assertEqual((self.names(), self.state()[0]), (["one"], "running"))

    def test_print_xml(self):
        said = self.daemon.run(
            "snapshot-create-as", "web", "one", "a text", "--print-xml", "--memspec", "/m,snapshot=external",
            "--diskspec", "vda,file=/a,,b", "vdb,snapshot=no",
        )
        self.assertEqual(
            said,
            "<domainsnapshot>\n  <name>one</name>\n  <description>a text</description>\n"
            "  <memory file='/m' snapshot='external'/>\n  <disks>\n    <disk name='vda'>\n"
            "      <source file='/a,b'/>\n    </disk>\n    <disk name='vdb' snapshot='no'/>\n"
            "  </disks>\n</domainsnapshot>\n\n",
        )


if __name__ == "__main__":
    unittest.main()
