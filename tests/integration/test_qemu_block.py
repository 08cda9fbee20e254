"""Block jobs of running guests: copies, commits and pulls, called off, cut off, pivoted and watched."""

import os
import re
import signal
import subprocess
import unittest
import xml.etree.ElementTree as ElementTree

from guest import Guest, QemuTest, processes_of, qemu_domain
from harness import until
from troupe_client import TroupeError

MIB = 1024 * 1024
SIZE_MIB = 64
#   Bytes a second: no job ends by itself while a test looks at it.
SLOW = 65536
DISKS = """<console type='pty'/>
<disk type='file'><driver name='qemu' type='{format}'/><source file='{path}'/><target dev='vda'/></disk>
<disk type='file' device='cdrom'><target dev='hdc'/><readonly/></disk>
"""
#   Which image has which megabytes of data, and what is in them.
LAYERS = {"base": (0, 0xB0), "middle": (16, 0x3D), "top": (32, 0x70)}


class BlockTest(QemuTest):
    def path(self, name):
        return os.path.join(self.daemon.root, name)

    def tool(self, *words):
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def make_chain(self, mib=8):
        """base <- middle <- top, each with data of its own in other places."""
        below = None
        for name, (at, pattern) in LAYERS.items():
            backing = ["-b", f"{below}.img", "-F", "qcow2"] if below else []
            size = [] if below else [f"{SIZE_MIB}M"]
            self.tool("qemu-img", "create", "-q", "-f", "qcow2", *backing, self.path(f"{name}.img"), *size)
            self.tool("qemu-io", "-c", f"write -q -P {pattern} {at}M {mib}M", self.path(f"{name}.img"))
            below = name

    def start_chain(self, paused=True, **options):
        """A persistent guest on hold, whose disk vda has three images."""
        self.make_chain(**options)
        devices = DISKS.format(format="qcow2", path=self.path("top.img"))
        return self.start_disk(devices, paused)

    def start_disk(self, devices, paused=True):
        uuid = self.client.call("domain.define", xml=qemu_domain("web1", devices=devices))["uuid"]
        self.client.call("domain.create", domain=uuid, paused=paused)
        self.watcher = self.daemon.client()
        self.addCleanup(lambda: self.watcher.close())
        self.watcher.call("event.subscribe", verbs=["domain.block_job"])
        return Guest(self, uuid)

    def assert_data(self, name, *layers, options=("-f", "qcow2")):
        """The image shows the data of these layers, and zeroes where others have theirs."""
        for layer, (at, pattern) in LAYERS.items():
            expected = pattern if layer in layers else 0
            said = self.tool(
                "qemu-io", "-U", "-r", *options, "-c", f"read -P {expected} {at}M 8M", self.path(name)
            )
            self.assertNotIn("verification failed", said, f"{name}: {layer}")

    def jobs(self):
        return self.client.call("domain.block_jobs", domain="web1")

    def event(self, status, **wanted):
        args = self.watcher.next_event("domain.block_job", status_text=status, **wanted)["args"]
        self.assertEqual((args["name"], args["device"]), ("web1", "vda"))
        return args

    def xml(self, inactive=False):
        text = self.client.call("domain.xml", domain="web1", inactive=inactive)["xml"]
        return ElementTree.fromstring(text)

    def disk(self, inactive=False):
        return self.xml(inactive).find("devices/disk[@device='disk']")

    def chain(self):
        """The images' names, as the live document has them."""
        names, image = [], self.disk()
        while image is not None and image.find("source") is not None:
            names.append(os.path.basename(image.find("source").get("file")))
            image = image.find("backingStore")
        return names

    def nodes(self):
        """The nodes that QEMU has for the disk."""
        reply = self.client.call(
            "domain.monitor_command", domain="web1", command='{"execute":"query-named-block-nodes"}'
        )["reply"]
        return sorted(set(re.findall(r'"node-name": ?"((?:disk-vda|#block)[^"]*)"', reply)))

    def image_files(self):
        return sorted(
            name for name in os.listdir(self.daemon.root) if name.endswith(".img") or ".troupe" in name
        )

    def assert_idle(self):
        self.assertEqual(self.jobs(), [])
        self.assertIsNone(self.disk().find("mirror"))

    def last_job(self):
        return self.client.call("domain.jobs", domain="web1", history=True)[-1]

    def restart(self):
        self.watcher.close()
        super().restart()
        self.watcher = self.daemon.client()


