//  vcpus.c: see vcpus.h.

#include "drivers/vcpus.h"

#include "drivers/definition.h"
#include "util/text.h"

#include <limits.h>
#include <string.h>

#define MOST 65535

//  Of documents that are completed: what is there is a number.
static int number (const xml_node_t *node, const char *path, int otherwise)
{
    error_t ignored;
    int value = otherwise;
    return node && xml_int (node, path, 0, MOST, &value, &ignored) == 0 ? value : otherwise;
}

static xml_node_t *entry_of (const xml_node_t *domain, int id)
{
    xml_foreach (vcpu, xml_find (domain, "vcpus"), "vcpu")
        if (number (vcpu, "@id", -1) == id)
            return vcpu;
    return NULL;
}

static bool is_enabled (const xml_node_t *vcpu)
{
    return xml_equals (vcpu, "@enabled", "yes");
}

static bool is_fixed (const xml_node_t *vcpu)
{
    return is_enabled (vcpu) && !xml_equals (vcpu, "@hotpluggable", "yes");
}

int vcpus_most (const xml_node_t *domain)
{
    return number (domain, "vcpu", 1);
}

bool vcpus_are_listed (const xml_node_t *domain)
{
    return xml_first (xml_find (domain, "vcpus"), "vcpu") != NULL;
}

int vcpus_count (const xml_node_t *domain)
{
    int count = 0;
    if (!vcpus_are_listed (domain))
        return number (domain, "vcpu/@current", vcpus_most (domain));
    xml_foreach (vcpu, xml_find (domain, "vcpus"), "vcpu")
        count += is_enabled (vcpu);
    return count;
}

int vcpus_fixed (const xml_node_t *domain)
{
    int count = 0;
    if (!vcpus_are_listed (domain))
        return vcpus_count (domain);
    xml_foreach (vcpu, xml_find (domain, "vcpus"), "vcpu")
        count += is_fixed (vcpu);
    return count;
}

bool vcpus_has (const xml_node_t *domain, int id)
{
    if (!vcpus_are_listed (domain))
        return id < vcpus_count (domain);
    const xml_node_t *vcpu = entry_of (domain, id);
    return vcpu && is_enabled (vcpu);
}

int vcpus_of_alias (const char *alias)
{
    uint64_t id;
    const char *digits = text_starts (alias, "vcpu") ? alias + strlen ("vcpu") : "";
    return *digits >= '0' && *digits <= '9' && text_to_u64 (digits, &id) && id <= MOST ? (int) id
                                                                                       : -1;
}

//  The list.

static void follow_count (xml_node_t *domain)
{
    int count = vcpus_count (domain);
    xml_remove_path (domain, "vcpu/@current");
    if (count < vcpus_most (domain))
        xml_set_u64 (domain, "vcpu/@current", (uint64_t) count);
}

static void set_entry (xml_node_t *vcpu, bool enabled, bool hotpluggable)
{
    xml_set (vcpu, "@enabled", enabled ? "yes" : "no");
    xml_set (vcpu, "@hotpluggable", hotpluggable ? "yes" : "no");
}

static xml_node_t *add_entry (xml_node_t *list, int id, bool enabled)
{
    xml_node_t *vcpu = xml_add (list, "vcpu");
    xml_set_u64 (vcpu, "@id", (uint64_t) id);
    set_entry (vcpu, enabled, !enabled);
    return vcpu;
}

void vcpus_list (xml_node_t *domain)
{
    int most = vcpus_most (domain), count = vcpus_count (domain);
    if (vcpus_are_listed (domain))
        return;
    xml_remove_path (domain, "vcpus");
    xml_node_t *list = definition_insert (domain, "vcpus");
    for (int id = 0; id < most; id++)
        add_entry (list, id, id < count);
    for (int id = 0; id < count; id++)
        xml_set_u64 (entry_of (domain, id), "@order", (uint64_t) id + 1);
}

//  Those without an order come last, by their ids.
static int rank_of (const xml_node_t *vcpu)
{
    return number (vcpu, "@order", MOST + 1 + number (vcpu, "@id", 0));
}

