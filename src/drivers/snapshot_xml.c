//  snapshot_xml.c: see snapshot_xml.h.

#include "drivers/snapshot_xml.h"

#include "drivers/state.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

//  Names and words.

static const char *const places[] = {
    [SNAPSHOT_NO] = "no", [SNAPSHOT_INTERNAL] = "internal", [SNAPSHOT_EXTERNAL] = "external"
};

static int read_place (const xml_node_t *node, const char *path, snapshot_place_t *place,
                       error_t *err)
{
    const char *word = xml_string (node, path);
    for (size_t i = 0; word && i < sizeof places / sizeof *places; i++)
        if (strcmp (places[i], word) == 0) {
            *place = (snapshot_place_t) i;
            return 0;
        }
    return word ? error_set (err, ERR_CONFIG_UNSUPPORTED,
                             "not supported: snapshot='%s'; it is no, internal or external", word)
                : 0;
}

static int check_name (const char *name, error_t *err)
{
    if (!*name || strlen (name) > SNAPSHOT_NAME_MAX)
        return error_set (err, ERR_XML_ERROR, "a snapshot's name has 1 to %d bytes",
                          SNAPSHOT_NAME_MAX);
    for (const char *c = name; *c; c++)
        if (*c == '/' || (unsigned char) *c < ' ' || *c == 127)
            return error_set (err, ERR_XML_ERROR,
                              "the name '%s' of a snapshot has a '/' or a control character", name);
    if (*name == '.')
        return error_set (err, ERR_XML_ERROR, "the name '%s' of a snapshot begins with a '.'",
                          name);
    return 0;
}

//  What is only told of a snapshot is no wish; anything else that is unknown is one that nobody
//  would fulfil.
static int check_elements (const xml_node_t *root, error_t *err)
{
    static const char *const known[] = { "name",   "description", "memory",         "disks",
                                         "state",  "parent",      "creationTime",   "domain",
                                         "active", "cookie",      "inactiveDomain", NULL };
    if (!xml_is (root, "domainsnapshot"))
        return error_set (err, ERR_XML_ERROR,
                          "the root element is <%s>; it has to be <domainsnapshot>",
                          xml_name (root));
    xml_foreach (child, root, NULL) {
        size_t i = 0;
        while (known[i] && !xml_is (child, known[i]))
            i++;
        if (!known[i])
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: the element <%s> of a snapshot", xml_name (child));
        if (xml_next (child, known[i]))
            return error_set (err, ERR_XML_ERROR, "<%s> stands there twice", known[i]);
    }
    return 0;
}

//  Documents in the document.

static void copy_inside (xml_node_t *to, const xml_node_t *from)
{
    const char *name;
    for (size_t i = 0; (name = xml_attribute (from, i)); i++) {
        autofree char *path = text_format ("@%s", name);
        xml_set (to, path, xml_string (from, path));
    }
    xml_foreach (child, from, NULL)
        xml_add_copy (to, child);
}

xml_t *snapshot_domain (const xml_node_t *snapshot, bool inactive)
{
    static const char empty[] = "<domain/>";
    error_t never;
    const xml_node_t *node = inactive ? xml_find (snapshot, "inactiveDomain") : NULL;
    if (!node)
        node = xml_find (snapshot, "domain");
    if (!node)
        return NULL;
    xml_t *domain = xml_parse (empty, sizeof empty - 1, "domain", &never);
    copy_inside (xml_root (domain), node);
    return domain;
}

//  Disks.

const char *snapshot_disk_source (const xml_node_t *disk)
{
    return xml_string (disk, xml_equals (disk, "@type", "block") ? "source/@dev" : "source/@file");
}

xml_node_t *snapshot_find_disk (const xml_t *domain, const char *name)
{
    const xml_node_t *devices = xml_find (xml_root (domain), "devices");
    xml_foreach (disk, devices, "disk")
        if (xml_equals (disk, "target/@dev", name))
            return disk;
    xml_foreach (disk, devices, "disk")
        if (text_equals (snapshot_disk_source (disk), name))
            return disk;
    return NULL;
}

snapshot_place_t snapshot_disk_place (const xml_node_t *disk)
{
    error_t ignored; //  it was checked when it was made
    snapshot_place_t place = SNAPSHOT_NO;
    read_place (disk, "@snapshot", &place, &ignored);
    return place;
}

