//  migration_record.h: what a guest's record says of the migration that it is in:
//
//      <migration role='out' phase='sending' token='...' peer='ENDPOINT' since_us='...'/>
//
//  role 'out':  sending    the guest is still this host's, whatever happens
//               handed     the other host may run it: it may not run here before that is known
//  role 'in':   receiving  the guest is the other host's until it gives it to us
//
//  besides run, persistent, undefine, copy ('yes' or absent), trouble (why it is not decided yet),
//  and in a receiver's, if it is to be persistent, the definition.

#ifndef TROUPE_MIGRATION_RECORD_H
#define TROUPE_MIGRATION_RECORD_H

#include "util/xml.h"

#include <stdbool.h>
#include <stdint.h>

#define MIGRATION_TOKEN_SIZE 33

typedef struct {
    bool incoming, handed, run, persistent, undefine, copy;
    char token[MIGRATION_TOKEN_SIZE];
    char *peer;    //  the other daemon's endpoint
    char *trouble; //  NULL: none so far
    int64_t since_us;
} migration_record_t;

//  Of a driver's record, or of its text. NULL: there is no migration. The caller owns the result.
migration_record_t *migration_record_read (const xml_t *record);
migration_record_t *migration_record_parse (const char *record);
void migration_record_destroy (migration_record_t **self_p);
DEFINE_AUTO (migration_record_t, migration_record_destroy)

void migration_record_write (const migration_record_t *self, xml_t *record);
void migration_record_remove (xml_t *record);

#endif
