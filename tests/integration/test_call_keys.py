"""Calls with a key: carried out once, whatever clients ask again, and whatever becomes of the daemon."""

import os
import unittest

from harness import ClientTest, behaviour, test_domain, until
from troupe_client import TroupeError

SLOW_SAVE = behaviour("<test:delay op='save' ms='600000'/>")
SLOW_START = behaviour("<test:delay op='start' ms='1500'/>")


class CallKeys(ClientTest):
    def connect(self):
        client = self.daemon.client()
        self.addCleanup(client.close)
        return client

    def call(self, verb, key, **args):
        return self.client.call(verb, key=key, **args)

    def starts(self, name="web"):
        rows = self.client.call("domain.jobs", domain=name, history=True)
        return [row["outcome"] for row in rows if row["verb"] == "domain.create"]

    def test_once(self):
        """The same answer again, also after the daemon was killed, and also if the domain is gone."""
        first = self.call("domain.define", "d1", xml=test_domain("web"))
        self.call("domain.create", "c1", domain="web")
        self.client.call("domain.destroy", domain="web")
        for unused in range(2):
            self.assertEqual(self.call("domain.define", "d1", xml=test_domain("web")), first)
            self.assertEqual(self.call("domain.create", "c1", domain="web")["uuid"], first["uuid"])
            self.assertEqual(self.client.call("domain.state", domain="web")["state_text"], "shut off")
            self.restart()
        self.assertEqual(self.starts(), ["completed"])
        for unused in range(2):
            self.assertIsNone(self.call("domain.undefine", "u1", domain="web"))
            self.restart()
        self.assertFails("VIR_ERR_NO_DOMAIN", self.call, "domain.undefine", "u2", domain="web")
        #   That one was not carried out: its key is good for a call that can be.
        self.client.call("domain.define", xml=test_domain("web"))
        self.assertIsNone(self.call("domain.undefine", "u2", domain="web"))

    def test_other_call(self):
        self.define("web")
        self.define("db")
        self.call("domain.create", "k", domain="web")
        for verb, args in (
            ("domain.create", {"domain": "db"}),
            ("domain.create", {"domain": "web", "paused": True}),
            ("domain.destroy", {"domain": "web"}),
        ):
            error = self.assertFails("VIR_ERR_INVALID_ARG", self.call, verb, "k", **args)
            self.assertIn("key", error.message)
        self.assertEqual(self.client.call("domain.state", domain="web")["state_text"], "running")

    def test_failure(self):
        """An error is an answer too; one that tells to try again is none."""
        self.define("web", extra=SLOW_SAVE)
        self.client.call("domain.create", domain="web")
        before = self.assertFails("VIR_ERR_OPERATION_INVALID", self.call, "domain.create", "k", domain="web")
        save = self.client.send("domain.save", domain="web", path=os.path.join(self.daemon.root, "save"))
        until(lambda: self.client.call("domain.job_info", domain="web").get("step"), what="the save")
        late = {"domain": "web", "deadline": 200}
        error = self.assertFails("VIR_ERR_OPERATION_TIMEOUT", self.call, "domain.suspend", "s", **late)
        self.assertTrue(error.retry)
        self.client.call("domain.job_abort", domain="web")
        self.assertFails("VIR_ERR_OPERATION_ABORTED", self.client.wait, save)
        self.assertIsNone(self.call("domain.suspend", "s", domain="web"))
        self.client.call("domain.resume", domain="web")
        self.assertIsNone(self.call("domain.suspend", "s", domain="web"))
        self.assertEqual(self.client.call("domain.state", domain="web")["state_text"], "running")
        self.client.call("domain.destroy", domain="web")
        again = self.assertFails("VIR_ERR_OPERATION_INVALID", self.call, "domain.create", "k", domain="web")
        self.assertEqual(again.message, before.message)

    def test_at_the_same_time(self):
        """Many clients with one key: one start, and the same answer for all."""
        self.define("web", extra=SLOW_START)
        clients = [self.connect() for unused in range(8)]
        sent = [(each, each.send("domain.create", key="k", domain="web")) for each in clients * 5]
        answers = [client.wait(id) for client, id in sent]
        self.assertEqual(answers, [answers[0]] * 40)
        self.assertEqual(self.starts(), ["completed"])

    def test_killed_meanwhile(self):
        """What became of it is not known, and it is not begun anew."""
        self.define("web", extra=SLOW_SAVE)
        self.client.call("domain.create", domain="web")
        args = {"domain": "web", "path": os.path.join(self.daemon.root, "save")}
        self.client.send("domain.save", key="k", **args)
        until(lambda: self.client.call("domain.job_info", domain="web").get("step"), what="the save")
        self.restart()
        for unused in range(2):
            error = self.assertFails("VIR_ERR_OPERATION_FAILED", self.call, "domain.save", "k", **args)
            self.assertRegex(error.message, "not known.*another key")
            self.assertFalse(error.retry)
        rows = until(
            lambda: self.client.call("domain.jobs", domain="web", history=True)[1:], what="the end of the save"
        )
        self.assertEqual([row["outcome"] for row in rows], ["rolled back after daemon restart"])

    def test_stopped_meanwhile(self):
        """When the daemon ends in order, the call ends first."""
        self.define("web", extra=SLOW_SAVE)
        self.client.call("domain.create", domain="web")
        args = {"domain": "web", "path": os.path.join(self.daemon.root, "save")}
        self.client.send("domain.save", key="k", **args)
        until(lambda: self.client.call("domain.job_info", domain="web").get("step"), what="the save")
        self.daemon.stop()
        self.restart()
        with self.assertRaises(TroupeError) as caught:
            self.call("domain.save", "k", **args)
        self.assertIn(caught.exception.name, ("VIR_ERR_OPERATION_ABORTED", "VIR_ERR_OPERATION_FAILED"))
        self.assertEqual(self.client.call("domain.state", domain="web")["state_text"], "running")

    def test_what_takes_none(self):
        for verb, args in (("host.info", {}), ("domain.list", {}), ("session.ping", {})):
            error = self.assertFails("VIR_ERR_INVALID_ARG", self.call, verb, "k", **args)
            self.assertIn("changes nothing", error.message)
        for key in ("", "a b", "a\n", "x" * 129, "ä"):
            self.assertFails("VIR_ERR_RPC", self.call, "domain.create", key, domain="web")

    def test_command(self):
        """Scripts that are run again; a command that changes two things has a key for each."""
        path = self.write("web.xml", test_domain("web"))
        for unused in range(2):
            self.daemon.run("--call-key", "job-1", "define", path)
            self.daemon.run("--call-key", "job-2", "start", "web")
            self.daemon.run("--call-key", "job-3", "destroy", "web")
            self.daemon.run("--call-key", "job-4", "autostart web; start web")
            self.restart()
        self.assertEqual(self.client.call("domain.state", domain="web")["state_text"], "running")
        self.daemon.run("--call-key", "job-5", "destroy web; undefine web")
        self.daemon.run("--call-key", "job-5", "destroy web; undefine web")
        self.assertEqual(self.client.call("domain.list", all=True), [])
        done = self.daemon.run("--call-key", "job 6", "start", "web", status=2)
        self.assertEqual(done, "")
        self.assertIn("--call-key", self.daemon.run("help"))


if __name__ == "__main__":
    unittest.main()
