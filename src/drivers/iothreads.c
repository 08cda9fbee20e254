//  iothreads.c: see iothreads.h.

#include "drivers/iothreads.h"

#include "drivers/definition.h"
#include "util/text.h"

const iothread_setting_t iothread_settings[] = {
    { "poll/@max", "poll_max_ns", "poll-max-ns", INT64_MAX },
    { "poll/@grow", "poll_grow", "poll-grow", INT32_MAX },
    { "poll/@shrink", "poll_shrink", "poll-shrink", INT32_MAX },
    { "@thread_pool_max", "thread_pool_max", "thread-pool-max", INT32_MAX },
    { "@thread_pool_min", "thread_pool_min", "thread-pool-min", INT32_MAX },
    { NULL, NULL, NULL, 0 },
};

static int number (const xml_node_t *node, const char *path, int otherwise)
{
    error_t ignored; //  completed
    int value = otherwise;
    return xml_int (node, path, 0, IOTHREAD_MOST, &value, &ignored) ? otherwise : value;
}

static bool is_listed (const xml_node_t *domain)
{
    return xml_first (xml_find (domain, "iothreadids"), "iothread") != NULL;
}

int iothreads_count (const xml_node_t *domain)
{
    return xml_find (domain, "iothreads") ? number (domain, "iothreads", 0) : 0;
}

xml_node_t *iothreads_find (const xml_node_t *domain, int id)
{
    xml_foreach (thread, xml_find (domain, "iothreadids"), "iothread")
        if (number (thread, "@id", 0) == id)
            return thread;
    return NULL;
}

bool iothreads_has (const xml_node_t *domain, int id)
{
    if (is_listed (domain))
        return iothreads_find (domain, id) != NULL;
    return id >= 1 && id <= iothreads_count (domain);
}

int iothreads_next (const xml_node_t *domain, int id)
{
    int next = 0;
    if (!is_listed (domain))
        return id < iothreads_count (domain) ? id + 1 : 0;
    xml_foreach (thread, xml_find (domain, "iothreadids"), "iothread") {
        int own = number (thread, "@id", 0);
        if (own > id && (!next || own < next))
            next = own;
    }
    return next;
}

static void add (xml_node_t *domain, int id)
{
    xml_node_t *list = xml_find (domain, "iothreadids");
    if (!list)
        list = definition_insert (domain, "iothreadids");
    xml_set_u64 (xml_add (list, "iothread"), "@id", (uint64_t) id);
}

static void follow_count (xml_node_t *domain)
{
    int count = 0;
    xml_foreach (thread, xml_find (domain, "iothreadids"), "iothread")
        count++;
    if (!xml_find (domain, "iothreads"))
        definition_insert (domain, "iothreads");
    xml_set_u64 (domain, "iothreads", (uint64_t) count);
    if (count > 0)
        return;
    xml_remove_path (domain, "iothreads");
    xml_remove_path (domain, "iothreadids");
}

static void list (xml_node_t *domain)
{
    if (is_listed (domain))
        return;
    int count = iothreads_count (domain);
    for (int id = 1; id <= count; id++)
        add (domain, id);
}

//  Checks.

static int check_one (const xml_node_t *domain, const xml_node_t *thread, error_t *err)
{
    int id = 0;
    uint64_t least = 0, most = 0;
    if (xml_int (thread, "@id", 1, IOTHREAD_MOST, &id, err) ||
        xml_u64 (thread, "@thread_pool_min", &least, err) ||
        xml_u64 (thread, "@thread_pool_max", &most, err))
        return error_prefix (err, "domain XML: <iothreadids>");
    if (id == 0 || iothreads_find (domain, id) != thread)
        return error_set (err, ERR_XML_ERROR, "domain XML: <iothreadids>: %s",
                          id == 0 ? "one has no id" : "there are two with the same id");
    for (const iothread_setting_t *setting = iothread_settings; setting->path; setting++) {
        uint64_t value = 0;
        if (xml_u64 (thread, setting->path, &value, err))
            return error_prefix (err, "domain XML: I/O thread %d", id);
        if (value > setting->max)
            return error_set (err, ERR_XML_ERROR,
                              "domain XML: I/O thread %d: %s is too large (%llu at most)", id,
                              setting->path, (unsigned long long) setting->max);
    }
    if (xml_string (thread, "@thread_pool_max") && (most == 0 || least > most))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: I/O thread %d: its thread_pool_max is 0, or less than "
                          "thread_pool_min",
                          id);
    return 0;
}

int iothreads_complete (xml_node_t *domain, error_t *err)
{
    int count = 0, listed = 0;
    if (xml_int (domain, "iothreads", 0, IOTHREAD_MOST, &count, err))
        return -1;
    if (!is_listed (domain))
        return 0;
    xml_foreach (thread, xml_find (domain, "iothreadids"), "iothread") {
        if (check_one (domain, thread, err))
            return -1;
        listed++;
    }
    for (int id = 1; listed < count && id <= IOTHREAD_MOST; id++)
        if (!iothreads_find (domain, id)) {
            add (domain, id);
            listed++;
        }
    follow_count (domain);
    return 0;
}

//  Changes.

int iothreads_add (xml_node_t *domain, int id, error_t *err)
{
    if (id < 1 || id > IOTHREAD_MOST)
        return error_set (err, ERR_INVALID_ARG, "I/O thread %d: their numbers are from 1 to %d", id,
                          IOTHREAD_MOST);
    if (iothreads_has (domain, id))
        return error_set (err, ERR_INVALID_ARG, "I/O thread %d: it has that already", id);
    list (domain);
    add (domain, id);
    follow_count (domain);
    return 0;
}

static int check_known (const xml_node_t *domain, int id, error_t *err)
{
    return iothreads_has (domain, id)
               ? 0
               : error_set (err, ERR_INVALID_ARG,
                            "I/O thread %d: it has no such; 'troupe iothreadinfo' shows which", id);
}

static int check_unused (const xml_node_t *domain, int id, error_t *err)
{
    xml_foreach (device, xml_find (domain, "devices"), NULL) {
        const char *target = xml_string (device, "target/@dev");
        const char *name = target ? target : xml_string (device, "alias/@name");
        if (number (device, "driver/@iothread", 0) == id)
            return error_set (err, ERR_INVALID_ARG, "I/O thread %d: the %s%s%s%s uses it", id,
                              xml_name (device), name ? " '" : "", name ? name : "",
                              name ? "'" : "");
    }
    return 0;
}

int iothreads_remove (xml_node_t *domain, int id, error_t *err)
{
    if (check_known (domain, id, err) || check_unused (domain, id, err))
        return -1;
    list (domain);
    xml_remove (iothreads_find (domain, id));
    xml_foreach (pin, xml_find (domain, "cputune"), "iothreadpin")
        if (number (pin, "@iothread", 0) == id) {
            xml_remove (pin);
            break;
        }
    follow_count (domain);
    return 0;
}

xml_node_t *iothreads_ensure (xml_node_t *domain, int id, error_t *err)
{
    if (check_known (domain, id, err))
        return NULL;
    list (domain);
    return iothreads_find (domain, id);
}
