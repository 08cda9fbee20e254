//  jobs_define.c: from a document to a domain: definitions from outside, and changes to them.

#include "actors/jobs/jobs_snapshot.h"

#include "actors/domain/summary.h"
#include "drivers/net/network_xml.h"
#include "util/file.h"
#include "util/text.h"

enum {
    HOST_MS = 20000,
    OWNER_MS = 120000,
    //  Each element's text has the namespaces that it needs, declared anew: without bounds, 4 MiB
    //  of XML could become gigabytes.
    MAX_METADATA = 256,
    MAX_URI_BYTES = 1024
};

//  Checks.

//  As libvirt documents it: an application has one element in its namespace.
static int check_metadata_once (const xml_node_t *metadata, error_t *err)
{
    zhashx_t *seen = zhashx_new ();
    int rc = 0;
    xml_foreach (element, metadata, NULL) {
        const char *uri = xml_namespace (element);
        if (uri && !rc && zhashx_insert (seen, uri, seen))
            rc = error_set (err, ERR_XML_ERROR,
                            "metadata: two elements of the namespace '%s'; put them into one", uri);
    }
    zhashx_destroy (&seen);
    return rc;
}

static int check_metadata (const xml_node_t *root, error_t *err)
{
    const xml_node_t *metadata = xml_find (root, "metadata");
    int count = 0;
    xml_foreach (element, metadata, NULL)
        count++;
    if (count > MAX_METADATA)
        return error_set (err, ERR_XML_ERROR, "metadata: %d elements; at most %d are admitted",
                          count, MAX_METADATA);
    return check_metadata_once (metadata, err);
}

//  Declared anywhere above or in NODE.
static int check_uris (const xml_node_t *node, error_t *err)
{
    for (const xmlNs *declared = node->nsDef; declared; declared = declared->next)
        if (declared->href && xmlStrlen (declared->href) > MAX_URI_BYTES)
            return error_set (err, ERR_XML_ERROR,
                              "XML: the name of a namespace has more than %d bytes", MAX_URI_BYTES);
    xml_foreach (child, node, NULL)
        if (check_uris (child, err))
            return -1;
    return 0;
}

//  Which of two would count, nobody could tell.
static int check_singletons (const xml_node_t *root, error_t *err)
{
    static const char *const once[] = { "name", "uuid", "memory",  "currentMemory",
                                        "vcpu", "os",   "devices", "metadata" };
    for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
        const xml_node_t *first = xml_first (root, once[i]);
        if (first && xml_next (first, once[i]))
            return error_set (err, ERR_XML_ERROR, "domain XML: <%s> stands there twice", once[i]);
    }
    return 0;
}

//  What is written must be readable by the next daemon: completed and indented it may be over a
//  limit that it kept before, and an edit may have made it malformed.
static int check_readable (const xml_t *doc, error_t *err)
{
    autofree char *text = xml_text (doc);
    auto(xml_t) again = xml_parse (text, strlen (text), "completed", err);
    if (!again)
        return error_prefix (err, "%s '%s'", xml_name (xml_root (doc)),
                             xml_string (xml_root (doc), "name"));
    return 0;
}

int job_check_document (const xml_t *doc, error_t *err)
{
    const xml_node_t *root = xml_root (doc);
    return check_metadata (root, err) || check_uris (root, err) || check_readable (doc, err) ? -1
                                                                                             : 0;
}

//  Who asks for it wants to be told of what has no effect.
static int check_validated (const job_actor_t *self, const xml_node_t *root, error_t *err)
{
    if (!value_bool (job_arg (self, "validate"), false))
        return 0;
    if (self->driver->validate) {
        if (self->driver->validate (root, err) == 0)
            return 0;
        //  It is wrong, and not only for this host.
        if (err->code == ERR_CONFIG_UNSUPPORTED)
            err->code = ERR_XML_INVALID_SCHEMA;
        return -1;
    }
    return error_set (err, ERR_NO_SUPPORT,
                      "not supported: validating the XML of a domain of type '%s': a simulated "
                      "guest takes elements that it does not know",
                      self->driver->name);
}

//  A gateway whose clients see the domains of one driver only asks for that.
static int check_driver (const job_actor_t *self, const char *type, error_t *err)
{
    const char *wanted = value_str (job_arg (self, "driver"));
    if (!wanted || text_equals (wanted, self->driver->name))
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "domain XML: type='%s' is the driver %s's, and this connection is to %s",
                      type, self->driver->name, wanted);
}