class Commit(BlockTest):
    def test_middle(self):
        """What is in the middle goes into the base; the chain, the documents and the images follow."""
        self.start_chain()
        self.daemon.run("blockcommit", "web1", "vda", "--top", self.path("middle.img"), "--wait")
        args = self.event("completed")
        self.assertEqual((args["type_text"], args["path"]), ("Block Commit", self.path("top.img")))
        self.assert_idle()
        past = self.last_job()
        self.assertGreater(past["total"], 0)
        self.assertEqual((past["done"], past["remaining"]), (past["total"], 0))
        said = self.daemon.run("domjobinfo", "web1", "--completed")
        self.assertRegex(said, r"Operation: +block commit\n(.*\n)*Data total: +[1-9]")
        self.assertEqual(self.chain(), ["top.img", "base.img"])
        self.assert_data("base.img", "base", "middle")
        self.assert_data("top.img", "base", "middle", "top")
        self.assertEqual(len(self.nodes()), 4)
        self.assertEqual(self.last_job()["outcome"], "completed")

    def test_active(self):
        """Ready, then pivoted: the guest goes on with the base, and so does the next start."""
        self.start_chain()
        self.client.call("domain.block_commit", domain="web1", disk="vda", active=True, delete=True)
        self.event("ready")
        mirror = self.disk().find("mirror")
        self.assertEqual((mirror.get("job"), mirror.get("ready")), ("active-commit", "yes"))
        self.assertEqual(mirror.find("source").get("file"), self.path("base.img"))
        self.client.call("domain.block_abort", domain="web1", disk="vda", pivot=True)
        self.assertEqual(self.event("completed")["type_text"], "Active Block Commit")
        self.assert_idle()
        self.assertEqual(self.chain(), ["base.img"])
        self.assertEqual(self.disk(inactive=True).find("source").get("file"), self.path("base.img"))
        self.assert_data("base.img", "base", "middle", "top")
        self.assertEqual(self.image_files(), ["base.img"])
        self.client.call("domain.destroy", domain="web1")
        self.client.call("domain.create", domain="web1", paused=True)
        self.assertEqual(self.nodes(), ["disk-vda", "disk-vda-file"])

    def test_active_aborted(self):
        """The guest stays with what it has."""
        self.start_chain()
        self.client.call("domain.block_commit", domain="web1", disk="vda", active=True, shallow=True)
        self.event("ready")
        self.client.call("domain.block_abort", domain="web1", disk="vda")
        self.event("canceled")
        self.assert_idle()
        self.assertEqual(self.disk().find("source").get("file"), self.path("top.img"))
        self.assert_data("top.img", *LAYERS)

    def test_relative(self):
        self.start_chain()
        self.client.call(
            "domain.block_commit", domain="web1", disk="vda", top="vda[1]", keep_relative=True
        )
        self.event("completed")
        info = self.tool("qemu-img", "info", "-U", self.path("top.img"))
        self.assertRegex(info, r"backing file: base\.img ")

    def test_refused(self):
        """Each with its cause; nothing begins."""
        self.start_chain()
        for args, pattern in (
            ({}, "ask for an active commit"),
            ({"top": "vda[2]"}, "no image below"),
            ({"top": "vda[2]", "shallow": True}, "no image below"),
            ({"top": "vda[1]", "base": "vda[0]"}, "not below the top"),
            ({"top": "/nowhere"}, "none of its images: .*top.img, .*middle.img, .*base.img"),
            ({"top": "vda[1]", "active": True}, "that the guest writes to only"),
            ({"active": True, "shallow": True, "base": "vda[2]"}, "does not go with shallow"),
            ({"disk": "hdc"}, "hdc.*no medium"),
            ({"disk": "vdb"}, "no disk 'vdb'"),
        ):
            with self.subTest(args=args), self.assertRaisesRegex(TroupeError, pattern):
                self.client.call("domain.block_commit", domain="web1", **{"disk": "vda", **args})
        for verb in ("abort", "speed"):
            with self.assertRaisesRegex(TroupeError, "in no block job"):
                self.client.call(f"domain.block_{verb}", domain="web1", disk="vda")
        self.assert_idle()


