"""What runs on a domain and what waits behind it: seen, aborted, and never in the way of queries."""

import os
import re
import time
import unittest
import uuid
from xml.etree import ElementTree

from harness import ClientTest, DaemonTest, behaviour, until


class Jobs(DaemonTest):
    """A domain whose start takes longer than any of these tests."""

    def setUp(self):
        super().setUp()
        self.define("slow", extra=behaviour("<test:delay op='start' ms='600000'/>"))
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.start = self.client.send("domain.create", domain="slow")
        until(lambda: self.rows("running"), what="the job of the start")

    def rows(self, state):
        return [row for row in self.client.call("domain.jobs") if row["state"] == state]

    def state(self):
        return self.client.call("domain.state", domain="slow")["state_text"]

    def assertAborted(self, id):
        self.assertFails("VIR_ERR_OPERATION_ABORTED", self.client.wait, id)

    def test_what_runs_and_what_waits(self):
        first = self.client.send("domain.suspend", domain="slow")
        second = self.client.send("domain.autostart", domain="slow")
        until(lambda: len(self.rows("waiting")) == 2, what="both in the queue")
        (running,) = self.rows("running")
        self.assertEqual((running["kind"], running["verb"]), ("start", "domain.create"))
        self.assertTrue(running["async"])
        waiting = self.rows("waiting")
        self.assertEqual([row["verb"] for row in waiting], ["domain.suspend", "domain.autostart"])
        self.client.call("domain.job_abort", domain="slow", number=waiting[0]["number"])
        self.assertAborted(first)
        self.assertEqual([row["verb"] for row in self.rows("waiting")], ["domain.autostart"])
        self.client.call("domain.job_abort", domain="slow")
        self.assertAborted(self.start)
        self.client.wait(second)
        until(lambda: not self.client.call("domain.jobs"), what="an empty list")
        self.assertEqual(self.state(), "shut off")

    def test_queries_go_on(self):
        for unused in range(100):
            self.assertEqual(self.state(), "shut off")
        self.assertEqual(self.client.call("domain.job_info", domain="slow")["kind"], "start")

    def test_a_deadline_that_passes_in_the_queue(self):
        waiting = self.client.send("domain.suspend", deadline=300, domain="slow")
        self.assertFails("VIR_ERR_OPERATION_TIMEOUT", self.client.wait, waiting)
        until(lambda: not self.rows("waiting"), what="a queue without it")

    def test_destroy_goes_before_what_waits(self):
        suspend = self.client.send("domain.suspend", domain="slow")
        destroy = self.client.send("domain.destroy", domain="slow")
        self.assertAborted(self.start)
        self.client.wait(destroy)
        self.assertFails("VIR_ERR_OPERATION_INVALID", self.client.wait, suspend)
        self.assertEqual(self.state(), "shut off")

    def test_nothing_to_abort(self):
        self.client.call("domain.job_abort", domain="slow")
        self.assertAborted(self.start)
        abort = self.client.call
        self.assertFails("VIR_ERR_OPERATION_INVALID", abort, "domain.job_abort", domain="slow")
        self.assertFails(
            "VIR_ERR_OPERATION_INVALID", abort, "domain.job_abort", domain="slow", number=77
        )

    def history(self, domain):
        rows = self.client.call("domain.jobs", domain=domain, history=True)
        self.assertTrue(all(row["state"] == "over" for row in rows))
        return [(row["verb"], row["outcome"]) for row in rows]

    def test_history(self):
        """How jobs ended, and who had asked, for as long as there is the domain."""
        self.assertEqual(self.history("slow"), [])
        self.client.call("domain.job_abort", domain="slow")
        self.assertAborted(self.start)
        self.assertEqual(self.history("slow"), [("domain.create", "cancelled")])
        listed = self.daemon.run("jobs", "slow", "--history")
        self.assertRegex(listed, r"slow +domain.create .* uid \d+, .*cancelled: ")
        self.client.call("domain.undefine", domain="slow")
        self.define("slow")
        self.assertEqual(self.history("slow"), [])

    def test_history_of_changes(self):
        """Those that took long, and so kept others waiting."""
        delays = "<test:delay op='suspend' ms='5500'/><test:delay op='resume' ms='1'/>"
        self.define("web", extra=behaviour(delays))
        self.client.call("domain.create", domain="web")
        self.client.call("domain.suspend", domain="web")
        begun = time.monotonic()
        self.client.call("domain.resume", domain="web")
        short = time.monotonic() - begun < 5
        expected = [("domain.create", "completed"), ("domain.suspend", "completed")]
        self.assertEqual(self.history("web")[:2], expected)
        if short:  # on a machine that halts the other one may have taken long as well
            self.assertEqual(self.history("web"), expected)
        self.assertRegex(self.daemon.run("jobs", "web", "--history"), r"domain.suspend .* uid \d+")

    def test_history_of_all(self):
        """In the order of time, not one domain after the other."""
        self.client.call("domain.job_abort", domain="slow")
        self.assertAborted(self.start)
        self.define("fast")
        self.client.call("domain.create", domain="fast")
        self.start = self.client.send("domain.create", domain="slow")
        until(lambda: self.rows("running"), what="the second start")
        self.client.call("domain.job_abort", domain="slow")
        self.assertAborted(self.start)
        self.client.call("domain.managed_save", domain="fast")
        listed = self.daemon.run("jobs", "--history").splitlines()
        names = [line.split()[0] for line in listed if "domain." in line]
        self.assertEqual(names, ["slow", "fast", "slow", "fast"])

    def test_each_end_is_told(self):
        """One event for each job, whatever became of it."""
        self.client.call("event.subscribe", verbs=["domain.job_completed"])
        self.client.call("domain.job_abort", domain="slow")
        self.assertAborted(self.start)
        self.define("bad", extra=behaviour("<test:fault op='start' step='2'/>"))
        self.define("good")
        self.assertFails("VIR_ERR_OPERATION_FAILED", self.client.call, "domain.create", domain="bad")
        self.client.call("domain.create", domain="good")
        self.client.call("domain.managed_save", domain="good")
        told = [self.client.next_event("domain.job_completed")["args"] for unused in range(4)]
        self.assertEqual(
            [(job["name"], job["verb"], job["operation"], job["outcome"]) for job in told],
            [
                ("slow", "domain.create", 1, "cancelled"),
                ("bad", "domain.create", 1, "failed"),
                ("good", "domain.create", 1, "completed"),
                ("good", "domain.managed_save", 2, "completed"),
            ],
        )
        self.assertIn("it fails", told[1]["error"])
        self.assertTrue(all(job["ended_us"] >= job["since_us"] > 0 for job in told))
        self.assertEqual(told[3]["by"]["uid"], os.getuid())

    def test_history_after_a_kill(self):
        """The next daemon knows what the one before did, and tells what it undid of it."""
        self.define("late", extra=behaviour("<test:delay op='start' step='2' ms='600000'/>"))
        self.client.send("domain.create", domain="late")
        until(lambda: "devices" in [row["step"] for row in self.rows("running")], what="step 2")
        self.daemon.kill()
        self.client.close()
        self.daemon.start()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        until(lambda: self.history("late"), what="the end of what was half done")
        self.assertEqual(
            self.history("late"), [("domain.create", "rolled back after daemon restart")]
        )
        self.assertIn(self.history("slow"), ([], [("domain.create", "interrupted by daemon restart")]))
        self.daemon.kill()
        self.client.close()
        self.daemon.start()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.assertEqual(
            self.history("late"), [("domain.create", "rolled back after daemon restart")]
        )

    def test_history_of_a_domain_that_is_gone(self):
        """The daemon was killed between the end of a transient guest and that of its history."""
        folder = os.path.join(self.daemon.root, "run", "troupe", "jobs")
        self.daemon.kill()
        self.client.close()
        with open(os.path.join(folder, str(uuid.uuid4())), "w") as file:
            file.write("<jobs/>")
        self.daemon.start()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        known = self.client.call("domain.info", domain="slow")["uuid"]
        #   One that begins with a dot is only being written.
        names = [name for name in os.listdir(folder) if not name.startswith(".")]
        self.assertIn(names, ([], [known]))

    def test_command_line(self):
        listed = self.daemon.run("jobs")
        self.assertIn("domain.create", listed)
        self.assertIn("Operation:        start", self.daemon.run("domjobinfo", "slow"))
        self.daemon.run("domjobabort", "slow")
        self.assertAborted(self.start)
        self.assertIn("None", self.daemon.run("domjobinfo", "slow"))
        self.assertIn("None", self.daemon.run("domjobinfo", "slow", "--completed"))
        over = self.daemon.run("domjobinfo", "slow", "--completed", "--anystats")
        self.assertRegex(over, r"Job type: +Cancelled\nOperation: +start\nTime elapsed: +\d+ +ms\nError message: ")


