"""Guests whose disks are backed up: what the tests of backups and checkpoints share."""

import json
import os
import subprocess

from guest import QemuTest, processes_of
from harness import until
from troupe_client import TroupeError

MIB = 1024 * 1024


class BackupTest(QemuTest):
    """A guest on hold, whose disks QEMU itself writes to."""

    def path(self, name):
        return os.path.join(self.daemon.root, name)

    def image(self, name, mib=64, kind="qcow2"):
        path = self.path(name)
        subprocess.run(["qemu-img", "create", "-q", "-f", kind, path, f"{mib}M"], check=True)
        return path

    def guest(self, name="web1", disks=("vda",), mib=64, kind="qcow2"):
        devices = "<console type='pty'/>" + "".join(
            f"<disk type='file'><driver name='qemu' type='{kind}'/>"
            f"<source file='{self.image(f'{name}-{disk}', mib, kind)}'/>"
            f"<target dev='{disk}' bus='virtio'/></disk>"
            for disk in disks
        )
        return self.start(name, devices=devices)

    def qmp(self, guest, execute, **arguments):
        command = json.dumps(
            {"execute": execute, "arguments": {key.replace("_", "-"): arguments[key] for key in arguments}}
        )
        reply = self.client.call("domain.monitor_command", domain=guest.uuid, command=command)["reply"]
        return json.loads(reply)["return"]

    def io(self, guest, command, disk=0):
        """Lets the guest's device do what qemu-io does."""
        device = f"/machine/peripheral/virtio-disk{disk}/virtio-backend"
        said = self.qmp(guest, "human-monitor-command", **{"command-line": f'qemu-io -d {device} "{command}"'})
        self.assertNotIn("rror", said)
        self.assertNotIn("failed", said)

    def begin(self, guest, xml=None, **args):
        if xml:
            args["xml"] = xml
        self.client.call("domain.backup_begin", domain=guest.uuid, **args)

    def push(self, *disks, kind="qcow2", extra=""):
        """The document of a push to files called backup-DISK."""
        return (
            f"<domainbackup>{extra}<disks>"
            + "".join(
                f"<disk name='{disk}' type='file'><target file='{self.path(f'backup-{disk}')}'/>"
                f"<driver type='{kind}'/></disk>"
                for disk in disks
            )
            + "</disks></domainbackup>"
        )

    def job(self, guest):
        return self.client.call("domain.job_info", domain=guest.uuid)

    def history(self, guest):
        return self.client.call("domain.jobs", domain=guest.uuid, history=True)[-1]

    def wait_end(self, guest, outcome="completed", timeout=60):
        until(lambda: self.job(guest)["kind"] is None, timeout, "the end of the backup")
        until(lambda: self.history(guest)["kind"] == "backup", timeout, "its outcome")
        past = self.history(guest)
        self.assertEqual((past["kind"], past["outcome"]), ("backup", outcome), past)
        return past

    def hurry(self, guest, disk="vda"):
        """Lifts the limit of a slow push."""
        self.qmp(guest, "block-job-set-speed", device=f"backup-{disk}", speed=0)

    def reached(self, guest):
        try:
            return self.qmp(guest, "query-status")
        except TroupeError:
            return None

    def begin_slow(self, guest, **args):
        """A push that would take minutes."""
        self.io(guest, "write -P 3 0 512M")
        self.begin(guest, self.push("vda", **args), bandwidth=MIB)

    def same(self, guest, image, backup, kind="qcow2"):
        self.io(guest, "flush", disk=int(image.endswith("vdb")))
        done = subprocess.run(
            ["qemu-img", "compare", "-U", "-f", "qcow2", "-F", kind, image, backup],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def leftovers(self, guest):
        """What only a backup under way has: files, nodes, jobs, exports, bitmaps."""
        found = [name for name in os.listdir(self.daemon.root) if ".partial" in name or "scratch" in name]
        if processes_of(guest.uuid):
            nodes = self.qmp(guest, "query-named-block-nodes", flat=True)
            found += [node["node-name"] for node in nodes if node["node-name"].startswith("backup")]
            found += [
                bitmap["name"]
                for node in nodes
                for bitmap in node.get("dirty-bitmaps", [])
                if bitmap["name"].startswith("backup")
            ]
            found += [job["id"] for job in self.qmp(guest, "query-jobs")]
            found += [export["id"] for export in self.qmp(guest, "query-block-exports")]
        return found
