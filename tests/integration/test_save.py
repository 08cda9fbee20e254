"""Simulated guests that are saved and restored: what is admitted meanwhile, and what is left of it."""

import os
import signal
import subprocess
import unittest

from harness import ClientTest, behaviour, until
from troupe_client import TroupeError

SLOW = behaviour("<test:delay op='save' ms='60000'/>")


class Save(ClientTest):
    def path(self, name="web.save"):
        return os.path.join(self.daemon.root, name)

    def run_domain(self, name="web", extra=""):
        uuid = self.define(name, extra=extra)
        self.client.call("domain.create", domain=name)
        return uuid

    def state(self, name="web"):
        found = self.client.call("domain.state", domain=name)
        return found["state_text"], found["reason_text"]

    def info(self, name="web"):
        return self.client.call("domain.info", domain=name)

    def begin(self, verb="domain.save", **args):
        """A save that does not end by itself; the request's id."""
        self.run_domain(extra=SLOW)
        id = self.client.send(verb, domain="web", **args)
        until(lambda: self.job()["step"] == "saving", what="the save")
        return id

    def job(self):
        return {"step": None, **self.client.call("domain.job_info", domain="web")}

    def partial(self):
        return [name for name in os.listdir(self.daemon.root) if "partial" in name]

    def history(self):
        rows = self.client.call("domain.jobs", domain="web", history=True)
        return [(row["verb"], row["outcome"]) for row in rows]

    def command(self, *args):
        """The command line, under way; what it says when it ends is (status, stdout, stderr)."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(self.daemon.command(*args), **pipes)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def end_of(self, process):
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr

    def test_interrupt(self):
        """Ctrl+C aborts the job, tells how it ended, and the guest goes on."""
        for options in ([], ["--verbose"]):
            uuid = self.run_domain(extra=SLOW)
            process = self.command("managedsave", "web", *options)
            until(lambda: self.job()["step"] == "saving", what="the save")
            process.send_signal(signal.SIGINT)
            status, stdout, stderr = self.end_of(process)
            self.assertEqual((status, stdout), (1, ""), stderr)
            self.assertRegex(stderr, "error: .*(abort|cancel)")
            self.assertEqual(self.state()[0], "running")
            self.assertFalse(self.info()["managed_save"])
            self.assertEqual(self.history()[-1], ("domain.managed_save", "cancelled"))
            self.client.call("domain.destroy", domain=uuid)
            self.client.call("domain.undefine", domain=uuid)

    def test_interrupt_of_what_waits(self):
        """Only what was asked for here is aborted, not what it waits for."""
        save = self.begin("domain.managed_save")
        process = self.command("dump", "web", self.path("core"))

        def waiting():
            rows = self.client.call("domain.jobs", domain="web")
            return [row["verb"] for row in rows if row["state"] == "waiting"]

        until(lambda: waiting() == ["domain.dump"], what="the dump in the queue")
        process.send_signal(signal.SIGINT)
        status, stdout, stderr = self.end_of(process)
        self.assertEqual((status, stdout), (1, ""), stderr)
        self.assertIn("abort", stderr)
        self.assertEqual(waiting(), [])
        self.assertEqual(self.job()["step"], "saving")
        self.client.call("domain.job_abort", domain="web")
        self.assertFails("VIR_ERR_OPERATION_ABORTED", self.client.wait, save)

    def test_around_the_cache(self):
        """Not possible, and said; nothing is changed by it."""
        self.run_domain()
        path = self.path()
        for command in (
            ["save", "web", path],
            ["managedsave", "web"],
            ["dump", "web", path],
            ["dump", "web", path, "--memory-only"],
        ):
            done = self.daemon.run(*command, "--bypass-cache", status=None)
            self.assertEqual(done.returncode, 1, command)
            self.assertIn("not supported: bypass_cache", done.stderr)
            self.assertEqual(self.state()[0], "running")
        self.daemon.run("save", "web", path)
        done = self.daemon.run("restore", path, "--bypass-cache", status=None)
        self.assertIn("not supported: bypass_cache", done.stderr)
        self.assertEqual(self.state(), ("shut off", "saved"))
        self.daemon.run("restore", path)

    def test_round_trip(self):
        """It goes on as it was, the clock of its life included; a renamed one keeps its new name."""
        self.run_domain()
        before = self.client.call("domain.usage", domain="web")["cpu_ns"]
        self.daemon.run("save", "web", self.path())
        self.assertEqual(self.state(), ("shut off", "saved"))
        self.client.call("domain.rename", domain="web", name="moved")
        self.daemon.run("restore", self.path())
        self.assertEqual(self.state("moved"), ("running", "restored"))
        self.assertGreaterEqual(self.client.call("domain.usage", domain="moved")["cpu_ns"], before)
        self.assertFails(
            "VIR_ERR_OPERATION_INVALID", self.client.call, "domain.restore", path=self.path()
        )

    def test_changed_xml(self):
        self.run_domain()
        self.client.call("domain.save", domain="web", path=self.path(), paused=True)
        xml = self.client.call("image.xml", path=self.path())["xml"]
        more = xml.replace("65536", "131072")
        with self.assertRaisesRegex(TroupeError, "<memory> of a saved guest can't change"):
            self.client.call("domain.restore", path=self.path(), xml=more)
        self.assertEqual(self.state(), ("shut off", "failed"))
        titled = xml.replace("<memory ", "<title>other</title><memory ", 1)
        self.client.call("domain.restore", path=self.path(), xml=titled)
        self.assertEqual(self.state()[0], "paused")
        self.assertEqual(self.info()["title"], "other")

    def test_managed_save(self):
        self.run_domain()
        self.daemon.run("managedsave", "web")
        self.assertTrue(self.info()["managed_save"])
        self.restart()
        self.assertTrue(self.info()["managed_save"])
        self.assertFails("VIR_ERR_OPERATION_INVALID", self.client.call, "domain.undefine", domain="web")
        self.client.call("domain.create", domain="web")
        self.assertEqual(self.state(), ("running", "restored"))
        self.assertFalse(self.info()["managed_save"])
        self.client.call("domain.managed_save", domain="web")
        self.client.call("domain.create", domain="web", force_boot=True)
        self.assertEqual(self.state(), ("running", "booted"))
        self.client.call("domain.managed_save", domain="web")
        self.client.call("domain.undefine", domain="web", managed_save=True)

    def test_managed_save_that_a_failed_start_used_up(self):
        """What is shown is what there is; a guest that booted is not told to be restored."""
        uuid = self.run_domain()
        fault = behaviour("<test:fault op='start' step='1' message='no luck'/>")
        self.client.call("domain.managed_save", domain="web")
        self.define("web", extra=f"<uuid>{uuid}</uuid>{fault}")
        with self.assertRaisesRegex(TroupeError, "no luck"):
            self.client.call("domain.create", domain="web", force_boot=True)
        self.assertFalse(self.info()["managed_save"])
        self.define("web", extra=f"<uuid>{uuid}</uuid>")
        self.client.call("event.subscribe", verbs=["domain.lifecycle"])
        self.client.call("domain.create", domain="web")
        said = self.client.next_event("domain.lifecycle")["args"]
        self.assertEqual((said["event_text"], said["detail_text"]), ("Started", "Booted"))

    def test_managed_save_that_was_removed(self):
        """By hand, behind our back: the next start boots, and says so."""
        uuid = self.run_domain()
        self.client.call("domain.managed_save", domain="web")
        os.unlink(os.path.join(self.daemon.root, "var", "lib", "troupe", "test", "save", f"{uuid}.save"))
        self.client.call("event.subscribe", verbs=["domain.lifecycle"])
        self.client.call("domain.create", domain="web")
        said = self.client.next_event("domain.lifecycle")["args"]
        self.assertEqual((said["event_text"], said["detail_text"]), ("Started", "Booted"))

    def test_documents(self):
        """Of a managed save and of a file alike: shown without passwords, changed, edited."""
        graphics = "<graphics type='vnc' passwd='secret'/>"
        self.define("web", devices=graphics)
        self.client.call("domain.create", domain="web")
        with self.assertRaisesRegex(TroupeError, "has no managed save"):
            self.client.call("domain.managed_save_xml", domain="web")
        self.client.call("domain.managed_save", domain="web")
        self.assertNotIn("secret", self.daemon.run("managedsave-dumpxml", "web"))
        xml = self.client.call("domain.managed_save_xml", domain="web", security_info=True)["xml"]
        self.assertIn("secret", xml)
        titled = self.write("new.xml", xml.replace("<memory ", "<title>one</title><memory ", 1))
        said = self.daemon.run("managedsave-define", "web", titled, "--paused")
        self.assertEqual(said, "Managed save state file of domain 'web' updated.\n")
        editor = {**os.environ, "EDITOR": "sed -i s/one/two/", "VISUAL": ""}
        said = self.daemon.run("managedsave-edit", "web", env=editor)
        self.assertEqual(said, "Managed save image of domain 'web' edited.\n")
        self.assertIn("not changed", self.daemon.run("managedsave-edit", "web", env=editor))
        self.client.call("domain.create", domain="web")
        self.assertEqual(self.info()["title"], "two")
        self.assertIn("secret", self.client.call("domain.xml", domain="web", security_info=True)["xml"])
        self.client.call("domain.save", domain="web", path=self.path())
        self.assertNotIn("secret", self.daemon.run("save-image-dumpxml", self.path()))
        self.assertIn("secret", self.daemon.run("save-image-dumpxml", self.path(), "--security-info"))
        editor["EDITOR"] = "sed -i s/two/three/"
        said = self.daemon.run("save-image-edit", self.path(), env=editor)
        self.assertEqual(said, f"State file '{self.path()}' edited.\n")
        self.daemon.run("restore", self.path())
        self.assertEqual(self.info()["title"], "three")

    def test_meanwhile(self):
        """Queries are answered; of 300 changes 256 wait, and are answered once and in order; the others
        are refused."""
        id = self.begin(path=self.path())
        self.assertGreater(self.job()["total"], 0)
        clients = [self.daemon.client() for unused in range(4)]
        for client in clients:
            self.addCleanup(client.close)
        sent = [
            (client, client.send("domain.suspend" if i % 2 else "domain.resume", domain="web"))
            for i in range(75)
            for client in clients
        ]

        def waiting():
            return [row for row in self.client.call("domain.jobs") if row["state"] == "waiting"]

        def refused():
            for client in clients:
                client.take_all()
            return sum(len(client.answers) for client in clients)

        until(lambda: len(waiting()) == 256, 60, "a full queue")
        until(lambda: refused() == 44, what="those that are too many")
        numbers = [row["number"] for row in waiting()]
        self.assertEqual(numbers, sorted(numbers))
        for unused in range(100):
            self.assertEqual(self.state()[0], "running")
        self.client.call("domain.job_abort", domain="web")
        self.assertFails("VIR_ERR_OPERATION_ABORTED", self.client.wait, id)
        outcomes = {"done": 0, "VIR_ERR_RESOURCE_BUSY": 0}
        for client, request in sent:
            try:
                client.wait(request)
                outcomes["done"] += 1
            except TroupeError as error:
                outcomes[error.name] += 1
        self.assertEqual(outcomes, {"done": 256, "VIR_ERR_RESOURCE_BUSY": 44})
        self.assertEqual(self.partial(), [])
        self.assertEqual(self.history(), [("domain.create", "completed"), ("domain.save", "cancelled")])

    def test_destroyed_meanwhile(self):
        id = self.begin(path=self.path())
        self.client.call("domain.destroy", domain="web")
        self.assertFails("VIR_ERR_OPERATION_ABORTED", self.client.wait, id)
        self.assertEqual(self.state(), ("shut off", "destroyed"))
        self.assertEqual(self.partial(), [])
        self.assertFalse(os.path.exists(self.path()))

    def test_killed_meanwhile(self):
        for verb, args in (("domain.save", {"path": self.path()}), ("domain.managed_save", {})):
            with self.subTest(verb=verb):
                self.begin(verb, **args)
                self.restart()
                until(lambda: self.history()[1:], what="the end of what was half done")
                self.assertEqual(self.state()[0], "running")
                self.assertEqual(self.history()[1], (verb, "rolled back after daemon restart"))
                self.assertEqual(self.partial(), [])
                self.assertFalse(self.info()["managed_save"])
                self.client.call("domain.destroy", domain="web")
                self.client.call("domain.undefine", domain="web")


if __name__ == "__main__":
    unittest.main()