snapshot_place_t snapshot_memory (const xml_node_t *snapshot)
{
    error_t ignored;
    snapshot_place_t place = SNAPSHOT_NO;
    read_place (snapshot, "memory/@snapshot", &place, &ignored);
    return place;
}

bool snapshot_is_external (const xml_node_t *snapshot)
{
    if (snapshot_memory (snapshot) == SNAPSHOT_EXTERNAL)
        return true;
    xml_foreach (disk, xml_find (snapshot, "disks"), "disk")
        if (snapshot_disk_place (disk) == SNAPSHOT_EXTERNAL)
            return true;
    return false;
}

bool snapshot_was_active (const xml_node_t *snapshot)
{
    const char *state = xml_string (snapshot, "state");
    return state && strcmp (state, "shutoff") != 0 && strcmp (state, "disk-snapshot") != 0;
}

static const xml_node_t *wish_of (const xml_t *given, const xml_t *domain, const xml_node_t *disk)
{
    if (given)
        xml_foreach (wish, xml_find (xml_root (given), "disks"), "disk")
            if (snapshot_find_disk (domain, xml_string (wish, "@name")) == disk)
                return wish;
    return NULL;
}

static int check_wishes (const xml_t *given, const xml_t *domain, error_t *err)
{
    if (given)
        xml_foreach (wish, xml_find (xml_root (given), "disks"), "disk") {
            const char *name = xml_string (wish, "@name");
            const xml_node_t *disk = name ? snapshot_find_disk (domain, name) : NULL;
            if (!disk)
                return error_set (err, ERR_INVALID_ARG, "the domain has no disk '%s'",
                                  name ? name : "");
            if (wish_of (given, domain, disk) != wish)
                return error_set (err, ERR_XML_ERROR, "the disk '%s' stands there twice",
                                  xml_string (disk, "target/@dev"));
        }
    return 0;
}

char *snapshot_default_file (const char *source, const char *name)
{
    const char *base = strrchr (source, '/'), *dot = strrchr (source, '.');
    bool suffix = dot && (!base || dot > base + 1);
    return text_format ("%.*s.%s", suffix ? (int) (dot - source) : (int) strlen (source), source,
                        name);
}

static int set_target (xml_node_t *to, const xml_node_t *disk, const xml_node_t *wish,
                       const char *snapshot, error_t *err)
{
    const char *target = xml_string (disk, "target/@dev"), *source = snapshot_disk_source (disk);
    const char *format = xml_string (wish, "driver/@type"), *type = xml_string (wish, "@type");
    bool block = text_equals (type, "block");
    if (type && !block && strcmp (type, "file") != 0)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: disk '%s': a snapshot of type '%s'", target, type);
    if (format && strcmp (format, "qcow2") != 0)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: disk '%s': a snapshot in the format '%s'; it has to be "
                          "qcow2",
                          target, format);
    const char *given = xml_string (wish, block ? "source/@dev" : "source/@file");
    if (!given && (block || xml_equals (disk, "@type", "block")))
        return error_set (err, ERR_XML_ERROR,
                          "disk '%s' is a device: the snapshot's file has to be named", target);
    autofree char *file = given ? text_copy (given) : snapshot_default_file (source, snapshot);
    if (file[0] != '/' || text_equals (file, source))
        return error_set (err, ERR_XML_ERROR,
                          "disk '%s': the snapshot's file '%s' is the disk's own, or its path is "
                          "not absolute",
                          target, file);
    xml_set (to, "@type", block ? "block" : "file");
    xml_set (to, "driver/@type", "qcow2");
    xml_set (to, block ? "source/@dev" : "source/@file", file);
    return 0;
}

static bool is_left_out (const xml_node_t *disk)
{
    const char *device = xml_string (disk, "@device");
    return xml_find (disk, "readonly") || !snapshot_disk_source (disk) ||
           (device && strcmp (device, "disk") != 0);
}

