//  devices_reader.c: see devices_reader.h.

#include "actors/pci/devices_reader.h"

#include "drivers/nodedev/node.h"

static xml_t *document_of (const msg_t *msg, error_t *err)
{
    const char *sysfs = msg_str (msg, "sysfs"), *path = msg_str (msg, "path");
    const char *name = msg_str (msg, "device");
    auto(node_t) node = path ? node_at (sysfs, path) : node_computer ();
    if (node && text_equals (node->name, name))
        return node_xml (sysfs, node, err);
    error_set (err, ERR_NO_NODE_DEVICE, "the device '%s' is gone", name);
    return NULL;
}

static void reader_handle (actor_t *actor, msg_t **msg_p)
{
    error_t err;
    if (!msg_is (*msg_p, "nodedev.xml"))
        return;
    auto(xml_t) doc = document_of (*msg_p, &err);
    if (!doc) {
        actor_reply_error (actor, msg_p, &err);
        return;
    }
    autofree char *text = xml_text (doc);
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "xml", text);
    pack_end (msg_result (reply));
    actor_reply (actor, msg_p, &reply);
}

static int reader_start (actor_t *actor, const msg_t *args, error_t *err)
{
    (void) actor, (void) args, (void) err;
    return 0;
}

static void reader_stop (actor_t *actor)
{
    (void) actor;
}

const actor_class_t devices_reader_class = { .kind = "devices",
                                             .stop_rank = 2,
                                             .start = reader_start,
                                             .handle = reader_handle,
                                             .stop = reader_stop };
