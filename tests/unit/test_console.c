//  test_console.c: one console: the test is the guest, and the gateways are puppets.

#include "actors/console/console.h"
#include "actors/runtime/stream.h"
#include "drivers/state.h"

#include "folder.h"
#include "scene.h"
#include "util/text.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define UUID "11111111-2222-3333-4444-555555555555"
#define DOMAIN "domain/" UUID
#define CONSOLE "console/" UUID "/serial0"

//  A gateway (and, for power-offs, a domain): keeps what it is shown, asks what it is told to.

typedef struct {
    text_t *shown, *ends;
    bool slow; //  acknowledges no data before it is told to read on
    msg_t *held[STREAM_WINDOW];
    size_t held_count;
} gateway_t;

static int gateway_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) args, (void) err;
    gateway_t *gateway = actor_state (self);
    gateway->shown = text_new ();
    gateway->ends = text_new ();
    return 0;
}

static void pass_answer_on (actor_t *self, const msg_t *answer, void *arg)
{
    msg_t *request = arg;
    error_t err;
    if (msg_failed (answer, &err)) {
        actor_reply_error (self, &request, &err);
        return;
    }
    auto(msg_t) reply = msg_reply ();
    actor_reply (self, &request, &reply);
}

static void ask_console (actor_t *self, msg_t **msg_p)
{
    msg_t *order = take (msg_p), *request = msg_request (msg_str (order, "verb"));
    size_t size = 0;
    const void *data = value_bin (msg_arg (order, "data"), &size);
    pack_key_str (msg_args (request), "gateway", actor_address (self));
    pack_key_u64 (msg_args (request), "stream", msg_u64 (order, "stream", 0));
    pack_key_bool (msg_args (request), "force", msg_flag (order, "force"));
    if (data) {
        pack_key (msg_args (request), "data");
        pack_bin (msg_args (request), data, size);
    }
    actor_request (self, CONSOLE, &request, (int) msg_u64 (order, "ms", PATIENCE_MS),
                   pass_answer_on, order);
}

static void report (actor_t *self, msg_t **msg_p)
{
    gateway_t *gateway = actor_state (self);
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key (msg_result (reply), "shown");
    pack_bin (msg_result (reply), gateway->shown->data, gateway->shown->size);
    pack_key_str (msg_result (reply), "ends", gateway->ends->data);
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
}

static void publish_state (actor_t *self, msg_t **msg_p)
{
    auto(msg_t) event = msg_event ("snapshot");
    pack_key_u64 (msg_args (event), "state", msg_u64 (*msg_p, "state", 0));
    actor_publish (self, actor_address (self), &event);
    auto(msg_t) reply = msg_reply ();
    actor_reply (self, msg_p, &reply);
}

static void show (actor_t *self, msg_t **msg_p)
{
    gateway_t *gateway = actor_state (self);
    size_t size;
    const void *data = value_bin (msg_arg (*msg_p, "data"), &size);
    text_add_bytes (gateway->shown, data, size);
    if (!gateway->slow)
        return;
    check (gateway->held_count < STREAM_WINDOW);
    gateway->held[gateway->held_count++] = actor_hold (self, msg_p);
}

static void read_on (actor_t *self)
{
    gateway_t *gateway = actor_state (self);
    gateway->slow = false;
    for (size_t i = 0; i < gateway->held_count; i++) {
        auto(msg_t) reply = msg_reply ();
        actor_reply (self, &gateway->held[i], &reply);
    }
    gateway->held_count = 0;
}

static void gateway_handle (actor_t *self, msg_t **msg_p)
{
    gateway_t *gateway = actor_state (self);
    if (msg_is (*msg_p, "console.data"))
        show (self, msg_p);
    else if (msg_is (*msg_p, "console.end"))
        text_addf (gateway->ends, "%d: %s\n", (int) msg_u64 (*msg_p, "stream", 0),
                   msg_str (*msg_p, "reason"));
    else if (msg_is (*msg_p, "guest.poweroff"))
        text_addf (gateway->ends, "poweroff %s\n", msg_str (*msg_p, "alias"));
    else if (msg_is (*msg_p, "ask"))
        ask_console (self, msg_p);
    else if (msg_is (*msg_p, "report"))
        report (self, msg_p);
    else if (msg_is (*msg_p, "publish"))
        publish_state (self, msg_p);
    else if (msg_is (*msg_p, "slow"))
        gateway->slow = true;
    else if (msg_is (*msg_p, "read on"))
        read_on (self);
    else if (msg_is (*msg_p, "panic"))
        actor_panic (self, "told to");
}