static int add_disk (xml_node_t *disks, const xml_node_t *disk, const xml_node_t *wish,
                     const char *snapshot, snapshot_place_t otherwise, error_t *err)
{
    const char *target = xml_string (disk, "target/@dev");
    snapshot_place_t place = is_left_out (disk) ? SNAPSHOT_NO : otherwise;
    bool given = wish && xml_string (wish, "@snapshot");
    if (wish && !given)
        place = xml_find (wish, "source") ? SNAPSHOT_EXTERNAL : place;
    if (read_place (disk, "@snapshot", &place, err) ||
        (wish && read_place (wish, "@snapshot", &place, err)))
        return error_prefix (err, "disk '%s'", target);
    if (place != SNAPSHOT_NO && !snapshot_disk_source (disk))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "disk '%s' has no file or device to take a snapshot of", target);
    if (place != SNAPSHOT_NO && place != otherwise)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: disk '%s' is to be %s, and the snapshot's other parts "
                          "%s; for a running guest external goes with disk_only, or with memory in "
                          "a file",
                          target, places[place], places[otherwise]);
    xml_node_t *to = xml_add (disks, "disk");
    xml_set (to, "@name", target);
    xml_set (to, "@snapshot", places[place]);
    return place == SNAPSHOT_EXTERNAL ? set_target (to, disk, wish, snapshot, err) : 0;
}

//  A guest that is shut off has no memory that would say which kind it is to be.
static bool wants_external (const xml_t *given)
{
    if (given)
        xml_foreach (wish, xml_find (xml_root (given), "disks"), "disk")
            if (snapshot_disk_place (wish) == SNAPSHOT_EXTERNAL || xml_find (wish, "source"))
                return true;
    return false;
}

static int check_same_file (const xml_node_t *disks, error_t *err)
{
    xml_foreach (disk, disks, "disk")
        for (const xml_node_t *other = xml_next (disk, "disk"); other;
             other = xml_next (other, "disk")) {
            const char *file = snapshot_disk_source (disk);
            if (file && text_equals (file, snapshot_disk_source (other)))
                return error_set (err, ERR_XML_ERROR,
                                  "the disks '%s' and '%s' would have the same file '%s'",
                                  xml_string (disk, "@name"), xml_string (other, "@name"), file);
        }
    return 0;
}

static int add_disks (xml_node_t *root, const xml_t *given, const snapshot_basis_t *basis,
                      snapshot_place_t place, error_t *err)
{
    xml_node_t *disks = xml_add (root, "disks");
    bool any = false;
    if (check_wishes (given, basis->domain, err))
        return -1;
    xml_foreach (disk, xml_find (xml_root (basis->domain), "devices"), "disk") {
        const xml_node_t *wish = wish_of (given, basis->domain, disk);
        if (add_disk (disks, disk, wish, snapshot_name (root), place, err))
            return -1;
    }
    xml_foreach (disk, disks, "disk")
        any = any || snapshot_disk_place (disk) != SNAPSHOT_NO;
    if (!any && snapshot_memory (root) != SNAPSHOT_EXTERNAL)
        return error_set (err, ERR_OPERATION_INVALID,
                          "there is no disk that it could be of: all are read-only, empty or left "
                          "out");
    return check_same_file (disks, err);
}

//  Memory.

static int choose_memory (const xml_t *given, const snapshot_basis_t *basis,
                          snapshot_place_t *place, error_t *err)
{
    const xml_node_t *wish = given ? xml_find (xml_root (given), "memory") : NULL;
    bool needed = basis->active && !basis->disk_only;
    *place = needed ? SNAPSHOT_INTERNAL : SNAPSHOT_NO;
    if (wish && xml_string (wish, "@file"))
        *place = SNAPSHOT_EXTERNAL;
    if (wish && read_place (wish, "@snapshot", place, err))
        return error_prefix (err, "memory");
    if (needed != (*place != SNAPSHOT_NO))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          needed ? "of a running guest without its memory: say so with disk_only"
                                 : "there is no memory to keep: the guest is shut off, or "
                                   "disk_only was said");
    const char *file = wish ? xml_string (wish, "@file") : NULL;
    if ((*place == SNAPSHOT_EXTERNAL) != (file != NULL) || (file && file[0] != '/'))
        return error_set (err, ERR_XML_ERROR,
                          "memory: external memory, and no other, has a file, by its absolute "
                          "path");
    return 0;
}

//  Making.

static const char *state_word (const snapshot_basis_t *basis)
{
    if (!basis->active)
        return "shutoff";
    return basis->disk_only ? "disk-snapshot" : state_name (basis->state);
}

static xml_t *empty_snapshot (void)
{
    static const char empty[] = "<domainsnapshot/>";
    error_t never;
    return xml_parse (empty, sizeof empty - 1, "snapshot", &never);
}

