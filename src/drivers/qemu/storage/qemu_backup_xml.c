//  qemu_backup_xml.c: see qemu_backup_xml.h.

#include "drivers/qemu/storage/qemu_backup_xml.h"
#include "drivers/qemu/probe/qemu_schema.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

#define NBD_PORT "10809" //  of the NBD protocol, as registered

static const char empty[] = "<domainbackup/>";

bool qemu_backup_is_pull (const xml_node_t *backup)
{
    return xml_equals (backup, "@mode", "pull");
}

bool qemu_backup_takes (const xml_node_t *disk)
{
    return xml_equals (disk, "@backup", "yes");
}

static const char *store_of (const xml_node_t *disk)
{
    return xml_find (disk, "scratch") ? "scratch" : "target";
}

const char *qemu_backup_path (const xml_node_t *disk)
{
    bool block = xml_equals (disk, "@type", "block");
    autofree char *path = text_format ("%s/@%s", store_of (disk), block ? "dev" : "file");
    return xml_string (disk, path);
}

const xml_node_t *qemu_backup_source (const xml_t *live, const char *name)
{
    xml_foreach (disk, xml_find (xml_root (live), "devices"), "disk")
        if (xml_equals (disk, "target/@dev", name))
            return disk;
    return NULL;
}

static const char *image_of (const xml_node_t *source)
{
    return xml_string (source,
                       xml_equals (source, "@type", "block") ? "source/@dev" : "source/@file");
}

bool qemu_backup_possible (const xml_node_t *source)
{
    const char *device = xml_string (source, "@device");
    return (!device || strcmp (device, "disk") == 0) && !xml_find (source, "readonly") &&
           image_of (source);
}

//  The server of a pull.

static int complete_unix (xml_node_t *server, error_t *err)
{
    const char *socket = xml_string (server, "@socket");
    if (!socket || socket[0] != '/')
        return error_set (err, ERR_XML_ERROR,
                          "server: transport='unix' needs socket='...', an absolute path");
    if (xml_string (server, "@name") || xml_string (server, "@port"))
        return error_set (err, ERR_XML_ERROR, "server: name and port go with transport='tcp'");
    return 0;
}

static int complete_tcp (xml_node_t *server, error_t *err)
{
    int port;
    if (xml_string (server, "@socket"))
        return error_set (err, ERR_XML_ERROR, "server: socket goes with transport='unix'");
    if (!xml_string (server, "@name"))
        xml_set (server, "@name", "localhost");
    if (!xml_string (server, "@port"))
        xml_set (server, "@port", NBD_PORT);
    return xml_int (server, "@port", 1, 65535, &port, err);
}

static int complete_server (xml_node_t *backup, error_t *err)
{
    xml_node_t *server = xml_first (backup, "server");
    if (!qemu_backup_is_pull (backup))
        return server ? error_set (err, ERR_XML_ERROR, "<server> goes with mode='pull'") : 0;
    if (!server)
        return error_set (err, ERR_XML_ERROR,
                          "mode='pull' needs a <server>: transport='unix' with a socket, or "
                          "transport='tcp' with name and port");
    if (!xml_string (server, "@transport"))
        xml_set (server, "@transport", "tcp");
    return xml_equals (server, "@transport", "unix") ? complete_unix (server, err)
                                                     : complete_tcp (server, err);
}

//  One disk.

typedef struct {
    const xml_t *live;
    xml_node_t *backup;
    int64_t now_s;
    bool pull;
} completion_t;

static int complete_mode (const completion_t *self, xml_node_t *disk, error_t *err)
{
    const char *name = xml_string (disk, "@name"), *own = xml_string (disk, "@incremental");
    const char *since = own ? own : xml_string (self->backup, "incremental");
    bool full = xml_equals (disk, "@backupmode", "full");
    if (full && own)
        return error_set (err, ERR_XML_ERROR,
                          "disk '%s': backupmode='full' does not go with incremental='%s'", name,
                          own);
    if (xml_equals (disk, "@backupmode", "incremental") && !since)
        return error_set (err, ERR_XML_ERROR,
                          "disk '%s': backupmode='incremental' needs incremental='CHECKPOINT'",
                          name);
    bool incremental = since && !full;
    if (incremental && !own)
        xml_set (disk, "@incremental", since);
    xml_set (disk, "@backupmode", incremental ? "incremental" : "full");
    return 0;
}

