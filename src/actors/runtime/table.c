//  table.c: how numbers are hashed and compared. Without a random seed: the order in which a table
//  is walked may not differ from run to run.

#include "actors/runtime/table.h"

static size_t mix (uint64_t number)
{
    number ^= number >> 33;
    number *= 0xff51afd7ed558ccdULL; //  the finaliser of MurmurHash3, in the public domain
    number ^= number >> 33;
    return (size_t) number;
}

static size_t hash_u64 (const void *key)
{
    return mix (*(const uint64_t *) key);
}

static int compare_u64 (const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *) a, right = *(const uint64_t *) b;
    return left < right ? -1 : left > right;
}

static size_t hash_pair (const void *key)
{
    const pair_key_t *pair = key;
    return mix (pair->peer * 0x9e3779b97f4a7c15ULL + pair->id);
}

static int compare_pair (const void *a, const void *b)
{
    const pair_key_t *left = a, *right = b;
    int peers = compare_u64 (&left->peer, &right->peer);
    return peers ? peers : compare_u64 (&left->id, &right->id);
}

static zhashx_t *table_new (zhashx_hash_fn *hash, zhashx_comparator_fn *compare)
{
    zhashx_t *self = zhashx_new ();
    assert (self);
    zhashx_set_key_hasher (self, hash);
    zhashx_set_key_comparator (self, compare);
    zhashx_set_key_duplicator (self, NULL);
    zhashx_set_key_destructor (self, NULL);
    return self;
}

zhashx_t *table_by_u64 (void)
{
    return table_new (hash_u64, compare_u64);
}

zhashx_t *table_by_pair (void)
{
    return table_new (hash_pair, compare_pair);
}
