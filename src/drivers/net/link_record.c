//  link_record.c: see link_record.h.

#include "drivers/net/link_record.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEADER "troupe-links 1"
#define NONE "-"

uint32_t link_record_group (const link_record_t *self)
{
    uint8_t mac[6];
    const bool upper = self->kind == LINK_MACVTAP || self->kind == LINK_MACVLAN;
    if (!upper || !link_mac_read (self->mac, mac))
        return 0;
    return ((uint32_t) mac[2] << 24 | (uint32_t) mac[3] << 16 | (uint32_t) mac[4] << 8 | mac[5]) &
           INT32_MAX;
}

bool link_record_fits (const link_record_t *self, const link_news_t *news)
{
    const link_t *link = &news->link;
    if (strcmp (link->kind, link_kernel_kind (self->kind)) != 0)
        return false;
    const uint32_t group = link_record_group (self);
    if (self->ifindex == 0)
        return strcmp (link->mac, self->mac) == 0 || (group > 0 && news->group == group);
    return link->ifindex == self->ifindex &&
           (strcmp (link->mac, self->mac) == 0 || (group > 0 && news->group == group) ||
            (*self->own_mac && strcmp (link->mac, self->own_mac) == 0) ||
            (*self->alias && strcmp (news->alias, self->alias) == 0));
}

static bool copy_word (char *to, size_t size, const char *word)
{
    size_t length = word ? strlen (word) : 0;
    for (size_t i = 0; i < length; i++)
        if (!isalnum ((unsigned char) word[i]) && !strchr ("-_.:/@", word[i]))
            return false;
    if (length == 0 || length >= size)
        return false;
    memcpy (to, word, length + 1);
    return true;
}

bool link_record_name (link_record_t *self, const char *owner, const char *key)
{
    return copy_word (self->owner, sizeof self->owner, owner) &&
           copy_word (self->key, sizeof self->key, key);
}

void link_records_begin (text_t *text, const char *boot_id, uint64_t netns)
{
    text_addf (text, HEADER " %s %" PRIu64 "\n", boot_id, netns);
}

static const char *or_none (const char *text)
{
    return *text ? text : NONE;
}

//  The alias is last: it may have blanks.
void link_record_add (text_t *text, const link_record_t *record)
{
    text_addf (text, "%s %" PRIu32 " %s %s %s %s %s %s %s %s\n", link_kind_name (record->kind),
               record->ifindex, record->made ? "made" : "begun", record->away ? "away" : "here",
               or_none (record->mac), or_none (record->peer_mac), or_none (record->own_mac),
               record->owner, record->key, record->alias);
}

static void forget_none (char *text)
{
    if (strcmp (text, NONE) == 0)
        *text = 0;
}

static bool read_line (const char *line, link_record_t *record)
{
    char kind[16], made[8], away[8], owner[MSG_ADDRESS_MAX], key[LINK_KEY_MAX];
    int end = 0;
    memset (record, 0, sizeof *record);
    int fields =
        sscanf (line, "%15s %" SCNu32 " %7s %7s %17s %17s %17s %95s %63s%n", kind, &record->ifindex,
                made, away, record->mac, record->peer_mac, record->own_mac, owner, key, &end);
    if (fields != 9 || line[end] != ' ' || !link_record_name (record, owner, key))
        return false;
    record->kind = link_kind_by_name (kind);
    record->made = strcmp (made, "made") == 0;
    record->away = strcmp (away, "away") == 0;
    forget_none (record->mac);
    forget_none (record->peer_mac);
    forget_none (record->own_mac);
    snprintf (record->alias, sizeof record->alias, "%s", line + end + 1);
    return record->kind != LINK_NONE;
}

static bool read_header (const char *line, const char *boot_id, uint64_t netns, bool *stale)
{
    char boot[64];
    uint64_t number;
    if (sscanf (line, HEADER " %63s %" SCNu64, boot, &number) != 2)
        return false;
    *stale = strcmp (boot, boot_id) != 0 || number != netns;
    return true;
}

int link_records_read (const char *text, const char *boot_id, uint64_t netns,
                       link_record_fn *on_record, void *arg, bool *stale, error_t *err)
{
    *stale = false;
    for (unsigned number = 1; *text; number++) {
        size_t length = strcspn (text, "\n");
        autofree char *line = text_copy_bytes (text, length);
        link_record_t record;
        bool good = text[length] == '\n' && (number == 1 ? read_header (line, boot_id, netns, stale)
                                                         : read_line (line, &record));
        if (!good)
            return error_set (err, ERR_PARSE_FAILED, "line %u is no record of a link", number);
        if (*stale)
            return 0;
        if (number > 1)
            on_record (arg, &record);
        text += length + 1;
    }
    return 0;
}