int vcpus_next (const xml_node_t *domain, int *rank)
{
    int id = -1, least = INT_MAX;
    xml_foreach (vcpu, xml_find (domain, "vcpus"), "vcpu") {
        int own = rank_of (vcpu);
        if (!is_enabled (vcpu) || own <= *rank || own >= least)
            continue;
        least = own;
        id = number (vcpu, "@id", -1);
    }
    *rank = least;
    return id;
}

static int last_order (const xml_node_t *domain)
{
    int last = 0;
    xml_foreach (vcpu, xml_find (domain, "vcpus"), "vcpu") {
        int order = number (vcpu, "@order", 0);
        last = order > last ? order : last;
    }
    return last;
}

static void close_gap (xml_node_t *domain, int gap)
{
    xml_foreach (vcpu, xml_find (domain, "vcpus"), "vcpu") {
        int order = number (vcpu, "@order", 0);
        if (gap && order > gap)
            xml_set_u64 (vcpu, "@order", (uint64_t) order - 1);
    }
}

void vcpus_note (xml_node_t *domain, int id, bool there, bool hotpluggable)
{
    xml_node_t *vcpu = entry_of (domain, id);
    if (!vcpu || is_enabled (vcpu) == there)
        return;
    int order = number (vcpu, "@order", 0);
    set_entry (vcpu, there, !there || hotpluggable);
    xml_remove_path (vcpu, "@order");
    if (there)
        xml_set_u64 (vcpu, "@order", (uint64_t) last_order (domain) + 1);
    close_gap (domain, order);
    follow_count (domain);
}

//  Checks.

static int check_entry (const xml_node_t *domain, const xml_node_t *vcpu, error_t *err)
{
    int id = -1, order = 0, most = vcpus_most (domain);
    if (xml_int (vcpu, "@id", 0, most - 1, &id, err) ||
        xml_int (vcpu, "@order", 1, most, &order, err))
        return error_prefix (err, "domain XML: <vcpus>");
    if (id < 0)
        return error_set (err, ERR_XML_ERROR, "domain XML: <vcpus>: a vcpu has no id");
    const char *wrong = entry_of (domain, id) != vcpu    ? "it is there twice"
                        : !xml_string (vcpu, "@enabled") ? "it does not say whether it is enabled"
                        : order && !is_enabled (vcpu)    ? "it is not enabled, and so has no order"
                        : !is_enabled (vcpu) && xml_equals (vcpu, "@hotpluggable", "no")
                            ? "it is neither enabled nor hotpluggable"
                        : id == 0 && !is_fixed (vcpu)
                            ? "the first one has to be enabled, and not hotpluggable"
                            : NULL;
    xml_foreach (other, xml_find (domain, "vcpus"), "vcpu")
        if (!wrong && order && other != vcpu && number (other, "@order", 0) == order)
            wrong = "another one has the same order";
    return wrong ? error_set (err, ERR_XML_ERROR, "domain XML: <vcpus>: vcpu %d: %s", id, wrong)
                 : 0;
}

//  In the order of their ids, all of them.
static void fill_list (xml_node_t *domain)
{
    xml_node_t *given = xml_find (domain, "vcpus"), *list = xml_add_before (given, "vcpus");
    int most = vcpus_most (domain);
    for (int id = 0; id < most; id++) {
        xml_node_t *own = NULL;
        xml_foreach (vcpu, given, "vcpu")
            if (number (vcpu, "@id", -1) == id)
                own = vcpu;
        if (!own)
            add_entry (list, id, false);
        else
            definition_default (xml_add_copy (list, own), "@hotpluggable",
                                is_enabled (own) ? "no" : "yes");
    }
    xml_remove (given);
}

int vcpus_complete (xml_node_t *domain, error_t *err)
{
    if (!vcpus_are_listed (domain))
        return 0;
    xml_foreach (vcpu, xml_find (domain, "vcpus"), "vcpu")
        if (check_entry (domain, vcpu, err))
            return -1;
    fill_list (domain);
    if (!entry_of (domain, 0) || !is_fixed (entry_of (domain, 0)))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: <vcpus>: vcpu 0 has to be enabled, and not hotpluggable");
    int fixed = vcpus_fixed (domain);
    for (int id = 0; id < fixed; id++)
        if (!is_fixed (entry_of (domain, id)))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: <vcpus>: vcpu %d is hotpluggable or not enabled, and "
                              "one behind it is there from the start on; those have to be the "
                              "first ones",
                              id);
    follow_count (domain);
    return 0;
}

