//  vf_card.h: asking a network card's driver what it has set for one of its virtual functions, and
//  setting it (rtnetlink's IFLA_VFINFO_LIST, linux/if_link.h). This waits for the kernel: for a
//  process of its own.

#ifndef TROUPE_VF_CARD_H
#define TROUPE_VF_CARD_H

#include "drivers/pci/vf.h"

//  ERR_OPERATION_UNSUPPORTED if the card's driver does not say. One that knows port profiles may
//  say nothing of the MAC.
int vf_get (const vf_place_t *place, vf_settings_t *settings, error_t *err);
//  Drivers that can't take a MAC back to none leave the function the one that it has: that is no
//  error. The switch has 20 s to associate the function with its port profile.
int vf_set (const vf_place_t *place, const vf_settings_t *settings, error_t *err);

#endif
