//  test_zmq_gateway.c: the native API as clients see it, with fake owners behind it.

#include "support_gateway.h"

#include "util/text.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zmq.h>

static void scene_who_am_i (actor_t *self)
{
    house_t house;
    client_t client, reader;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    client_open (&reader, &house, "troupe-ro.sock");
    check_equal (client_call (self, &client, "session.ping", ""), 0);
    check_text (value_get_str (client_result (&client), "role"), "admin");
    check_equal (value_get_u64 (client_result (&client), "uid", 99), getuid ());
    check_equal (value_get_i64 (client_result (&client), "pid", 0), getpid ());
    uint64_t number = value_get_u64 (client_result (&client), "session", 0);
    check_equal (client_call (self, &reader, "session.ping", ""), 0);
    check_text (value_get_str (client_result (&reader), "role"), "read");
    check (value_get_u64 (client_result (&reader), "session", 0) != number);
    client_close (&client);
    client_close (&reader);
    house_close (self, &house);
}

static void scene_files (actor_t *self)
{
    house_t house;
    house_open (self, &house);
    const char *names[] = { "troupe.sock", "troupe-ro.sock" };
    for (int i = 0; i < 2; i++) {
        autofree char *path = text_format ("%s/%s", house.paths->run, names[i]);
        struct stat status;
        check_equal (stat (path, &status), 0);
        check_equal (status.st_mode & 07777, 0600);
    }
    house_stop_gateway (self);
    autofree char *path = text_format ("%s/troupe.sock", house.paths->run);
    check_equal (access (path, F_OK), -1);
    //  Started again: clients find what the owners published before.
    client_t client;
    check_equal (house_start_gateway (self, &house), 0);
    client_open (&client, &house, "troupe.sock");
    check_equal (client_call (self, &client, "domain.info", "domain=web"), 0);
    client_close (&client);
    house_close (self, &house);
}

//  Bytes that are no request, and the code they get. After each, the session goes on.

typedef struct {
    const char *bytes;
    size_t size;
    int code;
    bool with_id; //  the answer has the id 7
} bad_t;

#define BYTES(text) text, sizeof text - 1
#define KIND "\xa4kind\xa7request"

static const bad_t bad_input[] = {
    { BYTES (""), ERR_RPC, false },
    { BYTES ("\xc1"), ERR_RPC, false },
    { BYTES ("hello"), ERR_RPC, false },
    { BYTES ("\x07"), ERR_RPC, false },
    { BYTES ("\x93\x01\x02\x03"), ERR_RPC, false },
    { BYTES ("\xdf\xff\xff\xff\xff"), ERR_RPC, false },
    { BYTES ("\x80"), ERR_RPC, false },
    { BYTES ("\x81\xa2id\xa1x"), ERR_RPC, false },
    { BYTES ("\x81\xa2id\xff"), ERR_RPC, false },
    { BYTES ("\x81\x01\x07"), ERR_RPC, false },
    { BYTES ("\x82\xa2id\x07\xa2id\x07"), ERR_RPC, false },
    { BYTES ("\x81\xa2id\x07"), ERR_RPC, true },
    { BYTES ("\x82\xa2id\x07\xa4kind\xa5reply"), ERR_RPC, true },
    { BYTES ("\x82\xa2id\x07" KIND), ERR_RPC, true },
    { BYTES ("\x83\xa2id\x07" KIND "\xa4verb\x05"), ERR_RPC, true },
    { BYTES ("\x83\xa2id\x07" KIND "\xa4verb\xa5"
             "dance"),
      ERR_NO_SUPPORT, true },
    { BYTES ("\x84\xa2id\x07" KIND "\xa4verb\xa9host.info\xa5"
             "extra\x01"),
      ERR_RPC, true },
    { BYTES ("\x84\xa2id\x07" KIND "\xa4verb\xa9host.info\xa3key\xa1k"), ERR_INVALID_ARG, true },
    { BYTES ("\x84\xa2id\x07" KIND "\xa4verb\xa9host.info\xa3key\xa1 "), ERR_RPC, true },
    { BYTES ("\x84\xa2id\x07" KIND "\xa4verb\xa9host.info\xa3key\x07"), ERR_RPC, true },
    { BYTES ("\x84\xa2id\x07" KIND "\xa4verb\xa9host.info\xa8"
             "deadline\x00"),
      ERR_RPC, true },
    { BYTES ("\x84\xa2id\x07" KIND "\xa4verb\xa9host.info\xa8"
             "deadline\xa1x"),
      ERR_RPC, true },
    { BYTES ("\x84\xa2id\x07" KIND "\xa4verb\xa9host.info\xa5trace\x01"), ERR_RPC, true },
    { BYTES ("\x84\xa2id\x07" KIND "\xa4verb\xa9host.info\xa4"
             "args\x01"),
      ERR_INVALID_ARG, true },
    { BYTES ("\x84\xa2id\x07" KIND "\xa4verb\xa9host.info\xa4"
             "args\x81\xa1x\x01"),
      ERR_INVALID_ARG, true },
    { BYTES ("\x83\xa2id\x07" KIND "\xa4verb\xab"
             "domain.info"),
      ERR_INVALID_ARG, true },
    { BYTES ("\x84\xa2id\x07" KIND "\xa4verb\xab"
             "domain.info\xa4"
             "args\x81\xa6"
             "domain\xc3"),
      ERR_INVALID_ARG, true },
};

