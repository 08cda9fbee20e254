"""A second implementation of troupe's native protocol (docs/protocol.md), for tests: python3-zmq and
python3-msgpack, and nothing of libtroupe.

    with Client("ipc:///run/troupe/troupe.sock") as client:
        client.call("domain.create", domain="web1")
"""

import time

import msgpack
import zmq


class TroupeError(Exception):
    """The daemon's error; its fields are those of the protocol."""

    def __init__(self, code, name, message, retry):
        super().__init__(message)
        self.code, self.name, self.message, self.retry = code, name, message, retry


class NoAnswer(Exception):
    """Nothing came in time: never what the protocol promises."""


class Client:
    def __init__(self, endpoint, timeout=60.0):
        self.endpoint = endpoint
        self.timeout = timeout
        self.last_id = 0
        self.events = []
        self.answers = {}
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, 0)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.connect(endpoint)

    def close(self):
        self.socket.close()
        self.context.term()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    #   Requests.

    def send(self, verb, deadline=None, key=None, trace=None, **args):
        """Sends a request; its id."""
        return self.send_args(verb, args, deadline=deadline, key=key, trace=trace)

    def send_args(self, verb, args, **envelope):
        """The same, where arguments are called as fields of the envelope are."""
        self.last_id += 1
        request = {"id": self.last_id, "kind": "request", "verb": verb, "args": args}
        for name, value in envelope.items():
            if value is not None:
                request[name] = value
        self.send_raw(msgpack.packb(request))
        return self.last_id

    def send_raw(self, data):
        """Sends bytes that need not be a message."""
        self.socket.send(data)

    def call(self, verb, timeout=None, **args):
        """Sends and waits; the result, or TroupeError."""
        return self.wait(self.send(verb, **args), timeout)

    def wait(self, id, timeout=None):
        """The result of request ID, or TroupeError."""
        end = time.monotonic() + (timeout or self.timeout)
        while id not in self.answers:
            if not self._read(end - time.monotonic()):
                raise NoAnswer(f"no answer to request {id}")
            if None in self.answers:  # what was sent could not be read, and not even its id
                return self._result(self.answers.pop(None))
        return self._result(self.answers.pop(id))

    def wait_any(self, timeout=None):
        """The next answer to any request, as the whole message."""
        end = time.monotonic() + (timeout or self.timeout)
        while not self.answers:
            if not self._read(end - time.monotonic()):
                raise NoAnswer("no answer to any request")
        return self.answers.pop(next(iter(self.answers)))

    def poll(self, seconds):
        """Whether an answer is there, or comes in that time."""
        end = time.monotonic() + seconds
        while not self.answers and self._read(end - time.monotonic()):
            pass
        return bool(self.answers)

    def take_all(self):
        """Reads what is there."""
        while self._read(0):
            pass

    @staticmethod
    def _result(message):
        if message["kind"] == "reply":
            return message["result"]
        error = message["error"]
        raise TroupeError(error["code"], error["name"], error["message"], error["retry"])

    #   Events.

    def next_event(self, verb=None, timeout=None, **wanted):
        """The next event of this verb whose arguments are as wanted; others stay for later."""
        end = time.monotonic() + (timeout or self.timeout)
        seen = 0
        while True:
            for event in list(self.events)[seen:]:
                args = event["args"]
                if verb in (None, event["verb"]) and all(
                    args.get(name) == value for name, value in wanted.items()
                ):
                    self.events.remove(event)
                    return event
            seen = len(self.events)
            if not self._read(end - time.monotonic()):
                raise NoAnswer(f"no event {verb or ''} {wanted}")

    def console(self, domain, **args):
        """Opens a console; what comes of other events meanwhile is kept."""
        opened = self.call("console.open", domain=domain, **args)
        return Console(self, opened["stream"], opened.get("device"))

    #   The socket.

    def _read(self, seconds):
        """Reads one message, if one comes in time."""
        if not self.socket.poll(max(0, int(seconds * 1000))):
            return False
        message = msgpack.unpackb(self.socket.recv(), strict_map_key=True)
        if message["kind"] == "event":
            if message["verb"] != "ping":
                self.events.append(message)
        else:
            assert message["id"] not in self.answers, f"answered twice: {message}"
            self.answers[message["id"]] = message
        return True


class Console:
    def __init__(self, client, stream, device):
        self.client, self.stream, self.device = client, stream, device
        self.output = b""
        self.ended = None

    def write(self, data):
        self.client.call("console.write", stream=self.stream, data=bytes(data))

    def close(self):
        self.client.call("console.close", stream=self.stream)

    def read(self, timeout=None):
        """Waits for more output, or for the end."""
        event = self.client.next_event(timeout=timeout, stream=self.stream)
        if event["verb"] == "console.end":
            self.ended = event["args"]["reason"]
            return b""
        self.output += event["args"]["data"]
        return event["args"]["data"]

    def read_until(self, text, timeout=None):
        """All output up to now, as soon as TEXT is in it."""
        end = time.monotonic() + (timeout or self.client.timeout)
        while text not in self.output:
            if self.ended is not None:
                raise NoAnswer(f"the console ended ({self.ended}) before {text!r}: {self.output!r}")
            try:
                self.read(max(0.001, end - time.monotonic()))
            except NoAnswer:
                raise NoAnswer(f"{text!r} did not come; the output was {self.output!r}") from None
        return self.output
