//  snapshot_summary.c: see snapshot_summary.h.

#include "actors/domain/snapshot_summary.h"

#include "actors/domain/summary.h"
#include "drivers/snapshot_xml.h"
#include "util/text.h"

#include <string.h>

static int64_t time_of (const xml_node_t *snapshot)
{
    error_t ignored; //  it was checked when it was added
    uint64_t time = 0;
    return xml_u64 (snapshot, "creationTime", &time, &ignored) ? 0 : (int64_t) time;
}

static void pack_texts (pack_t *pack, const xml_node_t *snapshot)
{
    auto(xml_t) secure = xml_from_node (snapshot);
    auto(xml_t) public = xml_from_node (snapshot);
    static const char *const domains[] = { "domain", "inactiveDomain" };
    bool differs = false;
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
        xml_node_t *domain = xml_find (xml_root (public), domains[i]);
        differs = (domain && summary_remove_secrets (domain)) || differs;
    }
    autofree char *text = xml_text (public);
    autofree char *secret = differs ? xml_text (secure) : NULL;
    pack_key_str (pack, "xml", text);
    pack_key_str (pack, "xml_secure", secret);
}

static void pack_one (pack_t *pack, const snapshot_tree_t *tree, const xml_node_t *snapshot)
{
    const char *name = snapshot_name (snapshot);
    pack_map (pack);
    pack_key_str (pack, "name", name);
    pack_key_str (pack, "parent", snapshot_parent (snapshot));
    pack_key_str (pack, "description", xml_string (snapshot, "description"));
    pack_key_i64 (pack, "creation_time", time_of (snapshot));
    pack_key_str (pack, "state", xml_string (snapshot, "state"));
    pack_key_str (pack, "location", snapshot_is_external (snapshot) ? "external" : "internal");
    pack_key_u64 (pack, "children", snapshot_tree_children (tree, name));
    pack_key_u64 (pack, "descendants", snapshot_tree_descendants (tree, name));
    pack_key_bool (pack, "current", snapshot == snapshot_tree_current (tree));
    pack_texts (pack, snapshot);
    pack_end (pack);
}

static int compare (const void *a, const void *b)
{
    const xml_node_t *const *one = a, *const *other = b;
    return strcmp (snapshot_name (*one), snapshot_name (*other));
}

void snapshot_summary_pack (pack_t *pack, const snapshot_tree_t *tree)
{
    size_t count = 0;
    autofree const xml_node_t **sorted =
        memory_new (snapshot_tree_count (tree) + 1, sizeof (xml_node_t *));
    for (xml_node_t *each = snapshot_tree_first (tree); each; each = snapshot_tree_next (each))
        sorted[count++] = each;
    qsort (sorted, count, sizeof *sorted, compare);
    pack_array (pack);
    for (size_t i = 0; i < count; i++)
        pack_one (pack, tree, sorted[i]);
    pack_end (pack);
}