static void gateway_stop (actor_t *self)
{
    gateway_t *gateway = actor_state (self);
    text_destroy (&gateway->shown);
    text_destroy (&gateway->ends);
}

static const actor_class_t gateway_class = { .kind = "gateway",
                                             .state_size = sizeof (gateway_t),
                                             .stop_rank = 2,
                                             .start = gateway_start,
                                             .handle = gateway_handle,
                                             .stop = gateway_stop };

//  Orders to a gateway; the answer is the console's.

static msg_t *order (const char *verb, uint64_t stream)
{
    msg_t *msg = msg_request ("ask");
    pack_key_str (msg_args (msg), "verb", verb);
    pack_key_u64 (msg_args (msg), "stream", stream);
    return msg;
}

static int attach (actor_t *self, const char *gateway, uint64_t stream, bool force)
{
    msg_t *msg = order ("console.attach", stream);
    pack_key_bool (msg_args (msg), "force", force);
    auto(msg_t) answer = scene_call (self, gateway, &msg, 20000);
    return scene_code (answer);
}

static msg_t *typing (uint64_t stream, const void *data, size_t size)
{
    msg_t *msg = order ("console.input", stream);
    pack_key (msg_args (msg), "data");
    pack_bin (msg_args (msg), data, size);
    return msg;
}

static int type (actor_t *self, const char *gateway, uint64_t stream, const char *text)
{
    msg_t *msg = typing (stream, text, strlen (text));
    auto(msg_t) answer = scene_call (self, gateway, &msg, 20000);
    return scene_code (answer);
}

static char *reported (actor_t *self, const char *gateway, const char *field, size_t *size)
{
    auto(msg_t) answer = scene_ask (self, gateway, "report", 20000);
    check_equal (scene_code (answer), 0);
    const void *bytes = value_bin (value_get (msg_value (answer), field), size);
    return text_copy_bytes (bytes, *size);
}

//  Until the FIELD ends in TEXT.
static void await_end (actor_t *self, const char *gateway, const char *field, const char *text)
{
    size_t size;
    autofree char *last = NULL;
    for (int i = 0; i < PATIENCE_MS / 10; i++) {
        free (last);
        last = reported (self, gateway, field, &size);
        if (text_ends (last, text))
            return;
        scene_pass (self, 10);
    }
    fprintf (stderr, "%s of %s is '%s', without '%s'\n", field, gateway, last, text);
    check (false);
}

static void tell (actor_t *self, const char *gateway, const char *verb)
{
    msg_t *msg = msg_request (verb);
    actor_send (self, gateway, &msg);
}

//  The guest's end.

typedef struct {
    int fd; //  the guest
    char path[108];
} far_end_t;

static void open_pty (far_end_t *guest)
{
    guest->fd = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
    check (guest->fd >= 0);
    check_equal (grantpt (guest->fd), 0);
    check_equal (unlockpt (guest->fd), 0);
    check_equal (ptsname_r (guest->fd, guest->path, sizeof guest->path), 0);
}

static void say (far_end_t *guest, const char *text)
{
    check_equal (write (guest->fd, text, strlen (text)), (int64_t) strlen (text));
}

//  Exactly this many bytes.
static char *hear (far_end_t *guest, size_t size)
{
    char *bytes = memory_new (size + 1, 1);
    for (size_t at = 0; at < size;) {
        ssize_t count = read (guest->fd, bytes + at, size - at);
        check (count > 0);
        at += (size_t) count;
    }
    return bytes;
}