xml_t *job_complete_definition (job_actor_t *self, const char *text, error_t *err)
{
    auto(xml_t) doc = xml_parse (text, strlen (text), "domain XML", err);
    if (!doc)
        return NULL;
    xml_node_t *root = xml_root (doc);
    const char *type = xml_string (root, "@type");
    if (!xml_is (root, "domain")) {
        error_set (err, ERR_XML_ERROR,
                   "domain XML: the root element is <%s>; it has to be <domain>", xml_name (root));
        return NULL;
    }
    self->driver = type ? driver_for_type (type) : NULL;
    if (!self->driver) {
        error_set (err, type ? ERR_CONFIG_UNSUPPORTED : ERR_XML_ERROR,
                   "domain XML: type='%s' is not one of qemu, kvm, lxc, test", type ? type : "");
        return NULL;
    }
    if (check_driver (self, type, err) || check_validated (self, root, err) ||
        check_singletons (root, err) || self->driver->complete (&self->base, doc, err) ||
        job_check_document (doc, err))
        return NULL;
    return take (&doc);
}

//  Reserving name and uuid with the host, which also starts the domain's actor.

typedef struct {
    char address[MSG_ADDRESS_MAX];
    char uuid[UUID_TEXT_SIZE];
    bool new;
    char *name; //  that the domain has
} reserved_t;

//  From a file: the domain may have been renamed since it was written.
static bool is_restore (const job_actor_t *self)
{
    return job_arg (self, "path") != NULL;
}

static int reserve (job_actor_t *self, const xml_t *doc, reserved_t *reserved, error_t *err)
{
    const xml_node_t *root = xml_root (doc);
    auto(msg_t) msg = msg_request ("host.reserve");
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "uuid", xml_string (root, "uuid"));
    pack_key_str (pack, "name", xml_string (root, "name"));
    pack_key_str (pack, "driver", self->driver ? self->driver->name : NULL);
    pack_key_bool (pack, "keep_name", is_restore (self));
    if (xml_is (root, "network"))
        pack_key_str (pack, "bridge", network_own_bridge (root));
    auto(msg_t) reply = NULL;
    if (job_ask (self, "host", &msg, HOST_MS, &reply, err))
        return -1;
    const value_t *result = msg_value (reply);
    snprintf (reserved->uuid, sizeof reserved->uuid, "%s", xml_string (root, "uuid"));
    snprintf (reserved->address, sizeof reserved->address, "%s", value_get_str (result, "address"));
    reserved->name = text_copy (value_get_str (result, "name"));
    reserved->new = value_get_bool (result, "new", false);
    return 0;
}

//  Also when the job is being cancelled: nothing may be left behind.
static void release (job_actor_t *self, const reserved_t *reserved)
{
    if (!reserved->new)
        return;
    error_t ignored; //  when the host is gone, so is the reservation
    self->unwinding = true;
    auto(msg_t) msg = msg_request ("host.release");
    pack_key_str (msg_args (msg), "uuid", reserved->uuid);
    job_tell (self, "host", &msg, HOST_MS, &ignored);
    self->unwinding = false;
}

//  The owner's own answer becomes ours.
static void keep_value (job_actor_t *self, const msg_t *reply)
{
    pack_value (&self->value, msg_value (reply));
}

//  What the client asked besides. Its XML is an argument of that name too.
static void pack_given (const job_actor_t *self, pack_t *pack)
{
    static const char *const names[][2] = {
        { "paused", "paused" },
        { "running", "running" },
        { "path", "path" },
        { "xml", "new_xml" },
        //  Of a guest that is received.
        { "token", "token" },
        { "origin", "origin" },
        { "uri", "uri" },
        { "copy", "copy" },
        { "disks", "disks" },
        { "parallel", "parallel" },
        { "compression", "compression" },
        { "listen_address", "listen_address" },
        { "disks_port", "disks_port" },
        { "postcopy", "postcopy" },
        { "persistent", "persistent" },
        { "persistent_xml", "persistent_xml" },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const value_t *value = job_arg (self, names[i][0]);
        if (!value || (strcmp (names[i][0], "xml") == 0 && !is_restore (self)))
            continue;
        pack_key (pack, names[i][1]);
        pack_value (pack, value);
    }
}

//  To the domain's owner it is the client's request.
static void pass_asker (const job_actor_t *self, msg_t *msg)
{
    const value_t *by = msg_arg (self->start, "by");
    pack_t pack;
    if (!by)
        return;
    pack_init (&pack);
    pack_value (&pack, by);
    msg_set_by (msg, pack.bytes, pack.size);
    pack_close (&pack);
}

