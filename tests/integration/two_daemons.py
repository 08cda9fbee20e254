"""Two daemons on this host, and guests that go from one to the other."""

import os

from guest import Guest, QemuTest
from harness import Daemon, until

#   Bytes a second: a guest's memory takes longer than anybody who looks at it meanwhile.
SLOW = 500000


class There:
    """What Guest and qemu helpers need of a test, for the other daemon."""

    def __init__(self, test, daemon):
        self.daemon = daemon
        self.addCleanup = test.addCleanup


class TwoDaemonsTest(QemuTest):
    def setUp(self):
        super().setUp()
        self.other = Daemon()
        self.addCleanup(self.other.remove)
        self.addCleanup(self.stop_other)
        self.other.start()
        self.there = self.other.client()
        self.addCleanup(lambda: self.there.close())

    def stop_other(self):
        mine, self.daemon = self.daemon, self.other
        try:
            self._stop()
        finally:
            self.daemon = mine

    def restart_other(self):
        self.there.close()
        self.other.start()
        self.there = self.other.client()

    def qemus(self, uuid, daemon=None):
        rows = (daemon or self.daemon).processes()
        return [int(row.split()[0]) for row in rows if "qemu-system" in row and uuid in row]

    def state(self, client, uuid):
        state = client.call("domain.state", domain=uuid)
        return state["state_text"], state["reason_text"]

    def job(self, uuid):
        return self.client.call("domain.job_info", domain=uuid)

    def guest_there(self, uuid):
        return Guest(There(self, self.other), uuid)

    def running_copies(self, uuid):
        """Of a guest that goes from here to there: who looked here first could see both, one after the other."""
        count = 0
        for client in (self.there, self.client):
            rows = [r for r in client.call("domain.list", all=True) if r["uuid"] == uuid]
            count += sum(row["state_text"] == "running" for row in rows)
        return count

    def assertGone(self, uuid):
        """Nothing is left of the guest at the receiver. Unless it heard of that at once, it asks by itself,
        more and more rarely: after 30 s at most."""
        until(lambda: not self.qemus(uuid, self.other), 90, "the end of the receiving QEMU")
        until(lambda: not self.there.call("domain.list", all=True), 30, "an empty list there")

    def marks(self):
        folder = os.path.join(self.other.root, "var", "lib", "troupe", "migrations")
        return os.listdir(folder) if os.path.isdir(folder) else []