class CutOff(ClientTest):
    """Each kind of job that a simulated guest has, cut off by the end of the daemon, is told of."""

    def domain(self, op, start=True):
        disk = "<disk type='file'><source file='/no/such/disk'/><target dev='vda' bus='virtio'/></disk>"
        self.define("web", devices=disk, extra=behaviour(f"<test:delay op='{op}' ms='600000'/>"))
        if start:
            self.client.call("domain.create", domain="web")

    def begun(self, verb):
        """Is what began on disk?"""
        folder = os.path.join(self.daemon.root, "run", "troupe", "jobs")
        for name in filter(re.compile("[-0-9a-f]{36}").fullmatch, os.listdir(folder)):
            jobs = ElementTree.parse(os.path.join(folder, name)).getroot().findall("job")
            if jobs and jobs[-1].get("verb") == verb and jobs[-1].get("outcome") is None:
                return True
        return False

    def step(self):
        return self.client.call("domain.job_info", domain="web")["step"]

    def cut_off(self, verb, outcome, known_as=None, step=None, **args):
        self.client.send(verb, deadline=60000, **args)
        until(lambda: self.begun(known_as or verb), 30, "the job on disk")
        until(lambda: not step or self.step() == step, 30, step)
        self.restart()
        past = []

        def told():
            past[:] = self.client.call("domain.jobs", domain="web", history=True)[-1:]
            return past and past[0]["verb"] == (known_as or verb)

        until(told, 30, "the history")
        (job,) = past
        self.assertEqual(job["outcome"], outcome)
        self.assertRegex(job["error"], "ended meanwhile")
        self.assertEqual(job["by"]["uid"], os.getuid())
        self.assertGreaterEqual(job["ended_us"], job["since_us"])
        self.assertRegex(self.daemon.run("jobs", "web", "--history"), f"{job['verb']} .*{outcome}")

    def state(self):
        return self.client.call("domain.state", domain="web")["state_text"]

    def test_start(self):
        self.domain("start", start=False)
        self.cut_off("domain.create", "interrupted by daemon restart", domain="web")
        self.assertEqual(self.state(), "shut off")

    def test_save(self):
        self.domain("save")
        path = os.path.join(self.daemon.root, "web.save")
        back = "rolled back after daemon restart"
        self.cut_off("domain.save", back, step="saving", domain="web", path=path)
        self.assertEqual(self.state(), "running")
        self.assertFalse(os.path.exists(path))

    def test_managed_save(self):
        self.domain("save")
        back = "rolled back after daemon restart"
        self.cut_off("domain.managed_save", back, step="saving", domain="web")
        self.assertEqual(self.state(), "running")

    def test_restore(self):
        self.domain("restore")
        path = os.path.join(self.daemon.root, "web.save")
        self.client.call("domain.save", domain="web", path=path)
        self.cut_off(
            "domain.restore", "interrupted by daemon restart", known_as="domain.restore_from", path=path
        )
        self.assertEqual(self.state(), "shut off")
        self.assertTrue(os.path.exists(path))

    def test_start_from_a_managed_save(self):
        self.domain("restore")
        self.client.call("domain.managed_save", domain="web")
        self.cut_off("domain.create", "interrupted by daemon restart", domain="web")
        self.assertEqual(self.state(), "shut off")
        self.assertTrue(self.client.call("domain.info", domain="web")["managed_save"])

    def snapshot(self, op):
        self.domain(op)
        if op != "snapshot":
            self.client.call("snapshot.create", domain="web")
        return [row["name"] for row in self.client.call("snapshot.list", domain="web")]

    def test_snapshot(self):
        self.snapshot("snapshot")
        self.cut_off("snapshot.create", "interrupted by daemon restart", domain="web")
        self.assertEqual(self.client.call("snapshot.list", domain="web"), [])

    def test_snapshot_delete(self):
        (name,) = self.snapshot("delete")
        self.cut_off(
            "snapshot.delete", "interrupted by daemon restart", domain="web", snapshot=name
        )
        self.assertEqual(len(self.client.call("snapshot.list", domain="web")), 1)

    def test_snapshot_revert(self):
        (name,) = self.snapshot("revert")
        self.cut_off(
            "snapshot.revert", "interrupted by daemon restart", domain="web", snapshot=name
        )
        self.assertEqual(len(self.client.call("snapshot.list", domain="web")), 1)


