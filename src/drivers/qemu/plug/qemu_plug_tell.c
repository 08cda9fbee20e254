//  qemu_plug_tell.c: options of QEMU's command line, done through QMP while it runs.

#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/qemu_ram.h"
#include "drivers/qemu/qemu_sockets.h"

#include <stdlib.h>
#include <string.h>

#define QMP_MS 10000
//  Opening an image asks its disk or server.
#define OPEN_MS 60000
#define DEVICE_MS 60000
//  A peer that looks for the socket every second or so.
#define PEER_MS 10000
#define PEER_WAIT_MS 50

//  Character devices: -chardev takes "socket,id=x,path=/y", where ",," is a comma.

static char *next_part (const char **text_p)
{
    auto(text_t) part = text_new ();
    const char *text = *text_p;
    while (*text && (*text != ',' || text[1] == ',')) {
        text += *text == ',';
        text_add_char (part, *text++);
    }
    *text_p = *text ? text + 1 : text;
    return text_finish (&part);
}

//  All parts but the first: "path" and "/y".
static json_t *read_parts (const char *text)
{
    json_t *parts = json_object ();
    while (*text) {
        autofree char *part = next_part (&text);
        char *value = strchr (part, '=');
        if (!value)
            continue;
        *value++ = 0;
        json_object_set_new (parts, part, json_string (value));
    }
    return parts;
}

//  How a part of the option is called in ChardevBackend (QEMU's QMP reference).
typedef enum {
    PART_TEXT,
    PART_FLAG,
    PART_NUMBER
} part_type_t;

static const struct {
    const char *type; //  NULL: of all
    const char *part, *key;
    part_type_t is;
} chardev_parts[] = {
    { NULL, "logfile", "logfile", PART_TEXT },
    { NULL, "logappend", "logappend", PART_FLAG },
    { "file", "path", "out", PART_TEXT },
    { "file", "append", "append", PART_FLAG },
    { "pipe", "path", "device", PART_TEXT },
    { "serial", "path", "device", PART_TEXT },
    { "parallel", "path", "device", PART_TEXT },
    { "socket", "wait", "wait", PART_FLAG },
    { "socket", "telnet", "telnet", PART_FLAG },
    { "socket", "reconnect", "reconnect", PART_NUMBER },
};

static json_t *part_value (part_type_t is, const char *text)
{
    if (is == PART_FLAG)
        return json_boolean (strcmp (text, "on") == 0);
    return is == PART_NUMBER ? json_integer (strtoll (text, NULL, 10)) : json_string (text);
}

static void add_address (json_t *data, const json_t *parts)
{
    const char *path = answer_string (parts, "path");
    json_t *address =
        *path ? json_pack ("{s:s, s:{s:s}}", "type", "unix", "data", "path", path)
              : json_pack ("{s:s, s:{s:s, s:s}}", "type", "inet", "data", "host",
                           answer_string (parts, "host"), "port", answer_string (parts, "port"));
    json_object_set_new (data, "addr", address);
    //  QMP's default is the other one.
    json_object_set_new (data, "server",
                         json_boolean (strcmp (answer_string (parts, "server"), "on") == 0));
}

json_t *qemu_plug_chardev (const char *option)
{
    autofree char *type = next_part (&option);
    json_auto_t *parts = read_parts (option);
    json_t *data = json_object ();
    for (size_t i = 0; i < sizeof chardev_parts / sizeof *chardev_parts; i++) {
        const char *text = json_string_value (json_object_get (parts, chardev_parts[i].part));
        if (text && (!chardev_parts[i].type || strcmp (chardev_parts[i].type, type) == 0))
            json_object_set_new (data, chardev_parts[i].key,
                                 part_value (chardev_parts[i].is, text));
    }
    if (strcmp (type, "socket") == 0)
        add_address (data, parts);
    return json_pack ("{s:s, s:{s:s, s:o}}", "id", answer_string (parts, "id"), "backend", "type",
                      type, "data", data);
}