//  The runtime knows addresses only.
static int with_name (const reserved_t *reserved, error_t *err)
{
    const error_t said = *err;
    const char *at = strstr (said.message, reserved->address);
    if (!at)
        return -1;
    autofree char *who = text_format ("%.*s '%s'", (int) strcspn (reserved->address, "/"),
                                      reserved->address, reserved->name);
    if (said.code == ERR_OPERATION_TIMEOUT)
        error_set (err, said.code, "%s gave no answer within the deadline", who);
    else
        error_set (err, said.code, "%.*s%s%s", (int) (at - said.message), said.message, who,
                   at + strlen (reserved->address));
    err->retry = said.retry;
    return -1;
}

static int pass_on (job_actor_t *self, const char *verb, const xml_t *doc,
                    const reserved_t *reserved, int deadline_ms, error_t *err)
{
    autofree char *text = xml_text (doc);
    auto(msg_t) msg = msg_request (verb);
    pass_asker (self, msg);
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "name", reserved->name);
    pack_key_str (pack, "definition", text);
    pack_key (pack, "config_summary");
    summary_pack (pack, doc);
    pack_given (self, pack);
    auto(msg_t) reply = NULL;
    if (job_ask (self, reserved->address, &msg, deadline_ms, &reply, err))
        return with_name (reserved, err);
    keep_value (self, reply);
    return 0;
}

int job_hand_over (job_actor_t *self, const char *verb, const xml_t *doc, int deadline_ms,
                   error_t *err)
{
    reserved_t reserved = { .name = NULL };
    if (reserve (self, doc, &reserved, err))
        return -1;
    int rc = pass_on (self, verb, doc, &reserved, deadline_ms, err);
    if (rc)
        release (self, &reserved);
    free (reserved.name);
    return rc;
}

int job_run_define (job_actor_t *self, error_t *err)
{
    auto(xml_t) doc = job_complete_definition (self, value_str (job_arg (self, "xml")), err);
    if (!doc)
        return -1;
    return job_hand_over (self, "definition.set", doc, OWNER_MS, err);
}

int job_run_create_xml (job_actor_t *self, error_t *err)
{
    auto(xml_t) doc = job_complete_definition (self, value_str (job_arg (self, "xml")), err);
    if (!doc)
        return -1;
    return job_hand_over (self, "domain.create_transient", doc, JOB_START_MS, err);
}

//  Changes to a definition.

//  The host keeps both names until the owner says which one it is: when the new one is on disk, or
//  the job has failed.
static int claim_name (job_actor_t *self, const char *name, error_t *err)
{
    auto(msg_t) msg = msg_request ("host.rename");
    pack_key_str (msg_args (msg), "uuid", self->base.guest->uuid);
    pack_key_str (msg_args (msg), "name", name);
    return job_tell (self, "host", &msg, HOST_MS, err);
}

int job_run_rename (job_actor_t *self, error_t *err)
{
    guest_t *guest = self->base.guest;
    const char *name = value_str (job_arg (self, "name"));
    if (strcmp (name, guest->name) == 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "rename domain '%s': it has this name already", name);
    if (claim_name (self, name, err))
        return -1;
    xml_set (xml_root (guest->definition), "name", name);
    self->parts = PART_DEFINITION;
    return 0;
}

static int set_element (job_actor_t *self, xml_node_t *root, error_t *err)
{
    const char *uri = value_str (job_arg (self, "uri")), *key = value_str (job_arg (self, "key"));
    const char *value = value_str (job_arg (self, "value"));
    if (!uri || (value && !key))
        return error_set (err, ERR_INVALID_ARG,
                          "set metadata of %s '%s': an element needs uri and key", job_noun (self),
                          self->base.guest->name);
    xml_foreach (element, xml_find (root, "metadata"), NULL)
        if (text_equals (xml_namespace (element), uri)) {
            xml_remove (element);
            break;
        }
    if (!value)
        return 0;
    xml_node_t *element = xml_add_fragment (xml_ensure (root, "metadata"), value, err);
    if (!element)
        return -1;
    return xml_set_namespace (element, key, uri, err);
}

static int set_metadata (job_actor_t *self, xml_t *doc, error_t *err)
{
    xml_node_t *root = xml_root (doc);
    const char *type = value_str (job_arg (self, "type"));
    const char *value = value_str (job_arg (self, "value"));
    if (strcmp (type, "element") == 0)
        return set_element (self, root, err) || check_metadata (root, err) ||
                       check_uris (root, err) || check_readable (doc, err)
                   ? -1
                   : 0;
    if (strcmp (type, "title") == 0 && value && strchr (value, '\n'))
        return error_set (err, ERR_INVALID_ARG, "set the title of %s '%s': it is one line",
                          job_noun (self), self->base.guest->name);
    xml_remove_path (root, type);
    if (value && *value)
        xml_set (root, type, value);
    return check_readable (doc, err);
}