class Queue(DaemonTest):
    """Many requests for one domain while it is being saved."""

    COUNT = 200
    MOST = 256

    def setUp(self):
        super().setUp()
        self.define("slow", extra=behaviour("<test:delay op='save' ms='600000'/>"))
        self.clients = [self.daemon.client() for unused in range(4)]
        for client in self.clients:
            self.addCleanup(client.close)
        self.client = self.clients[0]
        self.client.call("domain.create", domain="slow")
        self.client.call("event.subscribe", verbs=["domain.metadata"])
        self.save = self.client.send("domain.managed_save", domain="slow")
        until(lambda: self.job() == "managed_save", what="the save")

    def job(self):
        return self.client.call("domain.job_info", domain="slow")["kind"]

    def waiting(self):
        rows = self.client.call("domain.jobs", domain="slow")
        return [row for row in rows if row["state"] == "waiting"]

    def change(self, client, uri, deadline=60000):
        """A change whose event tells which one it was."""
        args = {"domain": "slow", "type": "element", "value": "<note/>", "key": "app", "uri": uri}
        return client.send_args("domain.metadata_set", args, deadline=deadline)

    def finish(self):
        self.client.call("domain.job_abort", domain="slow")
        self.assertFails("VIR_ERR_OPERATION_ABORTED", self.client.wait, self.save)

    def served(self, count):
        """Which changes were made, in their order."""
        return [
            self.client.next_event("domain.metadata", timeout=60)["args"]["uri"]
            for unused in range(count)
        ]

    def test_of_one_client(self):
        uris = [f"urn:{i}" for i in range(self.COUNT)]
        ids = [self.change(self.client, uri) for uri in uris]
        until(lambda: len(self.waiting()) == self.COUNT, 30, "all in the queue")
        numbers = [row["number"] for row in self.waiting()]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.finish()
        self.assertEqual([self.client.wait_any(60)["id"] for unused in ids], ids)
        self.assertEqual(self.served(self.COUNT), uris)
        until(lambda: not self.client.call("domain.jobs"), what="an empty queue")
        self.assertEqual(self.client.answers, {})

    def test_of_several_clients(self):
        """Each one's in its order, none of them lost, whoever else is there."""
        each = self.COUNT // len(self.clients)
        ids = [
            [self.change(client, f"urn:{number}:{i}") for i in range(each)]
            for number, client in enumerate(self.clients)
        ]
        until(lambda: len(self.waiting()) == self.COUNT, 30, "all in the queue")
        self.finish()
        for client, mine in zip(self.clients, ids):
            self.assertEqual([client.wait_any(60)["id"] for unused in mine], mine)
        served = self.served(self.COUNT)
        self.assertEqual(len(set(served)), self.COUNT)
        for number in range(len(self.clients)):
            mine = [uri for uri in served if uri.startswith(f"urn:{number}:")]
            self.assertEqual(mine, [f"urn:{number}:{i}" for i in range(each)])

    def test_full(self):
        """One more is refused, and may be tried again; aborts and measurements have room."""
        ids = [self.change(self.client, f"urn:{i}") for i in range(self.MOST)]
        until(lambda: len(self.waiting()) == self.MOST, 30, "a full queue")
        refused = self.assertFails(
            "VIR_ERR_RESOURCE_BUSY", self.client.wait, self.change(self.client, "urn:more")
        )
        self.assertTrue(refused.retry)
        self.client.call("domain.usage", domain="slow")
        first = self.waiting()[0]
        self.client.call("domain.job_abort", domain="slow", number=first["number"])
        self.assertFails("VIR_ERR_OPERATION_ABORTED", self.client.wait, ids[0])
        ids.append(self.change(self.client, "urn:more"))
        self.finish()
        for id in ids[1:]:
            self.client.wait(id)
        self.assertEqual(self.served(self.MOST)[-1], "urn:more")

    def test_deadlines_that_pass(self):
        """Those whose time is over are told so, are not made, and the others are."""
        late = [self.change(self.client, f"urn:late{i}", deadline=300) for i in range(50)]
        good = [self.change(self.client, f"urn:{i}") for i in range(50)]
        for id in late:
            self.assertFails("VIR_ERR_OPERATION_TIMEOUT", self.client.wait, id)
        until(lambda: len(self.waiting()) == len(good), 30, "a queue without the late ones")
        self.finish()
        for id in good:
            self.client.wait(id)
        self.assertEqual(self.served(len(good)), [f"urn:{i}" for i in range(50)])


if __name__ == "__main__":
    unittest.main()
