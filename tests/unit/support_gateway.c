//  support_gateway.c: see support_gateway.h.

#include "support_gateway.h"

#include "msg/envelope.h"
#include "util/text.h"

#include <ftw.h>
#include <stdio.h>
#include <zmq.h>

//  The fake host: says what it was asked, by whom; keeps `host.capabilities`.

static void describe (actor_t *self, msg_t **msg_p)
{
    auto(msg_t) reply = msg_reply ();
    pack_t *pack = msg_result (reply);
    pack_map (pack);
    pack_key_str (pack, "verb", msg_verb (*msg_p));
    pack_key_u64 (pack, "urgent", msg_head (*msg_p)->flags & MSG_URGENT);
    const value_t *args = value_get (msg_root (*msg_p), "args");
    if (args) {
        pack_key (pack, "args");
        pack_value (pack, args);
    }
    pack_key (pack, "by");
    pack_value (pack, value_get (msg_root (*msg_p), "by"));
    pack_end (pack);
    actor_reply (self, msg_p, &reply);
}

typedef struct {
    msg_t *kept[2000];
    size_t count;
} fake_host_t;

static void host_handle (actor_t *self, msg_t **msg_p)
{
    fake_host_t *host = actor_state (self);
    if (msg_is (*msg_p, "host.capabilities"))
        host->kept[host->count++] = take (msg_p);
    else if (msg_kind (*msg_p) == MSG_REQUEST)
        describe (self, msg_p);
}

static void host_stop (actor_t *self)
{
    fake_host_t *host = actor_state (self);
    while (host->count > 0)
        msg_destroy (&host->kept[--host->count]);
}

static const actor_class_t host_class = { .kind = "host",
                                          .state_size = sizeof (fake_host_t),
                                          .max_requests = 4096,
                                          .handle = host_handle,
                                          .stop = host_stop };

//  The fake domain: `domain.create` publishes what it is told and answers.

typedef struct {
    int64_t starts;
} fake_domain_t;

static void pack_event (pack_t *pack, const char *verb, int64_t number)
{
    pack_map (pack);
    pack_key_str (pack, "verb", verb);
    pack_key_map (pack, "args");
    pack_key_i64 (pack, "number", number);
    pack_end (pack);
    pack_end (pack);
}

static void publish (actor_t *self, const char *xml, bool events)
{
    fake_domain_t *domain = actor_state (self);
    bool web = strcmp (actor_address (self), "domain/" WEB) == 0;
    msg_t *event = msg_event ("snapshot");
    pack_t *pack = msg_args (event);
    pack_key_str (pack, "name", web ? "web" : "db");
    pack_key_i64 (pack, "id", web ? 1 : -1);
    pack_key_i64 (pack, "state", web ? 1 : 5);
    pack_key_i64 (pack, "reason", 1);
    pack_key_i64 (pack, "changed_us", domain->starts);
    pack_key_bool (pack, "persistent", true);
    pack_key_str (pack, "xml", xml);
    if (events) {
        pack_key_array (pack, "events");
        pack_event (pack, "domain.lifecycle", domain->starts);
        pack_event (pack, "domain.reboot", domain->starts);
        pack_end (pack);
    }
    actor_publish (self, actor_address (self), &event);
}

static int domain_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) args, (void) err;
    publish (self, "<domain/>", false);
    return 0;
}

static void domain_console (actor_t *self, msg_t **msg_p)
{
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "address", CONSOLE);
    pack_key_str (msg_result (reply), "device", "serial0");
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
}

static void domain_handle (actor_t *self, msg_t **msg_p)
{
    fake_domain_t *domain = actor_state (self);
    if (msg_is (*msg_p, "domain.create")) {
        domain->starts++;
        publish (self, "<domain/>", true);
        describe (self, msg_p);
    } else if (msg_is (*msg_p, "xml"))
        publish (self, msg_str (*msg_p, "xml"), false);
    else if (msg_is (*msg_p, "console.open"))
        domain_console (self, msg_p);
    else if (msg_is (*msg_p, "domain.undefine")) {
        msg_t *gone = msg_event ("gone");
        pack_key_array (msg_args (gone), "events");
        pack_event (msg_args (gone), "domain.lifecycle", -1);
        pack_end (msg_args (gone));
        actor_publish_last (self, actor_address (self), &gone);
        describe (self, msg_p);
    } else if (msg_is (*msg_p, "end"))
        actor_end (self);
    else if (msg_is (*msg_p, "domain.suspend"))
        msg_destroy (msg_p); //  never answers
    else if (msg_kind (*msg_p) == MSG_REQUEST)
        describe (self, msg_p);
}

static const actor_class_t domain_class = { .kind = "domain",
                                            .state_size = sizeof (fake_domain_t),
                                            .start = domain_start,
                                            .handle = domain_handle };