//  "watchdog=reset".
static json_t *read_action (const char *option)
{
    return read_parts (option);
}

static json_t *read_json (const char *option)
{
    return json_loads (option, 0, NULL);
}

static const struct {
    const char *option, *command;
    json_t *(*read) (const char *value);
    int ms;
    bool memory; //  and as long as QEMU is over the guest's memory: a device may have it locked
} commands[] = {
    { "-blockdev", "blockdev-add", read_json, OPEN_MS, false },
    { "-netdev", "netdev_add", read_json, QMP_MS, false },
    { "-chardev", "chardev-add", qemu_plug_chardev, QMP_MS, false },
    { "-object", "object-add", read_json, DEVICE_MS, true },
    { "-device", "device_add", read_json, DEVICE_MS, true },
    { "-action", "set-action", read_action, QMP_MS, false },
};

//  QEMU waits for the peer of a vhost-user netdev, and the guest with it, for as long as that
//  takes: it is told of the netdev when the peer is there. A client's is when the chardev is.

static const json_t *find_chardev (const json_t *list, const char *id)
{
    for (size_t i = 0; i < json_array_size (list); i++) {
        const json_t *item = json_array_get (list, i);
        if (strcmp (answer_string (item, "label"), id) == 0)
            return item;
    }
    return NULL;
}

static int wait_connected (job_t *job, const char *id, error_t *err)
{
    const int64_t until = job_now (job) + PEER_MS;
    for (;;) {
        json_auto_t *list = job_qmp (job, "query-chardev", NULL, QMP_MS, err);
        if (!list)
            return -1;
        const char *file = answer_string (find_chardev (list, id), "filename");
        if (!text_starts (file, "disconnected:"))
            return 0;
        if (job_now (job) >= until)
            return qemu_sockets_no_peer (file + strlen ("disconnected:"), PEER_MS, err);
        if (job_wait (job, PEER_WAIT_MS, err))
            return -1;
    }
}

static int wait_peer (job_t *job, const char *option, const char *value, error_t *err)
{
    if (strcmp (option, "-netdev") != 0)
        return 0;
    json_auto_t *netdev = json_loads (value, 0, NULL);
    return strcmp (answer_string (netdev, "type"), "vhost-user") == 0
               ? wait_connected (job, answer_string (netdev, "chardev"), err)
               : 0;
}

static int tell (job_t *job, const char *option, const char *value, error_t *err)
{
    if (wait_peer (job, option, value, err))
        return -1;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp (commands[i].option, option) != 0)
            continue;
        //  From the device on there is no way back: whether QEMU has it decides.
        job->closed = job->closed || strcmp (option, "-device") == 0;
        const int ms =
            commands[i].memory ? qemu_ram_ms (job->guest->live, commands[i].ms) : commands[i].ms;
        return qemu_tell (job, commands[i].command, commands[i].read (value), ms, err);
    }
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported while the guest runs: it needs QEMU's option %s", option);
}

int qemu_plug_options (job_t *job, const strings_t *options, error_t *err)
{
    for (size_t i = 0; i + 1 < options->count; i += 2)
        if (tell (job, options->items[i], options->items[i + 1], err))
            return -1;
    return 0;
}

//  What QEMU has.

strings_t *qemu_plug_list (job_t *job, error_t *err)
{
    json_auto_t *list =
        job_qmp (job, "qom-list", json_pack ("{s:s}", "path", "/machine/peripheral"), QMP_MS, err);
    if (!list)
        return NULL;
    if (!json_is_array (list)) {
        error_set (err, ERR_OPERATION_FAILED, "QEMU does not say which devices it has");
        return NULL;
    }
    strings_t *aliases = strings_new ();
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) strings_add (aliases, answer_string (item, "name"));
    return aliases;
}

int qemu_plug_is_there (job_t *job, const char *alias, bool *there, error_t *err)
{
    auto(strings_t) aliases = qemu_plug_list (job, err);
    *there = aliases && strings_contain (aliases, alias);
    return aliases ? 0 : -1;
}
