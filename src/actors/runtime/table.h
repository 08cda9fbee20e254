//  table.h: hash tables (czmq's zhashx) whose key is part of the item: a number, or two.

#ifndef TROUPE_TABLE_H
#define TROUPE_TABLE_H

#include <czmq.h>

//  Keys are `const uint64_t *` into the item; nothing is copied, nothing freed.
zhashx_t *table_by_u64 (void);

typedef struct {
    uint64_t peer, id;
} pair_key_t;
//  Keys are `const pair_key_t *` into the item.
zhashx_t *table_by_pair (void);

#endif