static int spawn (actor_t *self, const char *kind, const char *path, const char *live)
{
    scene_reset ();
    msg_t *args = msg_request ("start");
    pack_key_str (msg_args (args), "kind", kind);
    pack_key_str (msg_args (args), "path", path);
    pack_key_str (msg_args (args), "uuid", UUID);
    pack_key_str (msg_args (args), "alias", "serial0");
    pack_key_str (msg_args (args), "driver", "test");
    pack_key_str (msg_args (args), "live", live);
    actor_spawn (self, CONSOLE, &console_class, &args, false, 20000, scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    return scene_code (answer);
}

static void set_up (actor_t *self, far_end_t *guest)
{
    check_equal (scene_spawn (self, "gateway/1", &gateway_class, false), 0);
    check_equal (scene_spawn (self, "gateway/2", &gateway_class, false), 0);
    open_pty (guest);
    check_equal (spawn (self, "pty", guest->path, NULL), 0);
}

//  Scenes.

static void scene_both_ways (actor_t *self)
{
    far_end_t guest;
    set_up (self, &guest);
    check_equal (attach (self, "gateway/1", 7, false), 0);
    say (&guest, "login: \r\n\x01\xff");
    await_end (self, "gateway/1", "shown", "login: \r\n\x01\xff");
    check_equal (type (self, "gateway/1", 7, "root\r\x03\x04"), 0);
    autofree char *typed = hear (&guest, 7);
    check_text (typed, "root\r\x03\x04");
    //  Nothing echoes but the guest.
    scene_pass (self, 50);
    await_end (self, "gateway/1", "shown", "login: \r\n\x01\xff");
    close (guest.fd);
}

static void scene_one_client_at_a_time (actor_t *self)
{
    far_end_t guest;
    set_up (self, &guest);
    check_equal (attach (self, "gateway/1", 7, false), 0);
    check_equal (attach (self, "gateway/2", 8, false), ERR_OPERATION_FAILED);
    check_equal (type (self, "gateway/2", 8, "x"), ERR_INVALID_STREAM);
    check_equal (type (self, "gateway/2", 7, "x"), ERR_INVALID_STREAM); //  another's number
    check_equal (attach (self, "gateway/2", 8, true), 0);
    await_end (self, "gateway/1", "ends", "7: taken over by another client\n");
    check_equal (type (self, "gateway/1", 7, "x"), ERR_INVALID_STREAM);
    check_equal (type (self, "gateway/2", 8, "y"), 0);
    say (&guest, "hello");
    await_end (self, "gateway/2", "shown", "hello");
    size_t size;
    autofree char *first = reported (self, "gateway/1", "shown", &size);
    check_equal (size, 0);
    close (guest.fd);
}

static void scene_detached_and_idle (actor_t *self)
{
    far_end_t guest;
    set_up (self, &guest);
    check_equal (attach (self, "gateway/1", 7, false), 0);
    scene_pass (self, CONSOLE_IDLE_MS + 200);
    msg_t *detach = order ("console.detach", 7);
    auto(msg_t) answer = scene_call (self, "gateway/1", &detach, PATIENCE_MS);
    check_equal (scene_code (answer), 0);
    const int64_t since = actor_now (self);
    const int code = attach (self, "gateway/2", 8, false);
    //  Unless the machine stood still for so long that nobody had it.
    if (code == ERR_OPERATION_INVALID && actor_now (self) - since >= CONSOLE_IDLE_MS)
        return;
    check_equal (code, 0);
    msg_t *again = order ("console.detach", 8);
    auto(msg_t) second = scene_call (self, "gateway/2", &again, PATIENCE_MS);
    check_equal (scene_code (second), 0);
    scene_await_end (self, CONSOLE);
    check_equal (attach (self, "gateway/1", 9, false), ERR_OPERATION_INVALID); //  it ended
    close (guest.fd);
}

static void scene_guest_closes (actor_t *self)
{
    far_end_t guest;
    set_up (self, &guest);
    check_equal (attach (self, "gateway/1", 7, false), 0);
    say (&guest, "bye");
    await_end (self, "gateway/1", "shown", "bye");
    close (guest.fd);
    await_end (self, "gateway/1", "ends", "7: the guest's console was closed\n");
    scene_await_end (self, CONSOLE);
    check_equal (attach (self, "gateway/1", 8, false), ERR_OPERATION_INVALID);
}

static void scene_gateway_dies (actor_t *self)
{
    far_end_t guest;
    set_up (self, &guest);
    check_equal (attach (self, "gateway/1", 7, false), 0);
    auto(msg_t) panicked = scene_ask (self, "gateway/1", "panic", PATIENCE_MS);
    check_equal (scene_code (panicked), ERR_INTERNAL_ERROR);
    scene_pass (self, 20);
    check_equal (attach (self, "gateway/2", 8, false), 0); //  nobody has it
    close (guest.fd);
}

//  More than the guest takes at once; then it reads on.
static void scene_input_waits_for_the_guest (actor_t *self)
{
    far_end_t guest;
    set_up (self, &guest);
    check_equal (attach (self, "gateway/1", 7, false), 0);
    scene_reset ();
    autofree char *all = memory_new (CONSOLE_MAX_INPUT + 6, 1);
    for (size_t i = 0; i < CONSOLE_MAX_INPUT; i++)
        all[i] = (char) ('a' + i % 23);
    memcpy (all + CONSOLE_MAX_INPUT, "after", 5);
    msg_t *first = typing (7, all, CONSOLE_MAX_INPUT), *second = typing (7, "after", 5);
    actor_request (self, "gateway/1", &first, 20000, scene_keep, NULL);
    actor_request (self, "gateway/1", &second, 20000, scene_keep, NULL);
    scene_pass (self, 50);
    check_equal (scene_count (), 0);
    //  What waits for too long is not typed later.
    msg_t *late = typing (7, "late", 4);
    pack_key_u64 (msg_args (late), "ms", 30);
    auto(msg_t) timeout = scene_call (self, "gateway/1", &late, 20000);
    check_equal (scene_code (timeout), ERR_OPERATION_TIMEOUT);
    autofree char *typed = hear (&guest, CONSOLE_MAX_INPUT + 5);
    auto(msg_t) both = scene_await (self, 2);
    check_equal (scene_code (both), 0);
    check (memcmp (typed, all, CONSOLE_MAX_INPUT + 5) == 0);
    check_equal (type (self, "gateway/1", 7, "next"), 0);
    autofree char *next = hear (&guest, 4);
    check_text (next, "next");
    msg_t *much = typing (7, all, CONSOLE_MAX_INPUT + 1);
    auto(msg_t) refused = scene_call (self, "gateway/1", &much, 20000);
    check_equal (scene_code (refused), ERR_INVALID_ARG);
    close (guest.fd);
}

static void scene_inputs_fail_with_the_console (actor_t *self)
{
    far_end_t guest;
    set_up (self, &guest);
    check_equal (attach (self, "gateway/1", 7, false), 0);
    scene_reset ();
    autofree char *all = memory_new (CONSOLE_MAX_INPUT, 1);
    msg_t *first = typing (7, all, CONSOLE_MAX_INPUT);
    actor_request (self, "gateway/1", &first, 20000, scene_keep, NULL);
    //  Once this answers, the input is on its way to the console, before what follows.
    size_t size;
    free (reported (self, "gateway/1", "shown", &size));
    check_equal (attach (self, "gateway/2", 8, true), 0);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_OPERATION_FAILED);
    close (guest.fd);
}