//  The fake console: sends "hello" when attached, then back what was typed. `status`: {attached,
//  acknowledged, failed}. `flood` sends COUNT times SIZE bytes.

typedef struct {
    char gateway[MSG_ADDRESS_MAX];
    uint64_t stream;
    uint64_t attached, detached, acknowledged;
} fake_console_t;

static void on_ack (actor_t *self, const msg_t *reply, void *arg)
{
    (void) reply, (void) arg;
    ((fake_console_t *) actor_state (self))->acknowledged++;
}

static void console_emit (actor_t *self, const void *bytes, size_t size)
{
    fake_console_t *console = actor_state (self);
    msg_t *msg = msg_request ("console.data");
    pack_key_u64 (msg_args (msg), "stream", console->stream);
    pack_key (msg_args (msg), "data");
    pack_bin (msg_args (msg), bytes, size);
    actor_stream (self, console->gateway, &msg, 60000, on_ack, NULL);
}

static void reply_nil (actor_t *self, msg_t **msg_p)
{
    auto(msg_t) reply = msg_reply ();
    actor_reply (self, msg_p, &reply);
}

static void console_attach (actor_t *self, msg_t **msg_p)
{
    fake_console_t *console = actor_state (self);
    console->attached++;
    console->stream = msg_u64 (*msg_p, "stream", 0);
    snprintf (console->gateway, sizeof console->gateway, "%s", msg_str (*msg_p, "gateway"));
    console_emit (self, "hello", 5); //  before the answer, to be nasty
    reply_nil (self, msg_p);
}

static void console_status (actor_t *self, msg_t **msg_p)
{
    fake_console_t *console = actor_state (self);
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_u64 (msg_result (reply), "attached", console->attached);
    pack_key_u64 (msg_result (reply), "detached", console->detached);
    pack_key_u64 (msg_result (reply), "acknowledged", console->acknowledged);
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
}

static void console_flood (actor_t *self, const msg_t *msg)
{
    size_t size = msg_u64 (msg, "size", 1);
    autofree char *bytes = memory_new (1, size);
    for (uint64_t i = 0; i < msg_u64 (msg, "count", 1); i++)
        console_emit (self, bytes, size);
}

static void console_handle (actor_t *self, msg_t **msg_p)
{
    fake_console_t *console = actor_state (self);
    if (msg_is (*msg_p, "console.attach"))
        console_attach (self, msg_p);
    else if (msg_is (*msg_p, "console.input")) {
        size_t size;
        const void *bytes = value_bin (msg_arg (*msg_p, "data"), &size);
        console_emit (self, bytes, size);
        reply_nil (self, msg_p);
    } else if (msg_is (*msg_p, "console.detach")) {
        console->detached++;
        reply_nil (self, msg_p);
    } else if (msg_is (*msg_p, "flood"))
        console_flood (self, *msg_p);
    else if (msg_is (*msg_p, "end"))
        actor_end (self);
    else if (msg_is (*msg_p, "status"))
        console_status (self, msg_p);
}

static const actor_class_t console_class = { .kind = "console",
                                             .state_size = sizeof (fake_console_t),
                                             .handle = console_handle };

//  The house.

int house_start_gateway (actor_t *self, house_t *house)
{
    scene_reset ();
    auto(msg_t) args = msg_request ("start");
    config_pack (&house->config, msg_args (args));
    actor_spawn (self, GATEWAY_ADDRESS, &zmq_gateway_class, &args, true, PATIENCE_MS, scene_keep,
                 NULL);
    auto(msg_t) answer = scene_await (self, 1);
    return scene_code (answer);
}

static void on_down (actor_t *self, const char *address, const msg_t *down, void *arg)
{
    (void) self, (void) address, (void) down;
    *(bool *) arg = true;
}

void house_stop_gateway (actor_t *self)
{
    bool down = false;
    actor_watch (self, GATEWAY_ADDRESS, on_down, &down);
    actor_stop (self, GATEWAY_ADDRESS);
    while (!down)
        actor_step (self, INT64_MAX);
}

void house_open (actor_t *self, house_t *house)
{
    error_t err;
    unit_new_folder (house->folder);
    house->paths = paths_new (PATHS_ROOT, house->folder, &err);
    check_equal (paths_create (house->paths, &err), 0);
    house->config = (config_t){ .paths = house->paths };
    check_equal (scene_spawn (self, "zap", &zap_class, true), 0);
    check_equal (scene_spawn (self, "host", &host_class, true), 0);
    check_equal (scene_spawn (self, "domain/" WEB, &domain_class, true), 0);
    check_equal (scene_spawn (self, "domain/" DB, &domain_class, true), 0);
    check_equal (scene_spawn (self, CONSOLE, &console_class, true), 0);
    check_equal (house_start_gateway (self, house), 0);
}

