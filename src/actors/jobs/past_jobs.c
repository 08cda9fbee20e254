//  past_jobs.c: see past_jobs.h.

#include "actors/jobs/past_jobs.h"

#include "util/text.h"
#include "util/xml.h"

#include <inttypes.h>
#include <string.h>

//  How far a job had come, as its progress names it and as the file does.
static const struct {
    const char *key, *path;
} numbers[] = { { "done", "@done" },
                { "total", "@total" },
                { "remaining", "@remaining" },
                { "passes", "@passes" } };

#define NUMBERS (sizeof numbers / sizeof *numbers)

typedef struct {
    char *kind, *verb, *outcome, *error; //  outcome NULL: it is under way; error may be NULL
    int64_t since_us, ended_us;
    bool asked; //  by a client: uid or key, client
    uint64_t uid, client;
    char *key;
    uint64_t reached[NUMBERS];
} past_t;

struct past_jobs {
    past_t items[PAST_JOBS_MAX]; //  the oldest first
    size_t count;
};

static void past_close (past_t *self)
{
    free (self->kind);
    free (self->verb);
    free (self->outcome);
    free (self->error);
    free (self->key);
}

past_jobs_t *past_jobs_new (void)
{
    return memory_new (1, sizeof (past_jobs_t));
}

void past_jobs_destroy (past_jobs_t **self_p)
{
    past_jobs_t *self = take (self_p);
    for (size_t i = 0; self && i < self->count; i++)
        past_close (&self->items[i]);
    free (self);
}

static past_t *add (past_jobs_t *self)
{
    if (self->count == PAST_JOBS_MAX) {
        past_close (&self->items[0]);
        memmove (self->items, self->items + 1, (PAST_JOBS_MAX - 1) * sizeof *self->items);
        self->count--;
    }
    past_t *past = &self->items[self->count++];
    *past = (past_t){ 0 };
    return past;
}

void past_jobs_begin (past_jobs_t *self, const char *kind, const char *verb, const value_t *by,
                      int64_t now_us)
{
    past_t *past = add (self);
    past->kind = text_copy (kind);
    past->verb = text_copy (verb);
    past->since_us = now_us;
    past->asked = by != NULL;
    past->uid = value_get_u64 (by, "uid", 0);
    past->key = text_copy (value_get_str (by, "key"));
    past->client = value_get_u64 (by, "client", 0);
}

bool past_jobs_is_empty (const past_jobs_t *self)
{
    return self->count == 0;
}

bool past_jobs_is_open (const past_jobs_t *self)
{
    return self->count > 0 && !self->items[self->count - 1].outcome;
}

void past_jobs_reached (past_jobs_t *self, const value_t *progress)
{
    if (!past_jobs_is_open (self))
        return;
    past_t *past = &self->items[self->count - 1];
    for (size_t i = 0; i < NUMBERS; i++)
        past->reached[i] = value_get_u64 (progress, numbers[i].key, 0);
}

void past_jobs_end (past_jobs_t *self, int64_t now_us, const char *outcome, const error_t *err)
{
    if (!past_jobs_is_open (self))
        return;
    past_t *past = &self->items[self->count - 1];
    past->ended_us = now_us;
    past->outcome = text_copy (outcome);
    past->error = err ? text_copy (err->message) : NULL;
}

static void set_reached (past_t *self, const char *key, uint64_t value)
{
    for (size_t i = 0; i < NUMBERS; i++)
        if (strcmp (numbers[i].key, key) == 0)
            self->reached[i] = value;
}

//  Before the one that is under way: that one is always the last.
void past_jobs_add (past_jobs_t *self, const past_job_t *job)
{
    bool open = past_jobs_is_open (self);
    past_t *past = add (self);
    if (open) {
        past[0] = past[-1];
        past--;
    }
    *past = (past_t){ .kind = text_copy (job->kind),
                      .verb = text_copy (job->verb),
                      .outcome = text_copy (job->outcome),
                      .error = text_copy (job->error),
                      .since_us = job->since_us,
                      .ended_us = job->ended_us,
                      .asked = job->asked,
                      .uid = job->uid,
                      .key = text_copy (job->key),
                      .client = job->client };
    set_reached (past, "done", job->done);
    set_reached (past, "total", job->total);
    set_reached (past, "remaining", job->total > job->done ? job->total - job->done : 0);
}

static void pack_by (const past_t *self, pack_t *pack)
{
    if (!self->asked) {
        pack_key_str (pack, "by", NULL);
        return;
    }
    pack_key_map (pack, "by");
    if (self->key)
        pack_key_str (pack, "key", self->key);
    else
        pack_key_u64 (pack, "uid", self->uid);
    pack_key_u64 (pack, "client", self->client);
    pack_end (pack);
}