static int complete_export (const completion_t *self, xml_node_t *disk, error_t *err)
{
    const char *name = xml_string (disk, "@name");
    bool incremental = xml_equals (disk, "@backupmode", "incremental");
    if (!self->pull && (xml_string (disk, "@exportname") || xml_string (disk, "@exportbitmap")))
        return error_set (err, ERR_XML_ERROR,
                          "disk '%s': exportname and exportbitmap go with mode='pull'", name);
    if (!incremental && xml_string (disk, "@exportbitmap"))
        return error_set (err, ERR_XML_ERROR,
                          "disk '%s': exportbitmap goes with an incremental backup", name);
    if (self->pull && !xml_string (disk, "@exportname"))
        xml_set (disk, "@exportname", name);
    if (self->pull && incremental && !xml_string (disk, "@exportbitmap"))
        xml_setf (disk, "@exportbitmap", "backup-%s", name);
    return 0;
}

static int complete_format (const completion_t *self, xml_node_t *disk, error_t *err)
{
    if (!xml_string (disk, "driver/@type"))
        xml_set (disk, "driver/@type", "qcow2");
    if (self->pull && !xml_equals (disk, "driver/@type", "qcow2"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: disk '%s': a scratch image of another format than qcow2",
                          xml_string (disk, "@name"));
    return 0;
}

//  A name beside the disk's own image, as libvirt makes it: with the time behind.
static int make_path (const completion_t *self, xml_node_t *disk, const char *attribute,
                      error_t *err)
{
    const char *name = xml_string (disk, "@name");
    const xml_node_t *source = qemu_backup_source (self->live, name);
    if (xml_equals (source, "@type", "block"))
        return error_set (err, ERR_XML_ERROR,
                          "disk '%s' is a device of the host: say which file its backup goes to",
                          name);
    xml_setf (disk, attribute, "%s.%" PRId64, image_of (source), self->now_s);
    return 0;
}

static int complete_store (const completion_t *self, xml_node_t *disk, error_t *err)
{
    const char *name = xml_string (disk, "@name"), *store = self->pull ? "scratch" : "target";
    const char *other = self->pull ? "target" : "scratch";
    if (xml_find (disk, other))
        return error_set (err, ERR_XML_ERROR, "disk '%s': <%s> does not go with mode='%s'", name,
                          other, self->pull ? "pull" : "push");
    if (!xml_string (disk, "@type"))
        xml_set (disk, "@type", "file");
    bool block = xml_equals (disk, "@type", "block");
    autofree char *path = text_format ("%s/@%s", store, block ? "dev" : "file");
    autofree char *wrong = text_format ("%s/@%s", store, block ? "file" : "dev");
    if (xml_string (disk, wrong) || (block && !xml_string (disk, path)))
        return error_set (err, ERR_XML_ERROR, "disk '%s': type='%s' goes with <%s %s='...'/>", name,
                          block ? "block" : "file", store, block ? "dev" : "file");
    if (!xml_string (disk, path) && make_path (self, disk, path, err))
        return -1;
    if (xml_string (disk, path)[0] != '/')
        return error_set (err, ERR_XML_ERROR, "disk '%s': the path '%s' is not absolute", name,
                          xml_string (disk, path));
    return 0;
}

static int complete_disk (const completion_t *self, xml_node_t *disk, error_t *err)
{
    const char *name = xml_string (disk, "@name");
    if (!name)
        return error_set (err, ERR_XML_ERROR, "a <disk> has no name='...', the target of a disk");
    const xml_node_t *source = qemu_backup_source (self->live, name);
    if (!source)
        return error_set (err, ERR_INVALID_ARG, "the domain has no disk '%s'", name);
    if (!xml_string (disk, "@backup"))
        xml_set (disk, "@backup", "yes");
    if (!qemu_backup_takes (disk))
        return 0;
    if (!qemu_backup_possible (source))
        return error_set (err, ERR_INVALID_ARG,
                          "disk '%s' can't be backed up: it has no image that is written to", name);
    return complete_mode (self, disk, err) || complete_export (self, disk, err) ||
                   complete_format (self, disk, err) || complete_store (self, disk, err)
               ? -1
               : 0;
}

//  All of them.

static xml_node_t *find_disk (const xml_node_t *disks, const char *name)
{
    xml_foreach (disk, disks, "disk")
        if (xml_equals (disk, "@name", name))
            return disk;
    return NULL;
}

//  With no list at all every disk takes part that can; with one only those that are named.
static void add_missing (const completion_t *self, xml_node_t *disks, bool all)
{
    xml_foreach (source, xml_find (xml_root (self->live), "devices"), "disk") {
        const char *name = xml_string (source, "target/@dev");
        if (!name || find_disk (disks, name))
            continue;
        xml_node_t *disk = xml_add (disks, "disk");
        xml_set (disk, "@name", name);
        xml_set (disk, "@backup", all && qemu_backup_possible (source) ? "yes" : "no");
    }
}

//  Two backups in one file, or one over the guest's own image, would destroy it.
static int check_path (const completion_t *self, const xml_node_t *disk, error_t *err)
{
    const char *name = xml_string (disk, "@name"), *path = qemu_backup_path (disk);
    for (const xml_node_t *next = xml_next (disk, "disk"); next; next = xml_next (next, "disk")) {
        if (xml_equals (next, "@name", name))
            return error_set (err, ERR_XML_ERROR, "disk '%s' is named twice", name);
        if (qemu_backup_takes (disk) && qemu_backup_takes (next) &&
            text_equals (qemu_backup_path (next), path))
            return error_set (err, ERR_XML_ERROR, "the disks '%s' and '%s' both go to '%s'", name,
                              xml_string (next, "@name"), path);
    }
    xml_foreach (source, xml_find (xml_root (self->live), "devices"), "disk")
        if (qemu_backup_takes (disk) && text_equals (image_of (source), path))
            return error_set (err, ERR_INVALID_ARG,
                              "disk '%s': '%s' is the image of the domain's disk '%s'", name, path,
                              xml_string (source, "target/@dev"));
    return 0;
}

static int complete_disks (const completion_t *self, error_t *err)
{
    xml_node_t *disks = xml_first (self->backup, "disks");
    bool all = disks == NULL, any = false;
    disks = disks ? disks : xml_add (self->backup, "disks");
    add_missing (self, disks, all);
    xml_foreach (disk, disks, "disk")
        if (complete_disk (self, disk, err))
            return -1;
    xml_foreach (disk, disks, "disk") {
        any = any || qemu_backup_takes (disk);
        if (check_path (self, disk, err))
            return -1;
    }
    return any ? 0 : error_set (err, ERR_INVALID_ARG, "no disk takes part in it");
}

xml_t *qemu_backup_complete (const xml_t *live, const char *text, int64_t now_s, error_t *err)
{
    text = text ? text : empty;
    auto(xml_t) doc = xml_parse (text, strlen (text), "backup XML", err);
    if (!doc || qemu_schema_check_as (xml_root (doc), "domainbackup", "backup XML", err))
        return NULL;
    xml_node_t *backup = xml_root (doc);
    if (!xml_string (backup, "@mode"))
        xml_set (backup, "@mode", "push");
    completion_t self = {
        .live = live, .backup = backup, .now_s = now_s, .pull = qemu_backup_is_pull (backup)
    };
    if (complete_server (backup, err) || complete_disks (&self, err)) {
        error_prefix (err, "backup XML");
        return NULL;
    }
    return take (&doc);
}