static int remove_entry (const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void) status, (void) type, (void) walk;
    return remove (path);
}

void house_close (actor_t *self, house_t *house)
{
    house_stop_gateway (self);
    paths_destroy (&house->paths);
    check_equal (nftw (house->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

//  Clients.

void client_open (client_t *client, const house_t *house, const char *socket)
{
    error_t err;
    int none = 0;
    memset (client, 0, sizeof *client);
    autofree char *endpoint = paths_endpoint (house->paths, socket, &err);
    client->context = zmq_ctx_new ();
    client->socket = zmq_socket (client->context, ZMQ_DEALER);
    zmq_setsockopt (client->socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt (client->socket, ZMQ_SNDHWM, &none, sizeof none);
    check_equal (zmq_connect (client->socket, endpoint), 0);
}

void client_close (client_t *client)
{
    document_destroy (&client->last);
    zmq_close (client->socket);
    zmq_ctx_term (client->context);
}

void client_send (client_t *client, const void *bytes, size_t size)
{
    check_equal (zmq_send (client->socket, bytes, size, ZMQ_DONTWAIT), size);
}

static void pack_argument (pack_t *pack, char *word)
{
    char *text = word;
    char *key = strsep (&text, "=");
    if (!text)
        pack_key_bool (pack, key, true);
    else if (text[0] == '#')
        pack_key_u64 (pack, key, strtoull (text + 1, NULL, 10));
    else if (text[0] == '[') {
        pack_key_array (pack, key);
        pack_str (pack, text + 1);
        pack_end (pack);
    } else
        pack_key_str (pack, key, text);
}

uint64_t client_ask_within (client_t *client, const char *verb, const char *args, uint64_t ms)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_u64 (&pack, "id", ++client->last_id);
    pack_key_str (&pack, "kind", "request");
    pack_key_str (&pack, "verb", verb);
    pack_key_u64 (&pack, "deadline", ms);
    pack_key_str (&pack, "trace", "t1");
    pack_key_map (&pack, "args");
    autofree char *copy = text_copy (args ? args : "");
    char *rest = *copy ? copy : NULL;
    for (char *word; (word = strsep (&rest, ","));)
        pack_argument (&pack, word);
    pack_end (&pack);
    pack_end (&pack);
    client_send (client, pack.bytes, pack.size);
    pack_close (&pack);
    return client->last_id;
}

uint64_t client_ask (client_t *client, const char *verb, const char *args)
{
    return client_ask_within (client, verb, args, 20000);
}

static void note (client_t *client, const value_t *message)
{
    const char *verb = value_get_str (message, "verb");
    size_t used = strlen (client->notes), room = sizeof client->notes - used;
    if (client->quiet)
        return;
    if (verb)
        snprintf (client->notes + used, room, " %s", verb);
    else
        snprintf (client->notes + used, room, " %s%d", value_get (message, "error") ? "!" : "=",
                  (int) value_get_u64 (message, "id", 0));
}

static const value_t *client_receive (client_t *client)
{
    zmq_msg_t frame;
    zmq_msg_init (&frame);
    if (zmq_msg_recv (&frame, client->socket, ZMQ_DONTWAIT) == -1)
        return NULL;
    error_t err;
    document_destroy (&client->last);
    client->last =
        document_parse (zmq_msg_data (&frame), zmq_msg_size (&frame), VALUE_MAX_BYTES, &err);
    check (client->last);
    check (!zmq_msg_more (&frame));
    zmq_msg_close (&frame);
    return document_root (client->last);
}

const value_t *client_next (actor_t *self, client_t *client, int ms)
{
    for (int waited = 0; waited <= ms;) {
        const value_t *message = client_receive (client);
        const char *verb = value_get_str (message, "verb");
        if (!message) {
            scene_pass (self, 1);
            waited++;
        } else if (!verb || strcmp (verb, "ping") != 0) {
            note (client, message);
            return message;
        }
    }
    return NULL;
}

int client_wait (actor_t *self, client_t *client, uint64_t id)
{
    for (;;) {
        const value_t *message = client_next (self, client, 10000);
        check (message);
        if (!value_get (message, "verb") && value_get_u64 (message, "id", 0) == id)
            return (int) value_get_i64 (value_get (message, "error"), "code", 0);
    }
}

int client_call (actor_t *self, client_t *client, const char *verb, const char *args)
{
    return client_wait (self, client, client_ask (client, verb, args));
}

const value_t *client_result (const client_t *client)
{
    return value_get (document_root (client->last), "result");
}

const char *client_message (const client_t *client)
{
    return value_get_str (value_get (document_root (client->last), "error"), "message");
}