class Pull(BlockTest):
    def test_all(self):
        """The first image has all then, and needs no other."""
        self.start_chain()
        said = self.daemon.run("blockpull", "web1", "vda", "--wait")
        self.assertEqual(said, "Pull complete\n")
        self.event("completed")
        self.assert_idle()
        self.assertEqual(self.chain(), ["top.img"])
        self.assert_data("top.img", *LAYERS)
        self.assertEqual(self.nodes(), ["disk-vda", "disk-vda-file"])
        self.assertNotIn("backing file", self.tool("qemu-img", "info", "-U", self.path("top.img")))

    def test_down_to_a_base(self):
        self.start_chain()
        self.client.call(
            "domain.block_pull", domain="web1", disk="vda", base="vda[2]", keep_relative=True
        )
        self.event("completed")
        self.assertEqual(self.chain(), ["top.img", "base.img"])
        info = self.tool("qemu-img", "info", "-U", self.path("top.img"))
        self.assertRegex(info, r"backing file: base\.img ")

    def test_watched_and_aborted(self):
        """While it goes on it is shown, other things are admitted, and what would disturb it is not."""
        guest = self.start_chain()
        self.client.call("domain.block_pull", domain="web1", disk="vda", bandwidth=SLOW)
        job = until(lambda: [job for job in self.jobs() if job["done"]], 30, "the first bytes")[0]
        self.assertEqual((job["kind"], job["device"], job["type"]), ("block pull", "vda", 1))
        self.assertGreater(job["remaining"], 0)
        self.assertEqual(job["bandwidth"], SLOW)
        self.assertEqual(self.client.call("domain.jobs")[0]["verb"], "domain.block_pull")
        self.assertIn("Block Pull: [", self.daemon.run("blockjob", "web1", "vda", "--info"))
        self.assertRegex(self.daemon.run("jobs", "web1"), "domain.block_pull .*%")
        self.client.call("domain.resume", domain="web1")
        self.client.call("domain.suspend", domain="web1")
        for verb, args in (
            ("domain.block_pull", {"disk": "vda"}),
            ("domain.block_commit", {"disk": "vda", "active": True}),
            ("domain.block_resize", {"disk": "vda", "size": MIB}),
            ("domain.save", {"path": self.path("save")}),
        ):
            with self.subTest(verb=verb), self.assertRaisesRegex(TroupeError, "is being pulled"):
                self.client.call(verb, domain="web1", **args)
        with self.assertRaisesRegex(TroupeError, "ends by itself"):
            self.client.call("domain.block_abort", domain="web1", disk="vda", pivot=True)
        self.daemon.run("blockjob", "web1", "vda", "96KiB")
        until(lambda: [job for job in self.jobs() if job["bandwidth"] == 96 << 10], what="the new limit")
        self.daemon.run("blockjob", "web1", "vda", "--abort")
        self.event("canceled")
        self.assert_idle()
        self.assertEqual(self.chain(), ["top.img", "middle.img", "base.img"])
        self.assert_data("top.img", *LAYERS)
        self.assertEqual(self.last_job()["outcome"], "cancelled")
        self.assertEqual(guest.state()[0], "paused")

    def test_daemon_killed_meanwhile(self):
        """QEMU goes on with it, and the next daemon shows it, can end it, and takes note of its end."""
        self.start_chain()
        self.client.call("domain.block_pull", domain="web1", disk="vda", bandwidth=SLOW)
        self.restart()
        self.watcher.call("event.subscribe", verbs=["domain.block_job"])
        job = until(self.jobs, 30, "the job")[0]
        self.assertEqual((job["kind"], job["by"] is not None), ("block pull", True))
        self.client.call("domain.block_speed", domain="web1", disk="vda", bandwidth=0)
        self.event("completed")
        self.assertEqual(self.chain(), ["top.img"])
        self.assertEqual(self.last_job()["outcome"], "completed")

    def test_over_while_no_daemon_was_there(self):
        self.start_chain()
        self.client.call("domain.block_pull", domain="web1", disk="vda", bandwidth=8 * MIB)
        self.watcher.close()
        self.daemon.kill()
        self.close()
        info = lambda: self.tool("qemu-img", "info", "-U", self.path("top.img"))
        until(lambda: "backing file" not in info(), 120, "the end of the job")
        self.daemon.start()
        self.client = self.watcher = self.daemon.client()
        until(lambda: self.chain() == ["top.img"], 30, "the note of its end")
        self.assertEqual(self.last_job()["outcome"], "completed")
        self.assert_idle()


