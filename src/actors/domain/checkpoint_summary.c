//  checkpoint_summary.c: see checkpoint_summary.h.

#include "actors/domain/checkpoint_summary.h"
#include "util/text.h"

static uint64_t count_below (const xml_t *all, const char *name, bool at_any_distance)
{
    uint64_t count = 0;
    xml_foreach (each, xml_root (all), "domaincheckpoint") {
        bool child = text_equals (checkpoint_parent (each), name);
        count += at_any_distance ? checkpoint_is_below (all, each, name) : child;
    }
    return count;
}

static void pack_one (pack_t *pack, const xml_t *all, const xml_node_t *checkpoint)
{
    error_t ignored; //  it was checked when it was added
    uint64_t time = 0;
    const char *name = checkpoint_name (checkpoint);
    autofree char *xml = xml_node_text (checkpoint);
    xml_u64 (checkpoint, "creationTime", &time, &ignored);
    pack_map (pack);
    pack_key_str (pack, "name", name);
    pack_key_str (pack, "parent", checkpoint_parent (checkpoint));
    pack_key_str (pack, "description", xml_string (checkpoint, "description"));
    pack_key_u64 (pack, "creation_time", time);
    pack_key_u64 (pack, "children", count_below (all, name, false));
    pack_key_u64 (pack, "descendants", count_below (all, name, true));
    pack_key_str (pack, "xml", xml);
    pack_end (pack);
}

void checkpoint_summary_pack (pack_t *pack, const xml_t *all)
{
    pack_array (pack);
    xml_foreach (each, all ? xml_root (all) : NULL, "domaincheckpoint")
        pack_one (pack, all, each);
    pack_end (pack);
}