static void scene_bad_input (actor_t *self)
{
    house_t house;
    client_t client;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    for (size_t i = 0; i < sizeof bad_input / sizeof *bad_input; i++) {
        client_send (&client, bad_input[i].bytes, bad_input[i].size);
        check_equal (client_wait (self, &client, bad_input[i].with_id ? 7 : 0), bad_input[i].code);
        check (strlen (client_message (&client)) > 20);
        client.last_id = 100 + i;
        check_equal (client_call (self, &client, "session.ping", ""), 0);
    }
    client_close (&client);
    house_close (self, &house);
}

static void scene_frames (actor_t *self)
{
    house_t house;
    client_t client, reader;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    client_open (&reader, &house, "troupe-ro.sock");
    for (int i = 0; i < 40; i++)
        zmq_send (client.socket, "x", 1, ZMQ_SNDMORE);
    client_send (&client, "", 0);
    check_equal (client_wait (self, &client, 0), ERR_RPC);
    check (strstr (client_message (&client), "41 frames"));
    size_t size = 9 * 1024 * 1024;
    autofree char *large = memory_new (1, size);
    client_send (&client, large, size);
    check_equal (client_wait (self, &client, 0), ERR_RPC);
    check (strstr (client_message (&client), "8388608"));
    client_send (&reader, large, 70 * 1024);
    check_equal (client_wait (self, &reader, 0), ERR_RPC);
    check_equal (client_call (self, &client, "session.ping", ""), 0);
    check_equal (client_call (self, &reader, "session.ping", ""), 0);
    client_close (&client);
    client_close (&reader);
    house_close (self, &house);
}

//  A routing id that the next client can choose as well would get it our answers.
static void scene_own_routing_id (actor_t *self)
{
    house_t house;
    client_t client;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    error_t err;
    autofree char *endpoint = paths_endpoint (house.paths, "troupe.sock", &err);
    zmq_disconnect (client.socket, endpoint);
    zmq_setsockopt (client.socket, ZMQ_ROUTING_ID, "me", 2);
    zmq_connect (client.socket, endpoint);
    client_ask (&client, "session.ping", "");
    check_equal (client_wait (self, &client, 0), ERR_RPC);
    check (strstr (client_message (&client), "routing id"));
    client_close (&client);
    house_close (self, &house);
}

static void scene_unknown_peer (actor_t *self)
{
    house_t house;
    client_t client;
    house_open (self, &house);
    scene_end_actor (self, "zap");
    client_open (&client, &house, "troupe.sock");
    client_ask (&client, "session.ping", "");
    const value_t *answer = client_next (self, &client, 300);
    if (answer) //  or the handshake does not end, which refuses just as well
        check_equal (value_get_i64 (value_get (answer, "error"), "code", 0), ERR_AUTH_FAILED);
    client_close (&client);
    house_close (self, &house);
}