class CommandLine(BlockTest):
    def test_waiting(self):
        """A job that takes too long is aborted; how far one is, is shown."""
        self.start_chain()
        said = self.daemon.run("blockjob", "web1", "vda")
        self.assertEqual(said, "No current block job for vda\n")
        done = self.daemon.run(
            "blockcopy", "web1", "vda", self.path("copy.img"), "0.0", status=None
        )
        self.assertEqual(done.returncode, 2)
        words = ["blockcopy", "web1", "vda", self.path("copy.img"), "64KiB"]
        done = self.daemon.run(*words, "--timeout", "2", "--verbose", status=None)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("took too long, and was aborted", done.stderr)
        self.assertRegex(done.stderr, r"Block Copy: \[ *\d+ %\]")
        self.assert_idle()
        self.assertEqual(self.daemon.run(*words), "Block Copy started\n")
        said = self.daemon.run("blockjob", "web1", "vda", "--info", "--bytes")
        self.assertRegex(said, r"\ABlock Copy: \[ *\d+ %\]    Bandwidth limit: 65536 bytes/s")
        said = self.daemon.run("blockjob", "web1", self.path("top.img"), "--raw")
        self.assertRegex(said, r"\A type=Block Copy\n bandwidth=65536\n cur=\d+\n end=\d+\n\Z")
        self.daemon.run("blockjob", "web1", "vda", "--abort", "--info", status=2)
        self.daemon.run("blockjob", "web1", "vda", "--pivot", status=1)
        self.daemon.run("blockjob", "web1", "vda", "0")
        self.event("ready")
        self.assertIn("[100 %]", self.daemon.run("blockjob", "web1", "vda"))
        self.assertEqual(self.daemon.run("blockjob", "web1", "vda", "--pivot"), "")
        self.assertEqual(self.chain(), ["copy.img"])

    def test_commit_and_pivot(self):
        self.start_chain()
        self.daemon.run("blockcommit", "web1", "vda", status=1)
        said = self.daemon.run("blockcommit", "web1", "vda", "--shallow", "--pivot", "--verbose")
        self.assertEqual(said, "Successfully pivoted\n")
        self.assertEqual(self.chain(), ["middle.img", "base.img"])
        said = self.daemon.run("blockcommit", "web1", "vda", "--active", "--wait")
        self.assertEqual(said, "Now in synchronized phase\n")
        self.daemon.run("blockjob", "web1", "vda", "--abort")
        said = self.daemon.run("blockcommit", "web1", "vda", "--keep-overlay", "--wait")
        self.assertEqual(said, "Commit complete, overlay image kept\n")


class Beside(BlockTest):
    """Block jobs beside other things."""

    def test_a_guest_that_writes(self):
        """What it writes before, during and after a copy is in the image that it goes over to."""
        self.tool("qemu-img", "create", "-q", "-f", "raw", self.path("disk.img"), f"{SIZE_MIB}M")
        devices = DISKS.format(format="raw", path=self.path("disk.img"))
        guest = self.start_disk(devices).open()
        self.client.call("domain.resume", domain="web1")
        guest.wait_up()
        write = "yes {0} | head -c 65536 >/data; dd if=/data of=/dev/vda bs=1M seek={1} conv=fsync"
        guest.run(write.format("before", 1))
        self.client.call(
            "domain.block_copy", domain="web1", disk="vda", path=self.path("copy.img"), format="qcow2"
        )
        guest.run(write.format("during", 20))
        self.event("ready")
        self.client.call("domain.block_abort", domain="web1", disk="vda", pivot=True)
        guest.run(write.format("after", 40))
        self.client.call("domain.destroy", domain="web1")
        self.tool("qemu-img", "convert", "-O", "raw", self.path("copy.img"), self.path("out.img"))
        with open(self.path("out.img"), "rb") as image:
            for word, at in (("before", 1), ("during", 20), ("after", 40)):
                image.seek(at * MIB)
                expected = (f"{word}\n" * 65536)[:65536].encode()
                self.assertTrue(image.read(65536) == expected, f"{word}: {at} MiB")

    def test_two_disks(self):
        """One job a disk; each is shown, and ends, alone."""
        self.make_chain()
        second = self.path("second.img")
        self.tool("qemu-img", "create", "-q", "-f", "raw", second, f"{SIZE_MIB}M")
        devices = DISKS.format(format="qcow2", path=self.path("top.img"))
        devices += f"<disk type='file'><source file='{second}'/><target dev='vdb'/></disk>"
        self.start_disk(devices)
        self.client.call("domain.block_pull", domain="web1", disk="vda", bandwidth=SLOW)
        self.client.call(
            "domain.block_copy", domain="web1", disk="vdb", path=self.path("copy.img"), bandwidth=SLOW
        )
        self.assertEqual({job["device"] for job in self.jobs()}, {"vda", "vdb"})
        rows = self.client.call("domain.jobs")
        self.assertEqual(
            {row["verb"] for row in rows}, {"domain.block_pull", "domain.block_copy"}
        )
        self.client.call("domain.block_abort", domain="web1", disk="vda")
        self.event("canceled")
        self.assertEqual([job["device"] for job in self.jobs()], ["vdb"])
        self.client.call("domain.block_speed", domain="web1", disk=second, bandwidth=0)
        self.watcher.next_event("domain.block_job", status_text="ready", device="vdb")
        self.client.call("domain.block_abort", domain="web1", disk="vdb", pivot=True)
        self.assertEqual(self.jobs(), [])

    def test_hung_qemu(self):
        """Queries go on; what needs QEMU says so; afterwards everything goes on."""
        guest = self.start_chain()
        self.client.call("domain.block_pull", domain="web1", disk="vda", bandwidth=SLOW)
        os.kill(guest.pid(), signal.SIGSTOP)
        try:
            self.assertEqual(self.jobs()[0]["kind"], "block pull")
            with self.assertRaisesRegex(TroupeError, "did not answer"):
                self.client.call("domain.block_speed", domain="web1", disk="vda", bandwidth=0)
        finally:
            os.kill(guest.pid(), signal.SIGCONT)
        #   QEMU may have heard it the first time, after all.
        try:
            self.client.call("domain.block_speed", domain="web1", disk="vda", bandwidth=0)
        except TroupeError as error:
            self.assertIn("in no block job", error.message)
        self.event("completed")
        self.assertEqual(self.chain(), ["top.img"])