int job_scope (const job_actor_t *self, const char *what, bool *live, bool *config, error_t *err)
{
    const guest_t *guest = self->base.guest;
    *live = value_bool (job_arg (self, "live"), false);
    *config = value_bool (job_arg (self, "config"), false);
    if (!*live && !*config) {
        *live = guest->live != NULL;
        *config = !*live;
    }
    if (*live && !guest->live)
        return error_set (err, ERR_OPERATION_INVALID, "%s: %s '%s' is not running", what,
                          job_noun (self), guest->name);
    if (*config && (self->transient || !guest->definition))
        return error_set (err, ERR_OPERATION_INVALID,
                          "%s: %s '%s' is transient: it has no definition", what, job_noun (self),
                          guest->name);
    return 0;
}

int job_run_metadata_set (job_actor_t *self, error_t *err)
{
    guest_t *guest = self->base.guest;
    bool live, config;
    if (job_scope (self, "set metadata", &live, &config, err))
        return -1;
    if (live && set_metadata (self, guest->live, err))
        return -1;
    if (config && set_metadata (self, guest->definition, err))
        return -1;
    self->parts = (live ? PART_LIVE : 0u) | (config ? PART_DEFINITION : 0u);
    return 0;
}

//  A saved guest must not be lost by the way.
static int check_managed_save (job_actor_t *self, error_t *err)
{
    bool there;
    autofree char *path = job_managed_save (self, &there);
    if (!there || value_bool (job_arg (self, "managed_save"), false))
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "undefine domain '%s': it has a managed save; say managed_save (remove it), "
                      "or start it",
                      self->base.guest->name);
}

static int check_snapshots (job_actor_t *self, size_t count, error_t *err)
{
    if (count == 0 || value_bool (job_arg (self, "snapshots_metadata"), false))
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "undefine domain '%s': it has %zu snapshots; say snapshots_metadata (forget "
                      "them; what they hold stays), or delete them",
                      self->base.guest->name, count);
}

//  *NVRAM: the file that is to be removed; NULL: none.
static int check_nvram (job_actor_t *self, const char **nvram, error_t *err)
{
    const guest_t *guest = self->base.guest;
    bool remove = value_bool (job_arg (self, "nvram"), false);
    bool keep = value_bool (job_arg (self, "keep_nvram"), false);
    *nvram = xml_string (xml_root (guest->definition), "os/nvram");
    if (remove && keep)
        return error_set (err, ERR_INVALID_ARG,
                          "undefine domain '%s': 'nvram' and 'keep_nvram' contradict each other",
                          guest->name);
    if (keep || !*nvram || access (*nvram, F_OK))
        *nvram = NULL;
    if (*nvram && !remove)
        return error_set (err, ERR_OPERATION_INVALID,
                          "undefine domain '%s': it has the NVRAM file '%s'; say nvram (remove it) "
                          "or keep_nvram",
                          guest->name, *nvram);
    if (*nvram && guest->live)
        return error_set (err, ERR_OPERATION_INVALID,
                          "undefine domain '%s': its NVRAM file is in use while it runs",
                          guest->name);
    return 0;
}

static int forget_snapshots (job_actor_t *self, error_t *err)
{
    auto(snapshot_tree_t) none = snapshot_tree_new ();
    return job_save_snapshots (self, none, err);
}

//  Takes away what the definition alone kept alive; the owner then drops the definition. All that
//  may refuse it comes first. Snapshots of a running domain stay with it, as long as it runs.
int job_run_undefine (job_actor_t *self, error_t *err)
{
    const char *nvram;
    const guest_t *guest = self->base.guest;
    auto(snapshot_tree_t) tree = guest->live ? NULL : job_load_snapshots (self, err);
    size_t snapshots = tree ? snapshot_tree_count (tree) : 0;
    if ((!tree && !guest->live) || check_nvram (self, &nvram, err) ||
        job_check_checkpoints (self, err) || check_managed_save (self, err) ||
        check_snapshots (self, snapshots, err))
        return -1;
    if (job_run_managed_save_remove (self, err) || (snapshots && forget_snapshots (self, err)))
        return -1;
    return nvram ? file_remove (nvram, err) : 0;
}