static void scene_queries (actor_t *self)
{
    house_t house;
    client_t client;
    house_open (self, &house);
    client_open (&client, &house, "troupe-ro.sock");
    check_equal (client_call (self, &client, "domain.list", "all"), 0);
    check_equal (value_count (client_result (&client)), 2);
    check_equal (client_call (self, &client, "domain.state", "domain=#1"), 0);
    check_text (value_get_str (client_result (&client), "state_text"), "running");
    check_equal (client_call (self, &client, "domain.xml", "domain=" DB), 0);
    check_equal (client_call (self, &client, "domain.xml", "domain=web,security_info"),
                 ERR_OPERATION_DENIED);
    check_equal (client_call (self, &client, "domain.info", "domain=nobody"), ERR_NO_DOMAIN);
    check (strstr (client_message (&client), "domain.info: no domain"));
    check_text (client.notes, " =1 =2 =3 !4 !5");
    client_close (&client);
    house_close (self, &house);
}

static void scene_owners (actor_t *self)
{
    house_t house;
    client_t client;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    check_equal (client_call (self, &client, "host.info", ""), 0);
    const value_t *by = value_get (client_result (&client), "by");
    check_equal (value_get_u64 (by, "uid", 99), getuid ());
    check_text (value_get_str (by, "role"), "admin");
    check_text (value_get_str (by, "trace"), "t1");
    check_equal (client_call (self, &client, "domain.rename", "domain=db,name=new"), 0);
    const value_t *args = value_get (client_result (&client), "args");
    check_equal (value_count (args), 1);
    check_text (value_get_str (args, "name"), "new");
    check_equal (client_call (self, &client, "domain.define", "xml=<domain/>"), 0);
    args = value_get (client_result (&client), "args");
    check_text (value_get_str (args, "xml"), "<domain/>");
    check_equal (client_call (self, &client, "domain.shutdown", "domain=web,mode=acpi"), 0);
    args = value_get (client_result (&client), "args");
    check_equal (value_count (args), 1);
    check_text (value_get_str (args, "mode"), "acpi");
    check_equal (client_call (self, &client, "domain.destroy", "domain=web"), 0);
    check_equal (value_get_u64 (client_result (&client), "urgent", 0), MSG_URGENT);
    check_equal (client_call (self, &client, "host.actors", ""), 0);
    check (value_count (client_result (&client)) >= 6);
    client_close (&client);
    house_close (self, &house);
}

static void scene_rights (actor_t *self)
{
    house_t house;
    client_t reader;
    house_open (self, &house);
    client_open (&reader, &house, "troupe-ro.sock");
    check_equal (client_call (self, &reader, "domain.create", "domain=web"), ERR_OPERATION_DENIED);
    check (strstr (client_message (&reader), "troupe.sock"));
    check_equal (client_call (self, &reader, "host.trace", ""), ERR_OPERATION_DENIED);
    check_equal (client_call (self, &reader, "console.open", "domain=web"), ERR_OPERATION_DENIED);
    check_equal (client_call (self, &reader, "host.info", ""), 0);
    client_close (&reader);
    house_close (self, &house);
}

//  A member of the socket's group, who is not root: may write, but is no admin. The kernel's
//  credentials are those of the thread that connects, ZeroMQ's, which inherits ours.
static void scene_group_member (actor_t *self)
{
    enum {
        NOBODY = 65534
    };
    house_t house;
    client_t client;
    house_open (self, &house);
    autofree char *path = text_format ("%s/troupe.sock", house.paths->run);
    check_equal (chmod (path, 0666), 0);
    check_equal (chmod (house.folder, 0755), 0);
    check_equal (syscall (SYS_setresuid, -1, NOBODY, -1), 0);
    client_open (&client, &house, "troupe.sock");
    check_equal (syscall (SYS_setresuid, -1, 0, -1), 0);
    check_equal (client_call (self, &client, "session.ping", ""), 0);
    check_text (value_get_str (client_result (&client), "role"), "write");
    check_equal (value_get_u64 (client_result (&client), "uid", 0), NOBODY);
    check_equal (client_call (self, &client, "domain.create", "domain=web"), 0);
    check_equal (client_call (self, &client, "domain.xml", "domain=web,security_info"), 0);
    check_equal (client_call (self, &client, "host.trace", ""), ERR_OPERATION_DENIED);
    check (strstr (client_message (&client), "root"));
    client_close (&client);
    house_close (self, &house);
}

