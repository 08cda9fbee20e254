//  devices_queries.c: what is asked of the host's devices.

#include "actors/pci/devices_self.h"

#include "actors/pci/devices_reader.h"
#include "msg/verbs.h"

static void pack_strings_of (pack_t *pack, const char *key, const strings_t *strings)
{
    pack_key_array (pack, key);
    for (size_t i = 0; i < strings->count; i++)
        pack_str (pack, strings->items[i]);
    pack_end (pack);
}

static void pack_pci (devices_t *self, pack_t *pack, const node_t *node)
{
    const pci_device_t *pci = node->pci;
    const value_t *state = devices_state_of (self, node);
    const char *phase = value_get_str (state, "state");
    pack_key_str (pack, "address", pci->address);
    pack_key_u64 (pack, "class", pci->class);
    pack_key_u64 (pack, "vendor", pci->vendor);
    pack_key_u64 (pack, "product", pci->product);
    pack_key_i64 (pack, "numa_node", pci->numa_node);
    pack_key_i64 (pack, "iommu_group", pci->iommu_group);
    pack_strings_of (pack, "group", pci->group);
    pack_key_str (pack, "physical_function", pci->physical_function);
    pack_key_u64 (pack, "total_functions", pci->total_functions);
    pack_strings_of (pack, "functions", pci->functions);
    pack_strings_of (pack, "nics", pci->nics);
    pack_key_str (pack, "resets", pci->resets);
    pack_key_str (pack, "state", phase ? phase : "host");
    pack_key_value (pack, "returns_to", value_get (state, "returns_to"));
    pack_key_value (pack, "holder", value_get (state, "holder"));
    pack_key_value (pack, "holder_name", value_get (state, "holder_name"));
}

static void pack_node (devices_t *self, pack_t *pack, const node_t *node)
{
    pack_map (pack);
    pack_key_str (pack, "name", node->name);
    pack_key_str (pack, "parent", node->parent);
    pack_key_str (pack, "capability", node->capabilities->items[0]);
    pack_strings_of (pack, "capabilities", node->capabilities);
    pack_key_str (pack, "path", node->path);
    pack_key_str (pack, "file", node->file);
    pack_key_str (pack, "driver", node->driver);
    if (node->pci)
        pack_pci (self, pack, node);
    if (node->interface) {
        pack_key_str (pack, "interface", node->interface);
        pack_key_str (pack, "mac", node->mac);
    }
    if (node->wwpn) {
        pack_key_str (pack, "wwnn", node->wwnn);
        pack_key_str (pack, "wwpn", node->wwpn);
    }
    pack_end (pack);
}

static bool is_wanted (const node_t *node, const value_t *capabilities)
{
    for (size_t i = 0; i < value_count (capabilities); i++)
        if (strings_contain (node->capabilities, value_str (value_at (capabilities, i))))
            return true;
    return value_count (capabilities) == 0;
}

static int check_capabilities (const value_t *capabilities, error_t *err)
{
    for (size_t i = 0; i < value_count (capabilities); i++)
        if (!verb_is_choice (node_capabilities (), value_str (value_at (capabilities, i))))
            return error_set (err, ERR_INVALID_ARG,
                              "nodedev.list: not supported: the capability '%s'; these are: %s",
                              value_str (value_at (capabilities, i)), node_capabilities ());
    return 0;
}

void devices_show_list (devices_t *self, msg_t **msg_p)
{
    error_t err;
    const value_t *capabilities = msg_arg (*msg_p, "capabilities");
    if (check_capabilities (capabilities, &err)) {
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    auto(strings_t) names = strings_new ();
    for (node_t *node = zhashx_first (self->nodes); node; node = zhashx_next (self->nodes))
        if (is_wanted (node, capabilities))
            strings_add (names, node->name);
    strings_sort (names);
    auto(msg_t) reply = msg_reply ();
    pack_array (msg_result (reply));
    for (size_t i = 0; i < names->count; i++)
        pack_node (self, msg_result (reply), zhashx_lookup (self->nodes, names->items[i]));
    pack_end (msg_result (reply));
    actor_reply (self->actor, msg_p, &reply);
}

void devices_show_info (devices_t *self, msg_t **msg_p)
{
    error_t err;
    const node_t *known = devices_find (self, *msg_p, &err);
    autofree char *name = text_copy (known ? known->name : NULL);
    auto(node_t) node = known ? devices_look_again (self, known) : NULL;
    auto(msg_t) reply = node ? msg_reply () : NULL;
    if (known && !node)
        error_set (&err, ERR_NO_NODE_DEVICE, "the device '%s' is gone", name);
    if (!node) {
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    pack_node (self, msg_result (reply), node);
    actor_reply (self->actor, msg_p, &reply);
}

//  To make a document may wait, and nobody waits here for that.
void devices_show_xml (devices_t *self, msg_t **msg_p)
{
    error_t err;
    const node_t *node = devices_find (self, *msg_p, &err);
    if (!node) {
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    auto(msg_t) msg = msg_request (msg_verb (*msg_p));
    pack_key_str (msg_args (msg), "device", node->name);
    pack_key_str (msg_args (msg), "path", node->path);
    pack_key_str (msg_args (msg), "sysfs", self->sysfs);
    actor_forward (self->actor, msg_p, DEVICES_READER_ADDRESS, &msg);
}
