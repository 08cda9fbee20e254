//  domain_background.c: what goes on after its requester was answered. A backup begins as a job
//  like others; then another job follows it, which may be one of the next daemon.

#include "actors/domain/domain_self.h"
#include "util/text.h"

enum {
    //  As long as whoever pulls it takes; the longest that a timer can run.
    FOLLOW_MS = INT32_MAX - 60000
};

static void done_follow (domain_t *self, const msg_t *request)
{
    (void) request;
    self->dirty |= DIRTY_STATUS;
}

const operation_t domain_backup_follow = {
    "domain.backup_begin", CLASS_JOB, ASYNC_BACKUP, "backup",
    NEED_ACTIVE,           FOLLOW_MS, true,         done_follow
};

void domain_go_on (domain_t *self)
{
    bool busy = self->async.operation || self->sync.operation || self->loading || self->undo ||
                self->adoption_wanted || self->left_alone || domain_destroy_waits (self);
    if (self->backup && domain_active (self) && self->ending.kind == CHANGE_NONE && !busy)
        domain_run (self, &self->async, &domain_backup_follow, NULL);
}

void domain_take_backup (domain_t *self, const value_t *result)
{
    if (!value_get (result, "backup"))
        return;
    free (self->backup);
    free (self->backup_xml);
    self->backup = text_copy (value_get_str (result, "backup"));
    self->backup_xml = text_copy (value_get_str (result, "backup_xml"));
}

void domain_take_finish (domain_t *self, msg_t **msg_p)
{
    error_t err;
    if (strcmp (msg_head (*msg_p)->from, self->async.address) != 0) {
        error_set (&err, ERR_OPERATION_INVALID, "%s is no job of domain '%s' any more",
                   msg_head (*msg_p)->from, self->name);
        domain_refuse (self, msg_p, &err);
        return;
    }
    free (self->backup);
    self->backup = text_copy (msg_str (*msg_p, "backup"));
    self->dirty |= DIRTY_STATUS;
    auto(msg_t) reply = msg_reply ();
    domain_commit_record (self, msg_p, &reply);
}

void domain_drop_backup (domain_t *self)
{
    free (take (&self->backup));
    free (take (&self->backup_xml));
    self->dirty |= DIRTY_STATUS;
}

bool domain_leaves_alone (domain_t *self, const running_t *slot, const error_t *err)
{
    if (slot->operation == &domain_backup_follow && !slot->cancelled &&
        err->code == ERR_OPERATION_ABORTED)
        self->left_alone = true;
    return self->left_alone;
}

const char *domain_background_failed (domain_t *self, const running_t *slot, error_t *err)
{
    const char *outcome = slot->cancelled || slot->late ? "cancelled" : "failed";
    bool follows = slot->operation == &domain_backup_follow;
    //  What is left of one that did not begin is undone; who destroys the guest cleans up as well.
    bool kept = self->undo || slot->doomed;
    if (follows && !slot->doomed && self->ending.kind != CHANGE_NONE) {
        outcome = "failed";
        error_set (err, ERR_OPERATION_FAILED, "backup of domain '%s': the guest ended", self->name);
    }
    if ((follows || slot->operation->async == ASYNC_BACKUP_BEGIN) && self->backup && !kept)
        domain_drop_backup (self);
    return outcome;
}

void domain_end_background (domain_t *self)
{
    if (self->async.operation == &domain_backup_follow)
        domain_cancel_ended (self, &self->async);
}
