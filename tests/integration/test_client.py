"""The native protocol from outside: its promises, and input that is malformed, too large, or wrong."""

import os
import re
import socket
import struct
import subprocess
import sys
import threading
import unittest

import msgpack

from harness import PATIENCE, SOURCE, DaemonTest, behaviour, test_domain, until
from troupe_client import NoAnswer, TroupeError

MIB = 1024 * 1024


def request(**fields):
    return msgpack.packb({"id": 1, "kind": "request", "verb": "session.ping", "args": {}, **fields})


class Promises(DaemonTest):
    def test_pipelining(self):
        with self.daemon.client() as client:
            ids = {client.send("session.ping") for unused in range(5000)}
            while ids:
                message = client.wait_any()
                self.assertEqual(message["kind"], "reply")
                ids.remove(message["id"])

    def test_requests_of_one_domain_keep_their_order(self):
        with self.daemon.client() as client:
            #   Not with domain.destroy: it is begun at once, and ends the start before it.
            verbs = ["domain.create"] + ["domain.suspend", "domain.resume"] * 10
            client.call("domain.define", xml=test_domain("web1"))
            ids = [client.send(verb, domain="web1") for verb in verbs]
            for id in ids:
                client.wait(id)
            self.assertEqual(client.call("domain.state", domain="web1")["state_text"], "running")

    def test_a_client_reads_its_own_writes(self):
        with self.daemon.client() as client:
            for i in range(50):
                client.call("domain.define", xml=test_domain(f"web{i}"))
                self.assertEqual(len(client.call("domain.list", all=True)), i + 1)
                client.call("domain.create", domain=f"web{i}")
                state = client.call("domain.state", domain=f"web{i}")
                self.assertEqual(state["state_text"], "running")

    def test_names_race(self):
        """Of many who define and start the same domain at the same time, nobody gets half a one."""
        failures = []

        def storm(number):
            with self.daemon.client() as client:
                for unused in range(10):
                    for verb, args in (
                        ("domain.define", {"xml": test_domain("web1")}),
                        ("domain.create", {"domain": "web1"}),
                        ("domain.destroy", {"domain": "web1"}),
                        ("domain.undefine", {"domain": "web1"}),
                    ):
                        try:
                            client.call(verb, **args)
                        except TroupeError as error:
                            if "\n" in error.message or error.name == "VIR_ERR_INTERNAL_ERROR":
                                failures.append(f"{verb}: {error.message}")
                        except NoAnswer as error:
                            failures.append(f"{verb}: {error}")

        threads = [threading.Thread(target=storm, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        with self.daemon.client() as client:
            self.assertLessEqual(len(client.call("domain.list", all=True)), 1)

    def test_destroy_during_a_start(self):
        """It succeeds, the start fails; a transient domain can be found while it starts."""
        slow = behaviour("<test:delay op='start' ms='600000'/>")
        with self.daemon.client() as client:
            self.define("kept", extra=slow)
            kept = client.send("domain.create", domain="kept")
            brief = client.send("domain.create_xml", xml=test_domain("brief", extra=slow))
            for name, start in (("kept", kept), ("brief", brief)):
                until(lambda: any(r["name"] == name for r in client.call("domain.list", all=True)))
                client.call("domain.destroy", domain=name)
                self.assertFails("VIR_ERR_OPERATION_ABORTED", client.wait, start)
            rows = client.call("domain.list", all=True)
            self.assertEqual([(r["name"], r["state_text"]) for r in rows], [("kept", "shut off")])

    def test_start_of_a_transient_domain_that_could_not_be_started(self):
        """What waits behind its first start finds nothing to start; nothing of it is left."""
        document = test_domain(
            "brief",
            extra=behaviour(
                "<test:delay op='start' ms='2000'/>"
                "<test:fault op='start' step='2' message='a fault'/>"
            ),
        )
        with self.daemon.client() as client:
            first = client.send("domain.create_xml", xml=document)
            #   It may even be over before anybody looks.
            until(lambda: client.call("domain.list", all=True) or first in client.answers)
            second = client.send("domain.create", domain="brief")
            self.assertFails("VIR_ERR_OPERATION_FAILED", client.wait, first)
            with self.assertRaises(TroupeError):
                client.wait(second)
            self.assertEqual(client.call("domain.list", all=True), [])
            self.assertFails("VIR_ERR_NO_DOMAIN", client.call, "domain.info", domain="brief")

    def test_domain_by_name_uuid_and_id(self):
        uuid = self.define("web1")
        with self.daemon.client() as client:
            id = client.call("domain.create", domain="web1")["id"]
            for domain in ("web1", uuid, uuid.upper(), uuid.replace("-", ""), id, str(id)):
                self.assertEqual(client.call("domain.lookup", domain=domain)["uuid"], uuid)

    def test_events(self):
        with self.daemon.client() as client, self.daemon.client() as other:
            client.call("event.subscribe", verbs=["domain.lifecycle"])
            uuid = other.call("domain.define", xml=test_domain("web1"))["uuid"]
            other.call("domain.create", domain="web1")
            other.call("domain.destroy", domain="web1")
            texts = []
            for unused in range(3):
                args = client.next_event("domain.lifecycle")["args"]
                self.assertEqual((args["uuid"], args["name"]), (uuid, "web1"))
                texts.append(args["event_text"])
            self.assertEqual(texts, ["Defined", "Started", "Stopped"])
            client.call("event.unsubscribe")
            other.call("domain.create", domain="web1")
            client.call("session.ping")  # behind all that was told by then
            self.assertEqual(client.events, [])

    def test_first_measurement(self):
        """There are no last known values that it could be answered with: it gets more time."""
        self.define("web1", extra=behaviour("<test:delay op='info' ms='600'/>"))
        with self.daemon.client() as client:
            client.call("domain.create", domain="web1")
            self.assertFalse(client.call("domain.usage", domain="web1")["stale"])
            (row,) = client.call("domain.stats", domains=["web1"])
            self.assertEqual((row["error"], row["stale"]), (None, False))
            self.assertIn("balloon.current", row["stats"])

    def test_capabilities_asked_by_many(self):
        """They are found out once for all who ask meanwhile, and everybody gets them."""
        with self.daemon.client() as client:
            ids = [client.send("host.capabilities") for unused in range(50)]
            actors = [actor["address"] for actor in client.call("host.actors")]
            #   Beside it another job may probe an emulator; those who ask behind its end begin the next one, and the
            #   thread of each before may still end.
            jobs = [address for address in actors if re.fullmatch("job/[0-9]+", address)]
            self.assertLess(len(jobs), 10, actors)
            texts = {client.wait(id)["xml"] for id in ids}
            self.assertEqual(len(texts), 1)
            self.assertIn("<capabilities>", texts.pop())

    def test_missed_events(self):
        """Who comes back gets what was missed, once, or is told that it can't be had."""
        with self.daemon.client() as client, self.daemon.client() as other:
            first = client.call("event.subscribe")
            self.assertEqual((first["seq"], first["complete"]), (0, True))
            uuid = self.define("web1")
            seen = client.next_event("domain.lifecycle")["args"]["seq"]
            self.define("web2")
            other.call("domain.create", domain="web1")
            other.call("domain.create", domain="web2")
        with self.daemon.client() as client:
            again = client.call("event.subscribe", domain="web1", since=seen, epoch=first["epoch"])
            self.assertEqual((again["epoch"], again["complete"]), (first["epoch"], True))
            event = client.next_event()["args"]
            self.assertEqual((event["uuid"], event["event_text"]), (uuid, "Started"))
            self.assertLess(seen, event["seq"])
            self.assertEqual(client.next_event()["verb"], "domain.job_completed")
            client.call("domain.suspend", domain="web1")
            later = client.next_event()["args"]
            self.assertEqual((later["event_text"], later["seq"]), ("Suspended", again["seq"] + 1))
            self.assertFails("VIR_ERR_INVALID_ARG", client.call, "event.subscribe", since=seen)
            self.assertFails("VIR_ERR_INVALID_ARG", client.call, "event.subscribe", verbs=["domain.nothing"])
            other = client.call("event.subscribe", since=1000, epoch=first["epoch"])
            self.assertFalse(other["complete"])
        self.daemon.stop()
        self.daemon.start()
        with self.daemon.client() as client:
            anew = client.call("event.subscribe", since=seen, epoch=first["epoch"])
            self.assertFalse(anew["complete"])
            self.assertNotEqual(anew["epoch"], first["epoch"])

    def test_events_of_one_domain(self):
        self.define("web1")
        self.define("web2")
        with self.daemon.client() as client:
            client.call("event.subscribe", domain="web2")
            client.call("domain.create", domain="web1")
            client.call("domain.create", domain="web2")
            self.assertEqual(client.next_event("domain.lifecycle")["args"]["name"], "web2")

    def test_console(self):
        self.define("web1")
        with self.daemon.client() as client, self.daemon.client() as other:
            client.call("domain.create", domain="web1")
            console = client.console("web1")
            console.write(b"hello\n")
            console.read_until(b"hello")
            self.assertFails("VIR_ERR_OPERATION_FAILED", other.console, "web1")
            forced = other.console("web1", force=True)
            while console.ended is None:
                console.read()
            forced.write(b"again\n")
            forced.read_until(b"again")
            forced.close()
            self.assertFails("VIR_ERR_INVALID_STREAM", forced.write, b"x")

    def test_console_of_a_client_that_went(self):
        self.define("web1")
        with self.daemon.client() as client:
            client.call("domain.create", domain="web1")
            client.console("web1")
        with self.daemon.client() as client:
            client.console("web1", force=True)

    def test_read_only_socket(self):
        self.define("web1")
        with self.daemon.client(readonly=True) as client:
            self.assertEqual(client.call("session.ping")["role"], "read")
            self.assertEqual(len(client.call("domain.list", all=True)), 1)
            for verb in ("domain.create", "domain.destroy", "domain.undefine", "console.open"):
                self.assertFails("VIR_ERR_OPERATION_DENIED", client.call, verb, domain="web1")
            self.assertFails("VIR_ERR_OPERATION_DENIED", client.call, "host.trace")


class Document(DaemonTest):
    def test_worked_example(self):
        with open(os.path.join(SOURCE, "docs", "protocol.md")) as file:
            code = re.search(r"```python\n(.*?)```", file.read(), re.S)[1]
        self.assertIn("ipc:///tmp/t/", code)
        done = subprocess.run(
            [sys.executable, "-c", code.replace("ipc:///tmp/t/", f"ipc://{self.daemon.root}/")],
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], r"^{'id': 1, 'kind': 'reply', 'result': {'epoch': '\w{16}', 'seq': 0, 'complete': True}}$")
        self.assertIn("event domain.lifecycle Defined", lines)
        self.assertRegex(done.stdout, r"request 4 failed: .*example")
        self.assertEqual(lines[-1], "running")


class BadInput(DaemonTest):
    """Each gets one clear error; afterwards the same connection and new ones work."""

    def setUp(self):
        super().setUp()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def check_alive(self):
        self.client.last_id += 1000
        self.assertIn("role", self.client.call("session.ping"))
        with self.daemon.client() as other:
            self.assertIn("role", other.call("session.ping"))

    def refused(self, data, name="VIR_ERR_RPC"):
        """The bytes DATA are answered with this error."""
        self.client.send_raw(data)
        message = self.client.wait_any()
        self.assertEqual(message["kind"], "error")
        self.assertEqual(message["error"]["name"], name, message["error"]["message"])
        self.assertNotIn("\n", message["error"]["message"])
        return message

    def test_bytes_that_are_no_message(self):
        cases = {
            "nothing": b"",
            "text": b"GET / HTTP/1.1\r\n\r\n",
            "random": bytes(range(256)),
            "unused type": b"\xc1",
            "ends early": request()[:-3],
            "more behind": request() + b"\xc0",
            "no map": msgpack.packb([1, 2]),
            "huge count": b"\xdf\xff\xff\xff\xff",
            "huge array": b"\xdd\x7f\xff\xff\xff",
            "huge string": b"\xdb\x7f\xff\xff\xffabc",
            "deep": b"\x91" * 100000,
            "deep args": b"\x81\xa4args" + b"\x91" * 50 + b"\xc0",
            "extension": b"\x81\xa4args\xd4\x01\x00",
            "bad UTF-8": b"\x81\xa4verb\xa2\xff\xfe",
            "NUL": b"\x81\xa4verb\xa3a\x00b",
            "key twice": b"\x82\xa2id\x01\xa2id\x02",
            "key is no string": b"\x81\x01\x02",
        }
        for name, data in cases.items():
            with self.subTest(name):
                self.refused(data)
                self.check_alive()

    def test_fields(self):
        cases = {
            "no id": {"id": None},
            "text id": {"id": "x"},
            "negative id": {"id": -1},
            "no kind": {"kind": None},
            "reply": {"kind": "reply", "result": None},
            "other kind": {"kind": "nonsense"},
            "no verb": {"verb": None},
            "verb is no text": {"verb": 7},
            "args is no map": {"args": [1]},
            "deadline is text": {"deadline": "soon"},
        }
        for name, fields in cases.items():
            with self.subTest(name):
                whole = {"id": 1, "kind": "request", "verb": "session.ping", "args": {}, **fields}
                data = msgpack.packb({k: v for k, v in whole.items() if v is not None})
                self.client.send_raw(data)
                message = self.client.wait_any()
                self.assertEqual(message["kind"], "error")
                self.check_alive()

    def test_largest_id(self):
        self.client.send_raw(request(id=2**64 - 1))
        self.assertEqual(self.client.wait_any()["id"], 2**64 - 1)

    def test_too_large(self):
        self.client.send_raw(request(args={"x": "y" * (9 * MIB)}))
        message = self.client.wait_any()
        self.assertEqual(message["error"]["name"], "VIR_ERR_RPC")
        self.check_alive()

    def test_unknown_verbs(self):
        for verb in ("nosuch", "", "domain", "domain.", "domain.create ", "x" * 100000, "%s%n"):
            with self.subTest(verb[:20]):
                self.assertFails("VIR_ERR_NO_SUPPORT", self.client.call, verb)
        self.check_alive()

    def test_wrong_arguments(self):
        call = self.client.call
        for verb, args in (
            ("domain.info", {}),
            ("domain.info", {"domain": None}),
            ("domain.info", {"domain": {"name": "web1"}}),
            ("domain.info", {"domain": 1.5}),
            ("domain.info", {"domain": "web1", "extra": 1}),
            ("domain.list", {"all": "yes"}),
            ("domain.list", {"all": 1}),
            ("domain.define", {"xml": 7}),
            ("domain.define", {"xml": b"<domain/>"}),
            ("domain.rename", {"domain": "web1", "name": ""}),
            ("domain.rename", {"domain": "web1", "name": "a/b"}),
            ("domain.rename", {"domain": "web1", "name": "x" * 256}),
            ("domain.rename", {"domain": "web1", "name": "a\nb"}),
            ("domain.shutdown", {"domain": "web1", "mode": "gently"}),
            ("domain.usage", {"domain": "web1", "budget": -1}),
            ("console.write", {"stream": 1}),
            ("console.write", {"stream": "1", "data": b"x"}),
            ("event.subscribe", {"verbs": "domain.lifecycle"}),
            ("event.subscribe", {"verbs": [1]}),
        ):
            with self.subTest(f"{verb} {args}"):
                error = self.assertFails("VIR_ERR_INVALID_ARG", call, verb, **args)
                self.assertIn(verb, error.message)
        self.check_alive()

    def test_unknown_domains(self):
        for domain in ("nobody", "", 7, 0, -1, 2**63, "x" * 1000, "../../etc/passwd", "%n"):
            with self.subTest(str(domain)[:20]):
                with self.assertRaises(TroupeError) as caught:
                    self.client.call("domain.info", domain=domain)
                self.assertIn(caught.exception.name, ("VIR_ERR_NO_DOMAIN", "VIR_ERR_INVALID_ARG"))

    def test_bad_documents(self):
        entities = [f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(9)]
        bomb = f'<!DOCTYPE d [<!ENTITY a0 "aaa">{"".join(entities)}]><domain>&a9;</domain>'
        documents = {
            "nothing": "",
            "no XML": "hello",
            "not closed": "<domain>",
            "another root": "<network/>",
            "no name": "<domain type='test'/>",
            "entity bomb": bomb,
            "external entity": '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain>&x;</domain>',
            "deep": "<domain>" + "<a>" * 1000 + "</a>" * 1000 + "</domain>",
            "many attributes": "<domain " + " ".join(f"a{i}=''" for i in range(30000)) + "/>",
            "unknown type": test_domain("web1").replace("'test'", "'nosuch'"),
            "bad uuid": test_domain("web1", extra="<uuid>7</uuid>"),
            "bad name": test_domain("a/b"),
            "no memory": test_domain("web1").replace("memory", "mammary"),
            "memory is text": test_domain("web1").replace(">64<", ">lots<"),
            "memory overflows": test_domain("web1").replace(">64<", f">{2**64}<"),
            "no vcpus": test_domain("web1", vcpus=0),
        }
        for name, xml in documents.items():
            with self.subTest(name):
                with self.assertRaises(TroupeError) as caught:
                    self.client.call("domain.define", xml=xml)
                self.assertNotIn("\n", caught.exception.message)
                self.assertNotIn("root:x", caught.exception.message)
                self.assertNotEqual(caught.exception.name, "VIR_ERR_INTERNAL_ERROR")
        self.assertEqual(self.client.call("domain.list", all=True), [])
        self.check_alive()

    def test_document_too_large(self):
        xml = test_domain("web1", extra="<!--" + "x" * (4 * MIB) + "-->")
        self.assertFails("VIR_ERR_INVALID_ARG", self.client.call, "domain.define", xml=xml)
        self.check_alive()

    def test_duplicates(self):
        uuid = self.define("web1")
        same_uuid = test_domain("web2", extra=f"<uuid>{uuid}</uuid>")
        self.assertFails("VIR_ERR_OPERATION_FAILED", self.client.call, "domain.define", xml=same_uuid)
        other = "11111111-2222-4333-8444-555555555555"
        same_name = test_domain("web1", extra=f"<uuid>{other}</uuid>")
        self.assertFails("VIR_ERR_OPERATION_FAILED", self.client.call, "domain.define", xml=same_name)

    def test_more_frames_than_one(self):
        self.client.socket.send_multipart([request(), request(id=2)])
        message = self.client.wait_any()
        self.assertEqual((message["id"], message["error"]["name"]), (None, "VIR_ERR_RPC"))
        self.check_alive()

    def test_no_zmq_at_all(self):
        for data in (b"", b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 100000, os.urandom(5000)):
            with socket.socket(socket.AF_UNIX) as raw:
                raw.connect(self.daemon.socket_path())
                try:
                    raw.sendall(data)
                except OSError:
                    pass  # it may hang up before all was sent
        self.check_alive()

    def test_many_connections_that_say_nothing(self):
        sockets = []
        for unused in range(200):
            raw = socket.socket(socket.AF_UNIX)
            raw.connect(self.daemon.socket_path())
            sockets.append(raw)
        self.check_alive()
        for raw in sockets:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raw.close()
        self.check_alive()

    def test_flood_of_one_domain(self):
        """More requests than a domain's owner takes: each is answered, with success or BUSY."""
        self.define("web1")
        self.client.call("domain.create", domain="web1")
        ids = [self.client.send("domain.usage", domain="web1") for unused in range(1000)]
        names = set()
        for unused in ids:
            message = self.client.wait_any()
            if message["kind"] == "error":
                names.add(message["error"]["name"])
                self.assertTrue(message["error"]["retry"], message)
        self.assertLessEqual(names, {"VIR_ERR_RESOURCE_BUSY"})
        self.check_alive()

    def test_client_that_does_not_read(self):
        """Events for a client that does not read them harm nobody else."""
        deaf = self.daemon.client()
        self.addCleanup(deaf.close)
        deaf.call("event.subscribe")  # and from now on nothing is read
        self.define("web1")
        for unused in range(300):
            self.client.call("domain.create", domain="web1")
            self.client.call("domain.destroy", domain="web1")
        self.check_alive()


if __name__ == "__main__":
    unittest.main()