int64_t past_jobs_since (const past_jobs_t *self)
{
    return self->count > 0 ? self->items[self->count - 1].since_us : 0;
}

void past_jobs_pack_by (const past_jobs_t *self, pack_t *pack)
{
    static const past_t nobody;
    pack_by (self->count > 0 ? &self->items[self->count - 1] : &nobody, pack);
}

static void pack_past (const past_t *self, pack_t *pack)
{
    pack_key_str (pack, "kind", self->kind);
    pack_key_str (pack, "verb", self->verb);
    pack_key_i64 (pack, "since_us", self->since_us);
    pack_key_i64 (pack, "ended_us", self->ended_us);
    pack_key_str (pack, "outcome", self->outcome);
    pack_key_str (pack, "error", self->error);
    pack_by (self, pack);
    for (size_t i = 0; i < NUMBERS; i++)
        pack_key_u64 (pack, numbers[i].key, self->reached[i]);
}

void past_jobs_pack (const past_jobs_t *self, pack_t *pack)
{
    pack_array (pack);
    for (size_t i = 0; i < self->count; i++) {
        const past_t *past = &self->items[i];
        if (!past->outcome)
            continue;
        pack_map (pack);
        pack_past (past, pack);
        pack_end (pack);
    }
    pack_end (pack);
}

static const past_t *last_of (const past_jobs_t *self)
{
    return self->count > 0 ? &self->items[self->count - 1] : NULL;
}

void past_jobs_pack_last (const past_jobs_t *self, pack_t *pack)
{
    const past_t *past = last_of (self);
    if (past && past->outcome)
        pack_past (past, pack);
}

const char *past_jobs_last_verb (const past_jobs_t *self)
{
    const past_t *past = last_of (self);
    return past ? past->verb : NULL;
}

//  The file.

static void set_u64 (xml_node_t *node, const char *path, int64_t value)
{
    xml_set_u64 (node, path, value > 0 ? (uint64_t) value : 0);
}

static void add_node (xml_node_t *jobs, const past_t *past)
{
    xml_node_t *node = xml_add (jobs, "job");
    xml_set (node, "@kind", past->kind);
    xml_set (node, "@verb", past->verb);
    set_u64 (node, "@since_us", past->since_us);
    if (past->outcome) {
        set_u64 (node, "@ended_us", past->ended_us);
        xml_set (node, "@outcome", past->outcome);
    }
    if (past->error)
        xml_set (node, "@error", past->error);
    if (past->asked) {
        if (past->key)
            xml_set (node, "@key", past->key);
        else
            xml_set_u64 (node, "@uid", past->uid);
        xml_set_u64 (node, "@client", past->client);
    }
    for (size_t i = 0; i < NUMBERS; i++)
        if (past->reached[i] > 0)
            xml_set_u64 (node, numbers[i].path, past->reached[i]);
}

char *past_jobs_text (const past_jobs_t *self)
{
    static const char empty[] = "<jobs/>";
    error_t never;
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "past jobs", &never);
    for (size_t i = 0; i < self->count; i++)
        add_node (xml_root (doc), &self->items[i]);
    return xml_text (doc);
}

static int read_node (past_jobs_t *self, const xml_node_t *node, error_t *err)
{
    uint64_t since = 0, ended = 0;
    past_t *past = add (self);
    const char *kind = xml_string (node, "@kind"), *verb = xml_string (node, "@verb");
    past->kind = text_copy (kind ? kind : "");
    past->verb = text_copy (verb ? verb : "");
    past->outcome = text_copy (xml_string (node, "@outcome"));
    past->error = text_copy (xml_string (node, "@error"));
    past->key = text_copy (xml_string (node, "@key"));
    past->asked = xml_string (node, "@client") != NULL;
    if (xml_u64 (node, "@since_us", &since, err) || xml_u64 (node, "@ended_us", &ended, err) ||
        xml_u64 (node, "@uid", &past->uid, err) || xml_u64 (node, "@client", &past->client, err))
        return -1;
    past->since_us = (int64_t) since;
    past->ended_us = (int64_t) ended;
    for (size_t i = 0; i < NUMBERS; i++)
        if (xml_u64 (node, numbers[i].path, &past->reached[i], err))
            return -1;
    return 0;
}

past_jobs_t *past_jobs_parse (const char *text, error_t *err)
{
    auto(xml_t) doc = xml_parse_own (text, strlen (text), "past jobs", err);
    if (!doc)
        return NULL;
    auto(past_jobs_t) self = past_jobs_new ();
    xml_foreach (node, xml_root (doc), "job")
        if (read_node (self, node, err))
            return NULL;
    return take (&self);
}
