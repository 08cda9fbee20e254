//  public.h: the seam between troupe.h and what is inside: errors and values change their names,
//  not their content.

#ifndef TROUPE_PUBLIC_H
#define TROUPE_PUBLIC_H

#include "msg/pack.h"
#include "msg/value.h"
#include "troupe.h"

void public_error (troupe_error_t *to, const error_t *from);
const troupe_value_t *public_value (const value_t *value);

struct troupe_args {
    pack_t pack; //  an open map
};

#endif
