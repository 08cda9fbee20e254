//  link_record.h: what is kept of a link that is ours, so that it is known again by a daemon after
//  this one, and how that one can tell that a link of the kernel is it. Pure.
//
//  A link is ours if it has the kind and, once it was made, the ifindex on record, and one of: the
//  random MAC it was made with, the one it was given since, our alias. An ifindex alone is no
//  proof: who makes a link may choose it.

#ifndef TROUPE_LINK_RECORD_H
#define TROUPE_LINK_RECORD_H

#include "drivers/net/link_request.h"
#include "msg/msg.h"
#include "util/text.h"

typedef struct {
    char owner[MSG_ADDRESS_MAX], key[LINK_KEY_MAX];
    link_kind_t kind;
    uint32_t ifindex; //  0: it is about to be made
    bool made;        //  its owner was told that it is there
    bool away;        //  it went into another network namespace, with which it will end
    char mac[LINK_MAC_SIZE], peer_mac[LINK_MAC_SIZE]; //  at its birth; peer_mac: "" if it has none
    char own_mac[LINK_MAC_SIZE];                      //  that it was given; "": none
    char alias[256];
} link_record_t;

//  The group that such a link is made in, and stays in, because it may not get the MAC it was to be
//  made with: in mode passthrough it takes that of the link below. 0: none.
uint32_t link_record_group (const link_record_t *self);

//  Is NEWS about this link?
bool link_record_fits (const link_record_t *self, const link_news_t *news);

//  False: not a key, or not an owner: too long, empty, or with other characters than letters,
//  digits and - _ . : / @.
bool link_record_name (link_record_t *self, const char *owner, const char *key);

//  The file that all of them are in: a header that names the boot and the network namespace to
//  which the ifindexes belong, then one line each.
void link_records_begin (text_t *text, const char *boot_id, uint64_t netns);
void link_record_add (text_t *text, const link_record_t *record);

typedef void (link_record_fn) (void *arg, const link_record_t *record);
//  Calls ON_RECORD for each; for none if the file is of another boot or namespace (then *STALE).
//  -1 and ERR_PARSE_FAILED, with the number of the line, if it is no such file.
int link_records_read (const char *text, const char *boot_id, uint64_t netns,
                       link_record_fn *on_record, void *arg, bool *stale, error_t *err);

#endif
