//  domain_phases.c: a migration that a client drives, call by call: the job that is about all of it
//  asks what comes next, and each call of the client's is what its asker is then answered.

#include "actors/domain/domain_self.h"
#include "util/text.h"

enum {
    CALL_MS = 24 * 3600000 //  as much memory as there is; the job has its own limits
};

static void refuse (domain_t *self, msg_t **msg_p, const char *why)
{
    error_t err;
    error_set (&err, ERR_OPERATION_INVALID, "%s: domain '%s' %s", msg_verb (*msg_p), self->name,
               why);
    domain_refuse (self, msg_p, &err);
}

//  The job goes on, with CALL (may be NULL) under the name of VERB.
static void tell_job (domain_t *self, const char *verb, const msg_t *call)
{
    auto(msg_t) reply = msg_reply ();
    pack_t *pack = msg_result (reply);
    pack_map (pack);
    pack_key_str (pack, "verb", verb);
    pack_key_value (pack, "args", call ? value_get (msg_root (call), "args") : NULL);
    pack_end (pack);
    actor_reply (self->actor, &self->phases.next, &reply);
}

static void answer_caller (domain_t *self, const value_t *result)
{
    auto(msg_t) reply = msg_reply ();
    pack_value (msg_result (reply), result);
    domain_commit (self, &self->async.request, &reply, NULL);
}

//  The job asks, and says what its caller is to be answered.
void domain_take_next (domain_t *self, msg_t **msg_p)
{
    if (strcmp (msg_head (*msg_p)->from, self->async.address) != 0) {
        refuse (self, msg_p, "has another job by now");
        return;
    }
    snprintf (self->phases.token, sizeof self->phases.token, "%s", msg_str (*msg_p, "token"));
    self->phases.sent = text_equals (msg_str (*msg_p, "phase"), "sent");
    msg_destroy (&self->phases.next);
    self->phases.next = take (msg_p);
    if (self->async.request)
        answer_caller (self, msg_arg (self->phases.next, "result"));
    if (self->phases.forsaken || self->async.cancelled)
        tell_job (self, "migration.forsaken", NULL);
}

static bool is_known (const domain_t *self, const char *token)
{
    return self->async.operation && *self->phases.token && text_equals (self->phases.token, token);
}

//  Of one that came to nothing there is nothing left to be given up.
static void answer_over (domain_t *self, msg_t **msg_p)
{
    bool decided =
        !self->migration || !text_equals (self->migration->token, msg_str (*msg_p, "token"));
    if (decided && msg_flag (*msg_p, "cancelled")) {
        auto(msg_t) reply = msg_reply ();
        domain_commit (self, msg_p, &reply, NULL);
    } else
        refuse (self, msg_p,
                decided ? "is in no such migration (any more)"
                        : "was handed over: the other host is being asked whether it runs there");
}

void domain_take_phase (domain_t *self, msg_t **msg_p)
{
    bool confirms = strcmp (msg_verb (*msg_p), "migration.confirm") == 0;
    bool expected = self->phases.sent ? confirms : !confirms || msg_flag (*msg_p, "cancelled");
    if (!is_known (self, msg_str (*msg_p, "token"))) {
        answer_over (self, msg_p);
        return;
    }
    if (!self->phases.next || !expected) {
        refuse (self, msg_p, "is in another phase of this migration");
        return;
    }
    actor_admit (self->actor, *msg_p, CALL_MS);
    self->async.request = take (msg_p);
    tell_job (self, msg_verb (self->async.request), self->async.request);
}

//  It has not even begun.
static bool drop_waiting (domain_t *self, const char *token)
{
    error_t err;
    error_set (&err, ERR_OPERATION_ABORTED, "its client went away");
    return domain_drop_waiting (self, "migration.begin", token, &err);
}

//  The guest goes on, or, if all of it was sent, the receiver is asked.
void domain_take_forsaken (domain_t *self, msg_t **msg_p)
{
    const char *token = msg_str (*msg_p, "token");
    const msg_t *begin = self->async.request;
    bool begins =
        begin && msg_is (begin, "migration.begin") && text_equals (msg_str (begin, "token"), token);
    if (drop_waiting (self, token) || !(begins || is_known (self, token)))
        return;
    self->phases.forsaken = true;
    domain_cancel (self, &self->async, false);
}

void domain_hurry_phases (domain_t *self)
{
    if (self->phases.next && self->phases.sent)
        tell_job (self, "migration.forsaken", NULL);
}

bool domain_is_given_up (const msg_t *request)
{
    return request && msg_is (request, "migration.confirm") && msg_flag (request, "cancelled");
}

void domain_end_phases (domain_t *self)
{
    msg_destroy (&self->phases.next);
    self->phases = (phases_t){ .next = NULL };
}