//  A gateway that does not read: the guest is held up, and our memory does not grow.
static void scene_pressure (actor_t *self)
{
    far_end_t guest;
    set_up (self, &guest);
    check_equal (attach (self, "gateway/1", 7, false), 0);
    tell (self, "gateway/1", "slow");
    check_equal (fcntl (guest.fd, F_SETFL, O_NONBLOCK), 0);
    auto(text_t) said = text_new ();
    char line[256];
    for (int quiet = 0, n = 0; quiet < 50; n++) {
        snprintf (line, sizeof line, "%d\r\n", n);
        struct pollfd poll_fd = { .fd = guest.fd, .events = POLLOUT };
        ssize_t count = poll (&poll_fd, 1, 20) == 1 ? write (guest.fd, line, strlen (line)) : 0;
        quiet = count > 0 ? 0 : quiet + 1;
        text_add_bytes (said, line, count > 0 ? (size_t) count : 0);
    }
    check (said->size > CONSOLE_RING);
    check (said->size < CONSOLE_RING + (STREAM_WINDOW + 4) * CONSOLE_CHUNK);
    tell (self, "gateway/1", "read on");
    await_end (self, "gateway/1", "shown", said->data + said->size - 20);
    size_t size;
    autofree char *shown = reported (self, "gateway/1", "shown", &size);
    check_equal (size, said->size);
    check_text (shown, said->data);
    close (guest.fd);
}

static void scene_unix_socket (actor_t *self)
{
    far_end_t guest;
    check_equal (scene_spawn (self, "gateway/1", &gateway_class, false), 0);
    unit_path (guest.path, "console");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    memcpy (address.sun_path, guest.path, sizeof guest.path);
    int listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check_equal (bind (listener, (struct sockaddr *) &address, sizeof address), 0);
    check_equal (listen (listener, 1), 0);
    check_equal (spawn (self, "unix", guest.path, NULL), 0);
    guest.fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
    check_equal (attach (self, "gateway/1", 7, false), 0);
    say (&guest, "hi");
    await_end (self, "gateway/1", "shown", "hi");
    check_equal (type (self, "gateway/1", 7, "ho"), 0);
    autofree char *typed = hear (&guest, 2);
    check_text (typed, "ho");
    close (guest.fd);
    await_end (self, "gateway/1", "ends", "7: the guest's console was closed\n");
    close (listener);
    unlink (guest.path);
}

