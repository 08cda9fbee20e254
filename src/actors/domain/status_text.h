//  status_text.h: what the status files of domains and networks have in common.

#ifndef TROUPE_STATUS_TEXT_H
#define TROUPE_STATUS_TEXT_H

#include "msg/value.h"
#include "util/text.h"

//  ' NAME="VALUE"', with the value made safe.
void status_add_attribute (text_t *text, const char *name, const char *value);
//  <undo>, of an array of [kind, argument].
void status_add_undo (text_t *text, const value_t *undo);

#endif
