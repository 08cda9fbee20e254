//  domain_filter.h: which domains a query is about, as virsh filters: what is asked for within a
//  group adds up, each group that is asked for has to be met. Pure.

#ifndef TROUPE_DOMAIN_FILTER_H
#define TROUPE_DOMAIN_FILTER_H

#include "actors/gateway/snapshots.h"

typedef struct {
    bool active, inactive;
    bool persistent, transient;
    bool autostart, no_autostart;
    bool running, paused, shutoff, other;
    bool with_snapshot, without_snapshot;
    bool with_checkpoint, without_checkpoint;
    bool with_managed_save, without_managed_save;
} domain_filter_t;

//  From a query's arguments: active, inactive, persistent, transient, autostart, no_autostart,
//  state_running, state_paused, state_shutoff, state_other, with_snapshot, without_snapshot,
//  with_checkpoint, without_checkpoint, with_managed_save, without_managed_save.
void domain_filter_read (domain_filter_t *self, const value_t *args);
bool domain_filter_matches (const domain_filter_t *self, const snapshot_t *domain);

#endif