static int add_head (xml_node_t *root, const xml_t *given, const snapshot_basis_t *basis,
                     error_t *err)
{
    const xml_node_t *from = given ? xml_root (given) : NULL;
    const char *name = from ? xml_string (from, "name") : NULL;
    const char *description = from ? xml_string (from, "description") : NULL;
    autofree char *time = text_format ("%" PRId64, basis->now_s);
    if (name && check_name (name, err))
        return -1;
    xml_set (root, "name", name ? name : time);
    if (description)
        xml_set (root, "description", description);
    xml_set (root, "state", state_word (basis));
    if (basis->parent)
        xml_set (root, "parent/name", basis->parent);
    xml_set (root, "creationTime", time);
    return 0;
}

xml_t *snapshot_xml_make (const xml_t *given, const snapshot_basis_t *basis, error_t *err)
{
    snapshot_place_t memory;
    auto(xml_t) doc = empty_snapshot ();
    xml_node_t *root = xml_root (doc);
    if ((given && check_elements (xml_root (given), err)) ||
        choose_memory (given, basis, &memory, err) || add_head (root, given, basis, err))
        return NULL;
    xml_set (root, "memory/@snapshot", places[memory]);
    if (memory == SNAPSHOT_EXTERNAL)
        xml_set (root, "memory/@file", xml_string (xml_root (given), "memory/@file"));
    bool external = memory == SNAPSHOT_EXTERNAL || basis->disk_only ||
                    (!basis->active && wants_external (given));
    if (add_disks (root, given, basis, external ? SNAPSHOT_EXTERNAL : SNAPSHOT_INTERNAL, err))
        return NULL;
    copy_inside (xml_add (root, "domain"), xml_root (basis->domain));
    if (basis->inactive)
        copy_inside (xml_add (root, "inactiveDomain"), xml_root (basis->inactive));
    return take (&doc);
}

//  Redefining.

static int check_domain (const xml_node_t *root, const char *element, const char *uuid,
                         error_t *err)
{
    char found[UUID_TEXT_SIZE];
    const xml_node_t *domain = xml_find (root, element);
    const char *text = domain ? xml_string (domain, "uuid") : NULL;
    if (domain && (!text || !uuid_normalize (text, found) || strcmp (found, uuid) != 0))
        return error_set (err, ERR_INVALID_ARG, "its <%s> has the uuid %s, and the domain %s",
                          element, text ? text : "-", uuid);
    return 0;
}

static int check_state (const xml_node_t *root, error_t *err)
{
    static const char *const states[] = { "running", "blocked",       "paused",  "shutdown",
                                          "shutoff", "disk-snapshot", "crashed", "pmsuspended" };
    const char *state = xml_string (root, "state");
    for (size_t i = 0; state && i < sizeof states / sizeof *states; i++)
        if (strcmp (states[i], state) == 0)
            return 0;
    return error_set (err, ERR_XML_ERROR, "to be redefined it needs a <state>; '%s' is none",
                      state ? state : "");
}

static int check_redefined (const xml_node_t *root, const xml_node_t *old, const char *uuid,
                            error_t *err)
{
    uint64_t time;
    const char *name = snapshot_name (root);
    snapshot_place_t place;
    if (check_elements (root, err) || check_name (name ? name : "", err) ||
        check_state (root, err) || check_domain (root, "domain", uuid, err) ||
        check_domain (root, "inactiveDomain", uuid, err) ||
        read_place (root, "memory/@snapshot", &place, err) ||
        xml_u64 (root, "creationTime", &time, err))
        return -1;
    if (!xml_string (root, "creationTime"))
        return error_set (err, ERR_XML_ERROR, "to be redefined it needs a <creationTime>");
    xml_foreach (disk, xml_find (root, "disks"), "disk")
        if (!xml_string (disk, "@name") || read_place (disk, "@snapshot", &place, err))
            return error_set (err, ERR_XML_ERROR, "a disk has no name, or no place of its own");
    if (!old)
        return 0;
    if (!text_equals (xml_string (root, "state"), xml_string (old, "state")) ||
        snapshot_memory (root) != snapshot_memory (old) ||
        snapshot_is_external (root) != snapshot_is_external (old))
        return error_set (err, ERR_INVALID_ARG,
                          "what it is of (state, memory, internal or external) can't be redefined");
    return 0;
}

xml_t *snapshot_xml_redefine (const xml_t *given, const xml_node_t *old, const char *domain_uuid,
                              error_t *err)
{
    if (check_redefined (xml_root (given), old, domain_uuid, err))
        return NULL;
    auto(xml_t) doc = xml_copy (given);
    xml_remove_path (xml_root (doc), "active");
    return take (&doc);
}
