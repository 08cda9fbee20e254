"""A migration that a client drives is cut off between any two phases, or in one: its client goes away, or
either daemon is killed. There is one guest afterwards, and it runs."""

from harness import until
from libvirt_phases import Phases, Refused
from two_daemons import TwoDaemonsTest

PHASES = ("begin", "prepare", "perform", "finish", "confirm")


class PhasesTest(TwoDaemonsTest):
    def setUp(self):
        super().setUp()
        self.guest = self.start("g")
        self.uuid = self.guest.uuid
        self.client.call("domain.resume", domain=self.uuid)

    def phases(self, *names):
        phases = Phases(self.daemon, self.other, "g", self.uuid)
        self.addCleanup(phases.close)
        return phases.go(*names)

    def refused(self, call, *args):
        with self.assertRaises(Refused) as caught:
            call(*args)
        return caught.exception.args[1]

    def async_job(self):
        job = self.job(self.uuid)
        return bool(job) and job.get("async", False)

    def assertHere(self):
        """It runs here, nothing of it is there, and no job is left."""
        until(lambda: self.state(self.client, self.uuid)[0] == "running", 90, "the guest going on here")
        self.assertGone(self.uuid)
        until(lambda: not self.async_job(), 60, "the end of the job")
        self.assertEqual(len(self.qemus(self.uuid)), 1)
        self.assertEqual(self.marks(), [])

    def assertThere(self):
        """It runs there, and it is over here."""
        until(lambda: self.state(self.client, self.uuid) == ("shut off", "migrated"), 90, "the end here")
        until(lambda: self.state(self.there, self.uuid)[0] == "running", what="the guest going on there")
        self.assertEqual(self.qemus(self.uuid), [])
        self.assertEqual(len(self.qemus(self.uuid, self.other)), 1)


class Order(PhasesTest):
    def test_all(self):
        phases = self.phases("begin")
        self.assertTrue(self.async_job())
        self.assertIn("another phase", self.refused(phases.confirm))
        phases.prepare()
        self.assertEqual(self.state(self.client, self.uuid)[0], "running")
        prepared = phases.cookie
        phases.perform()
        self.assertEqual(self.state(self.client, self.uuid)[0], "paused")
        self.assertTrue(self.async_job())
        self.assertEqual(self.running_copies(self.uuid), 0)
        performed, phases.cookie = phases.cookie, prepared
        self.assertIn("another phase", self.refused(phases.perform))
        phases.cookie = performed
        phases.finish()
        self.assertEqual(self.running_copies(self.uuid), 1)
        phases.confirm()
        self.assertThere()
        self.assertEqual(self.marks(), [])

    def test_given_up(self):
        """The client says that it came to nothing: before it was sent, and after."""
        phases = self.phases("begin", "prepare")
        self.assertIn("given up", self.refused(phases.finish, True))
        phases.confirm(cancelled=True)
        self.assertHere()
        phases = self.phases("begin", "prepare", "perform")
        self.assertIn("given up", self.refused(phases.finish, True))
        phases.confirm(cancelled=True)
        self.assertHere()
        #   That it did not come is not believed of one that did.
        phases = self.phases("begin", "prepare", "perform", "finish")
        phases.confirm(cancelled=True)
        self.assertThere()

    def test_aborted(self):
        """By somebody else, in each phase."""
        for names in (("begin",), ("begin", "prepare"), ("begin", "prepare", "perform")):
            with self.subTest(names=names):
                phases = self.phases(*names)
                self.client.call("domain.job_abort", domain=self.uuid)
                self.assertHere()
                self.refused(phases.confirm)
                phases.confirm(cancelled=True)


class ClientGoes(PhasesTest):
    def test_before_finish(self):
        for count in range(1, 4):
            with self.subTest(after=PHASES[count - 1]):
                self.phases(*PHASES[:count]).close()
                self.assertHere()

    def test_while_sending(self):
        phases = self.phases("begin", "prepare")
        phases.send_perform(mib=1)
        until(lambda: self.job(self.uuid).get("done", 0) > 0, 60, "the first bytes")
        phases.close()
        self.assertHere()

    def test_after_finish(self):
        self.phases(*PHASES[:4]).close()
        self.assertThere()


class SourceKilled(PhasesTest):
    def test_before_finish(self):
        for count in range(1, 4):
            with self.subTest(after=PHASES[count - 1]):
                self.phases(*PHASES[:count])
                self.restart()
                self.assertHere()

    def test_while_sending(self):
        phases = self.phases("begin", "prepare")
        phases.send_perform(mib=1)
        until(lambda: self.job(self.uuid).get("done", 0) > 0, 60, "the first bytes")
        self.restart()
        self.assertHere()

    def test_after_finish(self):
        self.phases(*PHASES[:4])
        self.restart()
        self.assertThere()


class DestinationKilled(PhasesTest):
    def kill_other(self):
        self.there.close()
        self.other.kill()

    def test_prepared(self):
        """The client finds out when it finishes, or perform does."""
        phases = self.phases("begin", "prepare")
        self.kill_other()
        self.refused(phases.perform)
        self.restart_other()
        self.assertHere()

    def test_performed(self):
        phases = self.phases("begin", "prepare", "perform")
        self.kill_other()
        phases.source.socket.close()
        self.restart_other()
        self.assertHere()

    def test_finished(self):
        phases = self.phases("begin", "prepare", "perform", "finish")
        self.kill_other()
        phases.confirm()
        self.restart_other()
        self.assertThere()