static void test_group_member (void **state)
{
    (void) state;
    if (geteuid () != 0)
        skip (); //  only root can be somebody else
    scene_run (scene_group_member);
}

static void scene_failures (actor_t *self)
{
    house_t house;
    client_t client;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    uint64_t id = client_ask_within (&client, "domain.suspend", "domain=web", 50);
    check_equal (client_wait (self, &client, id), ERR_OPERATION_TIMEOUT);
    //  Its owner ended, and nobody said that the domain is gone.
    msg_t *end = msg_request ("end");
    actor_send (self, "domain/" DB, &end);
    scene_await_end (self, "domain/" DB);
    check_equal (client_call (self, &client, "domain.create", "domain=db"), ERR_NO_DOMAIN);
    check (strstr (client_message (&client), "no domain has the name, uuid or id 'db'"));
    client_close (&client);
    house_close (self, &house);
}

static void scene_bounds (actor_t *self)
{
    house_t house;
    client_t client;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    client.quiet = true;
    for (int i = 0; i < 1000; i++)
        client_ask (&client, "host.capabilities", "");
    check_equal (client_call (self, &client, "host.info", ""), ERR_RESOURCE_BUSY);
    check (value_get_bool (value_get (document_root (client.last), "error"), "retry", false));
    check_equal (client_call (self, &client, "domain.info", "domain=web"), 0);
    //  They are answered when their owner ends.
    actor_stop (self, "host");
    check_equal (client_wait (self, &client, 500), ERR_OPERATION_ABORTED);
    client_close (&client);
    house_close (self, &house);
}

static void scene_events (actor_t *self)
{
    house_t house;
    client_t client, other;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    client_open (&other, &house, "troupe-ro.sock");
    check_equal (client_call (self, &client, "event.subscribe", ""), 0);
    check_equal (client_call (self, &other, "event.subscribe", "domain=db"), 0);
    check_equal (client_call (self, &client, "domain.create", "domain=web"), 0);
    //  Events come before the answer of who caused them.
    check_text (client.notes, " =1 domain.lifecycle domain.reboot =2");
    check_equal (client_call (self, &other, "event.subscribe", "domain=web,verbs=[domain.reboot"),
                 0);
    check_equal (client_call (self, &client, "domain.create", "domain=web"), 0);
    check_equal (client_call (self, &client, "domain.create", "domain=db"), 0);
    check_equal (client_call (self, &other, "event.unsubscribe", ""), 0);
    check_text (other.notes, " =1 =2 domain.reboot domain.lifecycle domain.reboot =3");
    check_equal (client_call (self, &client, "domain.create", "domain=db"), 0);
    check_equal (client_call (self, &other, "session.ping", ""), 0);
    check_text (other.notes, " =1 =2 domain.reboot domain.lifecycle domain.reboot =3 =4");
    check_equal (client_call (self, &other, "event.subscribe", "domain=no"), ERR_NO_DOMAIN);
    client_close (&client);
    client_close (&other);
    house_close (self, &house);
}

static void scene_own_writes (actor_t *self)
{
    house_t house;
    client_t client;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    check_equal (client_call (self, &client, "event.subscribe", ""), 0);
    for (int64_t i = 1; i < 50; i++) {
        check_equal (client_call (self, &client, "domain.create", "domain=web"), 0);
        check_equal (client_call (self, &client, "domain.info", "domain=web"), 0);
        check_equal (value_get_i64 (client_result (&client), "changed_us", 0), i);
    }
    client.notes[0] = 0;
    check_equal (client_call (self, &client, "domain.undefine", "domain=web"), 0);
    check_equal (client_call (self, &client, "domain.info", "domain=web"), ERR_NO_DOMAIN);
    check_text (client.notes, " domain.lifecycle =100 !101");
    client_close (&client);
    house_close (self, &house);
}

static uint64_t console_status (actor_t *self, const char *field)
{
    auto(msg_t) answer = scene_ask (self, CONSOLE, "status", PATIENCE_MS);
    return value_get_u64 (msg_value (answer), field, 0);
}

static uint64_t open_console (actor_t *self, client_t *client)
{
    check_equal (client_call (self, client, "console.open", "domain=web"), 0);
    check_text (value_get_str (client_result (client), "device"), "serial0");
    uint64_t stream = value_get_u64 (client_result (client), "stream", 0);
    const value_t *event = client_next (self, client, 1000);
    size_t size;
    check (memcmp (value_bin (value_get (value_get (event, "args"), "data"), &size), "hello", 5) ==
           0);
    return stream;
}

