//  vf.h: what a network card does with one of its virtual functions: which MAC and which VLAN that
//  has, and if it may change its own (ip-link(8), "vf"). src/pci/vf_card.h sets it.

#ifndef TROUPE_VF_H
#define TROUPE_VF_H

#include "util/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    VF_TEXT_SIZE = 64
};

//  What is not said stays as it is.
typedef struct {
    bool has_mac;
    uint8_t mac[6]; //  all 0: the function chooses its own
    int vlan;       //  -1: not said; 0: none
    int qos;        //  with a VLAN: the priority of its frames
    int trust;      //  -1: not said, or its card knows no such thing; else 0 or 1
} vf_settings_t;

//  "mac=52:54:00:12:34:56,vlan=5:0,trust=1", with those parts that are said.
void vf_settings_text (const vf_settings_t *settings, char text[VF_TEXT_SIZE]);
bool vf_settings_read (const char *text, vf_settings_t *settings);

//  Which one of its card's functions, counted from 0, and the ifindex of the card, by which the
//  kernel is asked.
typedef struct {
    unsigned number;
    int card;
} vf_place_t;

//  ERR_OPERATION_INVALID if the device at ADDRESS is no virtual function, or its card has no
//  network interface (any more).
int vf_find (const char *sysfs, const char *address, vf_place_t *place, error_t *err);

#endif