static void scene_cannot_open (actor_t *self)
{
    check_equal (spawn (self, "pty", "/no/such/pty", NULL), ERR_OPEN_FAILED);
    check_equal (spawn (self, "pty", "/dev/null", NULL), ERR_OPEN_FAILED);
    check_equal (spawn (self, "unix", "/no/such/socket", NULL), ERR_NO_CONNECT);
    check_equal (spawn (self, "telepathy", "/x", NULL), ERR_INVALID_ARG);
    check_equal (spawn (self, "simulated", NULL, "<domain>"), ERR_XML_DETAIL);
}

//  Simulated.

#define LIVE "<domain><name>web</name><memory>65536</memory><vcpu>1</vcpu><devices/></domain>"

static void scene_simulated_guest_powers_off (actor_t *self)
{
    check_equal (scene_spawn (self, "gateway/1", &gateway_class, false), 0);
    check_equal (scene_spawn (self, DOMAIN, &gateway_class, false), 0);
    check_equal (spawn (self, "simulated", NULL, LIVE), 0);
    check_equal (attach (self, "gateway/1", 7, false), 0);
    await_end (self, "gateway/1", "shown", "web login: ");
    check_equal (type (self, "gateway/1", 7, "root\rls\r"), 0);
    await_end (self, "gateway/1", "shown", "ls: not found; try help\r\n# ");
    autofree char *long_line = memory_new (30001, 1);
    memset (long_line, 'x', 30000);
    check_equal (type (self, "gateway/1", 7, long_line), 0);
    check_equal (type (self, "gateway/1", 7, "\rpoweroff\r"), 0);
    await_end (self, "gateway/1", "ends", "7: the guest's console was closed\n");
    await_end (self, "gateway/1", "shown", "reboot: Power down\r\n");
    await_end (self, DOMAIN, "ends", "poweroff serial0\n");
}

static void publish (actor_t *self, guest_state_t state)
{
    msg_t *msg = msg_request ("publish");
    pack_key_u64 (msg_args (msg), "state", state);
    auto(msg_t) answer = scene_call (self, DOMAIN, &msg, PATIENCE_MS);
    check_equal (scene_code (answer), 0);
}

static void scene_simulated_guest_ends (actor_t *self)
{
    check_equal (scene_spawn (self, "gateway/1", &gateway_class, false), 0);
    check_equal (scene_spawn (self, DOMAIN, &gateway_class, false), 0);
    publish (self, STATE_RUNNING);
    check_equal (spawn (self, "simulated", NULL, LIVE), 0);
    check_equal (attach (self, "gateway/1", 7, false), 0);
    await_end (self, "gateway/1", "shown", "web login: ");
    publish (self, STATE_PAUSED);
    check_equal (type (self, "gateway/1", 7, "x"), 0);
    publish (self, STATE_SHUTOFF);
    await_end (self, "gateway/1", "ends", "7: the guest's console was closed\n");
}

SCENE_TEST (both_ways)
SCENE_TEST (one_client_at_a_time)
SCENE_TEST (detached_and_idle)
SCENE_TEST (guest_closes)
SCENE_TEST (gateway_dies)
SCENE_TEST (input_waits_for_the_guest)
SCENE_TEST (inputs_fail_with_the_console)
SCENE_TEST (pressure)
SCENE_TEST (unix_socket)
SCENE_TEST (cannot_open)
SCENE_TEST (simulated_guest_powers_off)
SCENE_TEST (simulated_guest_ends)

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_both_ways),
        cmocka_unit_test (test_one_client_at_a_time),
        cmocka_unit_test (test_detached_and_idle),
        cmocka_unit_test (test_guest_closes),
        cmocka_unit_test (test_gateway_dies),
        cmocka_unit_test (test_input_waits_for_the_guest),
        cmocka_unit_test (test_inputs_fail_with_the_console),
        cmocka_unit_test (test_pressure),
        cmocka_unit_test (test_unix_socket),
        cmocka_unit_test (test_cannot_open),
        cmocka_unit_test (test_simulated_guest_powers_off),
        cmocka_unit_test (test_simulated_guest_ends),
    };
    xml_init ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