static int stream_call (actor_t *self, client_t *client, const char *verb, uint64_t stream,
                        const char *more)
{
    autofree char *args = text_format ("stream=#%llu%s", (unsigned long long) stream, more);
    return client_call (self, client, verb, args);
}

static void scene_consoles (actor_t *self)
{
    house_t house;
    client_t client, other;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    client_open (&other, &house, "troupe.sock");
    uint64_t stream = open_console (self, &client);
    client.notes[0] = 0;
    check_equal (stream_call (self, &client, "console.write", stream, ",data=ls"), 0);
    check_text (client.notes, " console.data =2");
    check_equal (stream_call (self, &other, "console.write", stream, ",data=x"),
                 ERR_INVALID_STREAM);
    check_equal (stream_call (self, &other, "console.close", stream, ""), ERR_INVALID_STREAM);
    check_equal (stream_call (self, &client, "console.close", stream, ""), 0);
    check_equal (console_status (self, "detached"), 1);
    check_equal (stream_call (self, &client, "console.close", stream, ""), ERR_INVALID_STREAM);
    //  A console's actor that ends.
    stream = open_console (self, &client);
    msg_t *end = msg_request ("end");
    actor_send (self, CONSOLE, &end);
    const value_t *event = client_next (self, &client, 1000);
    check_text (value_get_str (event, "verb"), "console.end");
    check_equal (value_get_u64 (value_get (event, "args"), "stream", 0), stream);
    check_equal (client_call (self, &client, "console.open", "domain=web"), ERR_OPERATION_INVALID);
    client_close (&client);
    client_close (&other);
    house_close (self, &house);
}

static void scene_dead_session (actor_t *self)
{
    house_t house;
    client_t client;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    open_console (self, &client);
    auto(msg_t) before = scene_ask (self, GATEWAY_ADDRESS, "gateway.idle", PATIENCE_MS);
    check_equal (value_get_u64 (msg_value (before), "sessions", 9), 1);
    client_close (&client);
    for (int waited = 0; console_status (self, "detached") == 0; waited++) {
        check (waited < PATIENCE_MS / 100);
        scene_pass (self, 100);
    }
    auto(msg_t) after = scene_ask (self, GATEWAY_ADDRESS, "gateway.idle", PATIENCE_MS);
    check_equal (value_get_u64 (msg_value (after), "sessions", 9), 0);
    check (value_get_u64 (msg_value (after), "idle_ms", 0) > 500);
    house_close (self, &house);
}

static void scene_answer_for_nobody (actor_t *self)
{
    house_t house;
    client_t client;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    for (int i = 0; i < 20; i++)
        client_ask (&client, "host.info", "");
    check_equal (client_wait (self, &client, 20), 0);
    client_ask_within (&client, "domain.suspend", "domain=web", 100);
    scene_pass (self, 20);
    client_close (&client);
    scene_pass (self, 200); //  the error finds nobody
    client_open (&client, &house, "troupe.sock");
    check_equal (client_call (self, &client, "session.ping", ""), 0);
    client_close (&client);
    house_close (self, &house);
}

static void scene_trace (actor_t *self)
{
    house_t house;
    client_t client;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    check_equal (client_call (self, &client, "host.trace", ""), 0);
    check_equal (client_call (self, &client, "host.info", ""), 0);
    check (strstr (client.notes, " trace"));
    check_equal (client_call (self, &client, "host.trace", "enable"), 0);
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_u64 (&pack, "id", 77);
    pack_key_str (&pack, "kind", "request");
    pack_key_str (&pack, "verb", "host.trace");
    pack_key_map (&pack, "args");
    pack_key_bool (&pack, "enable", false);
    pack_end (&pack);
    pack_end (&pack);
    client_send (&client, pack.bytes, pack.size);
    pack_close (&pack);
    check_equal (client_wait (self, &client, 77), 0);
    client.notes[0] = 0;
    client.last_id = 100;
    check_equal (client_call (self, &client, "host.info", ""), 0);
    check_text (client.notes, " =101");
    client_close (&client);
    house_close (self, &house);
}