class Copy(BlockTest):
    def copy(self, name="copy.img", **args):
        self.client.call(
            "domain.block_copy", domain="web1", disk="vda", path=self.path(name), **args
        )

    def test_pivot(self):
        """The guest goes over to the copy, which has all data; nothing of the old chain is left."""
        self.start_chain()
        said = self.daemon.run("blockcopy", "web1", "vda", self.path("copy.img"), "--wait", "--pivot")
        self.assertIn("Successfully pivoted", said)
        self.assertEqual(self.event("ready")["type_text"], "Block Copy")
        self.event("completed")
        self.assert_idle()
        self.assertEqual(self.chain(), ["copy.img"])
        source = self.disk(inactive=True).find("source").get("file")
        self.assertEqual(source, self.path("copy.img"))
        self.assert_data("copy.img", *LAYERS)
        self.assertEqual(self.nodes(), ["disk-vda-1", "disk-vda-1-file"])
        self.assertEqual(self.image_files(), ["base.img", "copy.img", "middle.img", "top.img"])

    def test_shallow(self):
        """The copy of the first image only, over the same others; and back again, to raw."""
        self.start_chain()
        self.copy(shallow=True, granularity=65536, buffer=MIB)
        self.event("ready")
        self.client.call("domain.block_abort", domain="web1", disk="vda", pivot=True)
        self.event("completed")
        self.assertEqual(self.chain(), ["copy.img", "middle.img", "base.img"])
        self.assert_data("copy.img", *LAYERS)
        self.copy("raw.img", format="raw", synchronous_writes=True)
        self.event("ready")
        self.client.call("domain.block_abort", domain="web1", disk="vda", pivot=True)
        self.event("completed")
        self.assertEqual(self.chain(), ["raw.img"])
        self.assert_data("raw.img", *LAYERS, options=("-f", "raw"))
        self.assertEqual(self.disk().find("driver").get("type"), "raw")
        self.assertEqual(len(self.nodes()), 2)

    def test_finished(self):
        """Ended once it is ready: the guest stays, and the copy is complete."""
        self.start_chain()
        said = self.daemon.run("blockcopy", "web1", "vda", self.path("copy.img"), "--finish", "--wait")
        self.assertIn("Successfully copied", said)
        self.event("canceled")
        self.assert_idle()
        self.assertEqual(self.chain()[0], "top.img")
        self.assert_data("copy.img", *LAYERS)
        self.assertEqual([node for node in self.nodes() if node.startswith("disk-vda-1")], [])

    def test_aborted(self):
        """Not ready yet: no half of a copy is left, nor a node; unless the file was not ours."""
        self.start_chain()
        nodes = self.nodes()
        self.copy(bandwidth=SLOW)
        mirror = self.disk().find("mirror")
        self.assertEqual((mirror.get("job"), mirror.get("ready")), ("copy", None))
        self.assertEqual(mirror.get("file"), self.path("copy.img"))
        with self.assertRaisesRegex(TroupeError, "is not ready"):
            self.client.call("domain.block_abort", domain="web1", disk="vda", pivot=True)
        self.client.call("domain.block_abort", domain="web1", disk="vda")
        self.event("canceled")
        self.assert_idle()
        self.assertEqual(self.image_files(), ["base.img", "middle.img", "top.img"])
        self.assertEqual(self.nodes(), nodes)
        self.tool("qemu-img", "create", "-q", "-f", "qcow2", self.path("there.img"), f"{SIZE_MIB}M")
        self.copy("there.img", bandwidth=SLOW, reuse_external=True)
        self.client.call("domain.block_abort", domain="web1", disk="vda", **{"async": True})
        self.event("canceled")
        self.assertIn("there.img", self.image_files())
        self.assertEqual(self.nodes(), nodes)

    def test_xml(self):
        self.start_chain()
        xml = self.write(
            "dest.xml",
            f"<disk type='file'><source file='{self.path('copy.img')}'/><driver type='raw'/></disk>",
        )
        self.daemon.run("blockcopy", "web1", "vda", "--xml", xml, "--wait", "--pivot")
        self.assert_data("copy.img", *LAYERS, options=("-f", "raw"))

    def test_refused(self):
        """Each with its cause; no file and no node is left."""
        self.start_chain()
        nodes = self.nodes()
        there = self.write("there.img", "something else")
        for args, pattern in (
            ({"path": "copy.img"}, "not absolute"),
            ({"path": there}, "exists already"),
            ({"path": "/no/such/folder/copy.img"}, "No such file"),
            ({"path": self.path("none.img"), "reuse_external": True}, "is not there"),
            ({"path": self.path("copy.img"), "format": "vmdk"}, "raw and qcow2 are"),
            ({"path": self.path("copy.img"), "format": "raw", "shallow": True}, "raw image"),
            ({"path": self.path("copy.img"), "granularity": 1000}, "power of two"),
            ({"path": self.path("top.img"), "reuse_external": True}, "its own images"),
            ({"path": there, "reuse_external": True, "format": "qcow2"}, "qcow2"),
            ({"path": there, "block": True}, "no block device"),
            ({}, "path and xml"),
        ):
            with self.subTest(args=args), self.assertRaisesRegex(TroupeError, pattern):
                self.client.call("domain.block_copy", domain="web1", disk="vda", **args)
        self.assert_idle()
        self.assertEqual(self.nodes(), nodes)
        self.assertEqual(self.image_files(), ["base.img", "middle.img", "there.img", "top.img"])

    def test_destroyed_meanwhile(self):
        """Destroy does not wait; no half of a copy is left, and that it ended is told."""
        guest = self.start_chain()
        self.copy(bandwidth=SLOW)
        self.client.call("domain.destroy", domain="web1")
        self.assertEqual(guest.state(), ("shut off", "destroyed"))
        self.event("canceled")
        self.assertEqual(self.image_files(), ["base.img", "middle.img", "top.img"])
        self.assertEqual(self.last_job()["outcome"], "cancelled")
        self.assertEqual(self.jobs(), [])
        self.client.call("domain.create", domain="web1", paused=True)
        self.assert_data("top.img", *LAYERS)

    def test_destroyed_while_it_is_pivoted(self):
        """The next start has all data, whichever image it uses; and that image is there."""
        guest = self.start_chain()
        for attempt in range(4):
            name = f"copy{attempt}.img"
            with self.subTest(attempt=attempt):
                self.copy(name)
                self.event("ready")
                self.client.send("domain.block_abort", domain="web1", disk="vda", pivot=True)
                self.client.socket.poll(attempt * 2)
                self.client.call("domain.destroy", domain="web1")
                self.assertEqual(guest.state()[0], "shut off")
                self.assertEqual(self.jobs(), [])
                source = self.disk(inactive=True).find("source").get("file")
                self.assert_data(os.path.basename(source), *LAYERS)
                self.client.call("domain.create", domain="web1", paused=True)
                self.watcher.next_event("domain.block_job")

    def test_to_a_block_device(self):
        file = self.path("device")
        with open(file, "wb") as device:
            device.truncate(SIZE_MIB * MIB)
        done = subprocess.run(["losetup", "-f", "--show", file], capture_output=True, text=True)
        if done.returncode:
            self.skipTest(f"no loop device: {done.stderr}")
        loop = done.stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", loop], check=True)
        self.start_chain()
        with self.assertRaisesRegex(TroupeError, "ask for one"):
            self.client.call("domain.block_copy", domain="web1", disk="vda", path=loop)
        words = ["blockcopy", "web1", "vda", loop, "--blockdev", "--format", "raw"]
        self.daemon.run(*words, "--wait", "--pivot")
        for disk in (self.disk(), self.disk(inactive=True)):
            self.assertEqual((disk.get("type"), disk.find("source").get("dev")), ("block", loop))
        self.daemon.run("blockresize", "web1", "vda", "--capacity")
        self.client.call("domain.destroy", domain="web1")
        self.assert_data(loop, *LAYERS, options=("-f", "raw"))

    def test_qemu_killed_meanwhile(self):
        guest = self.start_chain()
        self.copy(bandwidth=SLOW)
        os.kill(guest.pid(), signal.SIGKILL)
        guest.wait_state("shut off", "crashed")
        self.event("canceled")
        until(lambda: "copy.img" not in self.image_files(), 10, "the removal of the copy")
        self.assertEqual(processes_of(guest.uuid), [])

    def test_daemon_killed_meanwhile(self):
        """QEMU goes on with it; the next daemon shows it, and can pivot it."""
        guest = self.start_chain()
        self.copy(bandwidth=SLOW)
        pid = guest.pid()
        self.restart()
        self.watcher.call("event.subscribe", verbs=["domain.block_job"])
        until(self.jobs, 30, "the job")
        self.assertEqual(self.disk().find("mirror").get("job"), "copy")
        self.client.call("domain.block_speed", domain="web1", disk="vda", bandwidth=0)
        self.event("ready")
        self.client.call("domain.block_abort", domain="web1", disk="vda", pivot=True)
        self.event("completed")
        self.assertEqual(self.chain(), ["copy.img"])
        self.assert_data("copy.img", *LAYERS)
        self.assertEqual(processes_of(guest.uuid), [pid])
        self.assertEqual(self.nodes(), ["disk-vda-1", "disk-vda-1-file"])

    def test_daemon_killed_at_any_moment(self):
        """Of its beginning and of a pivot: there is a job that goes on, or nothing; or it is over."""
        self.start_chain(mib=1)
        for attempt, ms in enumerate((0, 5, 10, 20, 40, 80)):
            name = f"copy{attempt}.img"
            with self.subTest(killed_after_ms=ms):
                self.client.send(
                    "domain.block_copy", domain="web1", disk="vda", path=self.path(name)
                )
                self.client.socket.poll(ms)
                self.restart()
                self.settle()
                if self.jobs():
                    self.pivot_cut_off(ms)
                chain = self.chain()
                self.assert_idle()
                self.assertEqual(name in self.image_files(), chain == [name], chain)
                self.assertEqual([file for file in self.image_files() if ".troupe" in file], [])
                images = 1 if "copy" in chain[0] else len(LAYERS)
                self.assertEqual(len(self.nodes()), 2 * images)
                inactive = self.disk(inactive=True).find("source").get("file")
                self.assertEqual(os.path.basename(inactive), chain[0])

    def settle(self):
        """A change waits until the daemon knows how things are. Then a job that goes on gets ready."""
        try:
            self.client.call("domain.block_speed", domain="web1", disk="vda", bandwidth=0)
        except TroupeError as error:
            self.assertIn("in no block job", error.message)
        until(lambda: all(job["ready"] for job in self.jobs()), 60, "a job that is ready")

    def pivot_cut_off(self, ms):
        self.client.send("domain.block_abort", domain="web1", disk="vda", pivot=True)
        self.client.socket.poll(ms)
        self.restart()
        self.settle()
        if self.jobs():
            try:
                self.client.call("domain.block_abort", domain="web1", disk="vda", pivot=True)
            except TroupeError as error:
                self.assertRegex(error.message, "in no block job|not ready")
        until(lambda: not self.jobs(), 60, "the end of the job")


if __name__ == "__main__":
    unittest.main()
