//  vf.h: what a network card does with one of its virtual functions: which MAC and which VLAN that
//  has, if it may change its own (ip-link(8), "vf"), and by which port profile the switch knows it.
//  src/pci/vf_card.h sets it.

#ifndef TROUPE_VF_H
#define TROUPE_VF_H

#include "util/error.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    VF_PROFILE_SIZE = 40, //  linux/if_link.h: PORT_PROFILE_MAX, with the NUL
    VF_TEXT_SIZE = 256
};

//  A port profile (802.1Qbh): what the switch behind the card does with the function's frames,
//  under a name that its administrator gave. The uuids tell the switch whose they are.
typedef struct {
    bool said;
    char profile[VF_PROFILE_SIZE]; //  "": the function has none
    uint8_t guest[16];             //  of the guest
    uint8_t host[16];              //  of the host it is on; all 0: not known
} vf_port_t;

//  What is not said stays as it is.
typedef struct {
    bool has_mac;
    uint8_t mac[6]; //  all 0: the function chooses its own
    int vlan;       //  -1: not said; 0: none
    int qos;        //  with a VLAN: the priority of its frames
    int trust;      //  -1: not said, or its card knows no such thing; else 0 or 1
    vf_port_t port; //  not said as well if its card knows no such thing
} vf_settings_t;

//  "mac=52:54:00:12:34:56,vlan=5:0,trust=1,port=GUEST:HOST:PROFILE", with those parts that are said
//  ("port=": none). In the profile's name '%', ',' and all that does not print are %XX.
void vf_settings_text (const vf_settings_t *settings, char text[VF_TEXT_SIZE]);
bool vf_settings_read (const char *text, vf_settings_t *settings);
//  What SETTINGS do not say is as in OTHERWISE.
void vf_settings_fill (vf_settings_t *settings, const vf_settings_t *otherwise);

//  Which one of its card's functions, counted from 0, and the ifindex of the card, by which the
//  kernel is asked. Its name is for errors.
typedef struct {
    unsigned number;
    int card;
    char name[IF_NAMESIZE];
} vf_place_t;

//  ERR_OPERATION_INVALID if the device at ADDRESS is no virtual function, or its card has no
//  network interface (any more).
int vf_find (const char *sysfs, const char *address, vf_place_t *place, error_t *err);
//  The MAC that a driver of the host gave the function at ADDRESS; all 0: no driver did.
void vf_own_mac (const char *sysfs, const char *address, uint8_t mac[6]);

#endif
