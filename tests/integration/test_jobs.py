"""What runs on a domain and what waits behind it: seen, aborted, and never in the way of queries."""

import os
import unittest
import uuid

from harness import DaemonTest, behaviour, until


class Jobs(DaemonTest):
    """A domain whose start takes longer than any of these tests."""

    def setUp(self):
        super().setUp()
        self.define("slow", extra=behaviour("<test:delay op='start' ms='60000'/>"))
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
        self.define("late", extra=behaviour("<test:delay op='start' step='2' ms='60000'/>"))
        self.client.send("domain.create", domain="late")
        until(lambda: "devices" in [row["step"] for row in self.rows("running")], what="step 2")
        self.daemon.kill()
        self.client.close()
        self.daemon.start()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.assertEqual(
            self.history("late"), [("domain.create", "rolled back after daemon restart")]
        )
        self.assertEqual(self.history("slow"), [])
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
        self.assertIn(os.listdir(folder), ([], [known]))

    def test_command_line(self):
        listed = self.daemon.run("jobs")
        self.assertIn("domain.create", listed)
        self.assertIn("Operation:        start", self.daemon.run("domjobinfo", "slow"))
        self.daemon.run("domjobabort", "slow")
        self.assertAborted(self.start)
        self.assertIn("None", self.daemon.run("domjobinfo", "slow"))


if __name__ == "__main__":
    unittest.main()
