//  lxc_idmap.c: which users of the host a container's users are (<idmap> of libvirt's "Domain XML
//  format"; user_namespaces(7)).

#include "drivers/lxc/lxc_parts.h"
#include "container/container_protocol.h"

#include <inttypes.h>
#include <string.h>

#define ID_MAX ((uint64_t) UINT32_MAX) //  is nobody: -1

typedef struct {
    uint64_t start, target, count;
} range_t;

static int read_range (const xml_node_t *node, range_t *range, error_t *err)
{
    const char *kind = xml_name (node);
    const char *const names[] = { "@start", "@target", "@count" };
    uint64_t *const values[] = { &range->start, &range->target, &range->count };
    for (size_t i = 0; i < 3; i++) {
        if (!xml_string (node, names[i]))
            return error_set (err, ERR_XML_ERROR, "idmap: a <%s> has no %s", kind, names[i] + 1);
        if (xml_u64 (node, names[i], values[i], err))
            return error_prefix (err, "idmap");
        if (*values[i] > ID_MAX)
            return error_set (err, ERR_XML_ERROR, "idmap: %s %s %" PRIu64 ": ids have 32 bits",
                              kind, names[i] + 1, *values[i]);
    }
    if (range->count && range->start + range->count <= ID_MAX &&
        range->target + range->count <= ID_MAX)
        return 0;
    return error_set (err, ERR_XML_ERROR,
                      "idmap: %s start='%" PRIu64 "' target='%" PRIu64 "' count='%" PRIu64
                      "': there are no such ids; count is at least 1, the last id 4294967294",
                      kind, range->start, range->target, range->count);
}

static bool meet (uint64_t one, uint64_t one_count, uint64_t two, uint64_t two_count)
{
    return one < two + two_count && two < one + one_count;
}

static int check_pair (const char *kind, const range_t *one, const range_t *two, error_t *err)
{
    bool inside = meet (one->start, one->count, two->start, two->count);
    bool outside = meet (one->target, one->count, two->target, two->count);
    if (!inside && !outside)
        return 0;
    return error_set (err, ERR_XML_ERROR,
                      "idmap: the %s ranges of start='%" PRIu64 "' and start='%" PRIu64
                      "' overlap %s; give each id to one range",
                      kind, one->start, two->start, inside ? "in the container" : "on the host");
}

static int check_kind (const xml_node_t *idmap, const char *kind, error_t *err)
{
    range_t ranges[CONTAINER_LISTS_MAX];
    size_t count = 0;
    bool root = false;
    xml_foreach (node, idmap, kind) {
        if (count == CONTAINER_LISTS_MAX)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: idmap with more than %d <%s>", CONTAINER_LISTS_MAX,
                              kind);
        if (read_range (node, &ranges[count], err))
            return -1;
        for (size_t i = 0; i < count; i++)
            if (check_pair (kind, &ranges[i], &ranges[count], err))
                return -1;
        root = root || ranges[count++].start == 0;
    }
    if (root)
        return 0;
    return error_set (err, ERR_XML_ERROR,
                      "idmap: there is no <%s start='0' .../>: the container's root has to be "
                      "somebody on the host",
                      kind);
}

int lxc_idmap_check (const xml_node_t *domain, error_t *err)
{
    const xml_node_t *idmap = xml_find (domain, "idmap");
    if (!idmap)
        return 0;
    return check_kind (idmap, "uid", err) || check_kind (idmap, "gid", err) ? -1 : 0;
}

char *lxc_idmap_text (const xml_node_t *domain, const char *kind)
{
    auto(text_t) text = text_new ();
    xml_foreach (node, xml_find (domain, "idmap"), kind) {
        error_t ignored; //  checked
        range_t range = { 0 };
        read_range (node, &range, &ignored);
        text_addf (text, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", range.start, range.target,
                   range.count);
    }
    return text_finish (&text);
}