//  Changes.

//  What a definition has from the start on are the first ones: the next of those, or a hotpluggable
//  one.
static void enable (xml_node_t *domain, int id, const vcpus_change_t *change)
{
    bool hotpluggable = change->live || change->hotpluggable || id != vcpus_fixed (domain);
    vcpus_note (domain, id, true, hotpluggable);
}

static bool can_go (const xml_node_t *domain, int id, const vcpus_change_t *change)
{
    const xml_node_t *vcpu = entry_of (domain, id);
    return vcpu && is_enabled (vcpu) && id > 0 && !(change->live && is_fixed (vcpu));
}

//  Of a definition: behind the first that is gone none is there from the start on.
static void loosen (xml_node_t *domain, int id)
{
    xml_foreach (vcpu, xml_find (domain, "vcpus"), "vcpu")
        if (number (vcpu, "@id", -1) > id && is_fixed (vcpu))
            xml_set (vcpu, "@hotpluggable", "yes");
}

static void disable (xml_node_t *domain, int id, const vcpus_change_t *change)
{
    bool fixed = is_fixed (entry_of (domain, id));
    vcpus_note (domain, id, false, true);
    if (fixed && !change->live)
        loosen (domain, id);
}

static int set_listed (xml_node_t *domain, int count, const vcpus_change_t *change, error_t *err)
{
    int most = vcpus_most (domain), now = vcpus_count (domain);
    for (int id = 0; id < most && now < count; id++)
        if (!vcpus_has (domain, id)) {
            enable (domain, id, change);
            now++;
        }
    for (int id = most - 1; id >= 0 && now > count; id--)
        if (can_go (domain, id, change)) {
            disable (domain, id, change);
            now--;
        }
    return now == count
               ? 0
               : error_set (err, ERR_CONFIG_UNSUPPORTED,
                            "%d vcpus: those that it has from its start on can't be unplugged, and "
                            "so it has at least %d; config changes how many its next start has",
                            count, now);
}

int vcpus_set_count (xml_node_t *domain, int count, const vcpus_change_t *change, error_t *err)
{
    if (change->hotpluggable)
        vcpus_list (domain);
    if (vcpus_are_listed (domain))
        return set_listed (domain, count, change, err);
    xml_remove_path (domain, "vcpu/@current");
    if (count < vcpus_most (domain))
        xml_set_u64 (domain, "vcpu/@current", (uint64_t) count);
    return 0;
}

int vcpus_set_some (xml_node_t *domain, const cpu_set_t *set, bool wanted,
                    const vcpus_change_t *change, error_t *err)
{
    int most = vcpus_most (domain);
    vcpus_list (domain);
    for (int id = 0; id < CPU_SETSIZE; id++) {
        if (!CPU_ISSET ((size_t) id, set))
            continue;
        if (id >= most)
            return error_set (err, ERR_INVALID_ARG, "vcpu %d: it can have those from 0 to %d", id,
                              most - 1);
        if (vcpus_has (domain, id) == wanted)
            return error_set (err, ERR_INVALID_ARG, "vcpu %d: it %s", id,
                              wanted ? "has it already" : "does not have it");
        if (!wanted && !can_go (domain, id, change))
            return error_set (
                err, ERR_INVALID_ARG,
                "vcpu %d: it has that from its start on, and so it can't be unplugged", id);
        if (wanted)
            enable (domain, id, change);
        else
            disable (domain, id, change);
    }
    return 0;
}

void vcpus_set_most (xml_node_t *domain, int most)
{
    bool listed = vcpus_are_listed (domain);
    int now = vcpus_count (domain);
    xml_set_u64 (domain, "vcpu", (uint64_t) most);
    xml_node_t *next;
    for (xml_node_t *vcpu = xml_first (xml_find (domain, "vcpus"), "vcpu"); vcpu; vcpu = next) {
        next = xml_next (vcpu, "vcpu");
        if (number (vcpu, "@id", 0) >= most) {
            close_gap (domain, number (vcpu, "@order", 0));
            xml_remove (vcpu);
        }
    }
    if (listed) {
        follow_count (domain);
        return;
    }
    xml_remove_path (domain, "vcpu/@current");
    if (now < most)
        xml_set_u64 (domain, "vcpu/@current", (uint64_t) now);
}