//  A console's output to a client that does not read is not acknowledged, and arrives all the same
//  once it reads.
static void scene_slow_console (actor_t *self)
{
    enum {
        CHUNKS = 3000
    };
    house_t house;
    client_t client;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    client.quiet = true;
    open_console (self, &client);
    auto(msg_t) flood = msg_request ("flood");
    pack_key_u64 (msg_args (flood), "count", CHUNKS);
    pack_key_u64 (msg_args (flood), "size", 4096);
    actor_send (self, CONSOLE, &flood);
    scene_pass (self, 300);
    check (console_status (self, "acknowledged") < CHUNKS);
    for (int i = 0; i < CHUNKS; i++) {
        const value_t *event = client_next (self, &client, PATIENCE_MS);
        check_text (value_get_str (event, "verb"), "console.data");
    }
    scene_until (self, console_status (self, "acknowledged") == CHUNKS + 1);
    client_close (&client);
    house_close (self, &house);
}

//  Whoever asks for much and reads nothing is told so in the end, and the gateway goes on.
static void scene_overrun (actor_t *self)
{
    house_t house;
    client_t client, other;
    house_open (self, &house);
    client_open (&client, &house, "troupe.sock");
    client_open (&other, &house, "troupe.sock");
    client.quiet = true;
    size_t size = 1024 * 1024;
    autofree char *xml = memory_new (1, size);
    memset (xml, 'x', size - 1);
    auto(msg_t) publish = msg_request ("xml");
    pack_key_str (msg_args (publish), "xml", xml);
    actor_send (self, "domain/" WEB, &publish);
    check_equal (client_call (self, &client, "event.subscribe", ""), 0);
    open_console (self, &client);
    for (int i = 0; i < 5000; i++)
        client_ask (&client, "session.ping", "");
    for (int i = 0; i < 40; i++)
        client_ask (&client, "domain.xml", "domain=web");
    for (int waited = 0; console_status (self, "detached") == 0; waited++) {
        check (waited < PATIENCE_MS / 50);
        scene_pass (self, 50);
        check_equal (client_call (self, &other, "session.ping", ""), 0);
    }
    bool told = false, ended = false;
    const value_t *message;
    while (!told && (message = client_next (self, &client, PATIENCE_MS))) {
        const char *verb = value_get_str (message, "verb");
        ended = ended || (verb && strcmp (verb, "console.end") == 0);
        told = verb && strcmp (verb, "session.overrun") == 0;
    }
    check (told && ended);
    client.last_id = 100000;
    check_equal (client_call (self, &client, "session.ping", ""), 0);
    client_close (&client);
    client_close (&other);
    house_close (self, &house);
}

SCENE_TEST (who_am_i)
SCENE_TEST (files)
SCENE_TEST (bad_input)
SCENE_TEST (frames)
SCENE_TEST (own_routing_id)
SCENE_TEST (unknown_peer)
SCENE_TEST (queries)
SCENE_TEST (owners)
SCENE_TEST (rights)
SCENE_TEST (failures)
SCENE_TEST (bounds)
SCENE_TEST (events)
SCENE_TEST (own_writes)
SCENE_TEST (consoles)
SCENE_TEST (dead_session)
SCENE_TEST (answer_for_nobody)
SCENE_TEST (trace)
SCENE_TEST (slow_console)
SCENE_TEST (overrun)

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_who_am_i),       cmocka_unit_test (test_files),
        cmocka_unit_test (test_bad_input),      cmocka_unit_test (test_frames),
        cmocka_unit_test (test_own_routing_id), cmocka_unit_test (test_unknown_peer),
        cmocka_unit_test (test_queries),        cmocka_unit_test (test_owners),
        cmocka_unit_test (test_rights),         cmocka_unit_test (test_failures),
        cmocka_unit_test (test_bounds),         cmocka_unit_test (test_events),
        cmocka_unit_test (test_own_writes),     cmocka_unit_test (test_consoles),
        cmocka_unit_test (test_dead_session),   cmocka_unit_test (test_answer_for_nobody),
        cmocka_unit_test (test_trace),          cmocka_unit_test (test_slow_console),
        cmocka_unit_test (test_overrun),        cmocka_unit_test (test_group_member),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
