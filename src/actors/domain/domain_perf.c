//  domain_perf.c: the counters of the guest's process: opened when its record says which are wanted
//  of which process, closed with it, read when somebody measures. They end with the daemon, and
//  count anew from its start.

#include "actors/domain/domain_self.h"

#include "util/xml.h"

#include <string.h>

static strings_t *words_of (const char *text)
{
    strings_t *words = strings_new ();
    autofree char *copy = text_copy (text ? text : "");
    char *rest = copy;
    for (char *word; (word = strsep (&rest, " "));)
        if (*word)
            strings_add (words, word);
    return words;
}

static bool read_record (const char *record, process_t *process, strings_t **names)
{
    error_t ignored; //  a damaged record is somebody else's matter: it was loaded by a job
    auto(xml_t) doc = record && strstr (record, "<perf ")
                          ? xml_parse_own (record, strlen (record), "record", &ignored)
                          : NULL;
    const xml_node_t *root = doc ? xml_root (doc) : NULL;
    const char *identity = root ? xml_string (root, "process/@identity") : NULL;
    *names = words_of (root ? xml_string (root, "perf/@events") : NULL);
    return identity && process_from_text (identity, process);
}

int domain_follow_perf (domain_t *self, const char *record, error_t *err)
{
    process_t process;
    strings_t *read = NULL;
    bool there = read_record (record, &process, &read);
    auto(strings_t) names = read;
    if (!there || names->count == 0) {
        perf_destroy (&self->perf);
        return 0;
    }
    if (!self->perf)
        self->perf = perf_new ();
    return perf_follow (self->perf, &process, names, err);
}

void domain_pack_perf (const domain_t *self, pack_t *pack)
{
    for (size_t i = 0; self->perf && perf_event_name (i); i++) {
        uint64_t value;
        if (!perf_read (self->perf, i, &value))
            continue;
        autofree char *name = text_format ("perf.%s", perf_event_name (i));
        pack_key_u64 (pack, name, value);
    }
}
