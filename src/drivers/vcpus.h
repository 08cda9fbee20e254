//  vcpus.h: which of its vcpus a guest has. A document says it by their number,
//
//      <vcpu current='2'>4</vcpu>                     the first two of four, from its start on
//
//  or, for those that come and go one by one, by a list besides:
//
//      <vcpus>
//        <vcpu id='0' enabled='yes' hotpluggable='no' order='1'/> ...
//
//  (libvirt's "Domain XML format" page, "CPU Allocation"). Those that are not hotpluggable are
//  there when the guest starts, stay, and are the first ones. Once there is a list, `current`
//  follows it.

#ifndef TROUPE_VCPUS_H
#define TROUPE_VCPUS_H

#include "util/error.h"
#include "util/xml.h"

#include <sched.h>

//  The most that the domain can have.
int vcpus_most (const xml_node_t *domain);
//  How many it has.
int vcpus_count (const xml_node_t *domain);
//  How many of them are there from its start on, numbered from 0.
int vcpus_fixed (const xml_node_t *domain);
bool vcpus_has (const xml_node_t *domain, int id);
//  The number of "vcpu3", as QEMU's device is called; -1: it is another device's name.
int vcpus_of_alias (const char *alias);

//  Is there a list? And makes one of what the number says, if there is none.
bool vcpus_are_listed (const xml_node_t *domain);
void vcpus_list (xml_node_t *domain);
//  The id of the listed one that comes next in order after *RANK (-1 at first), which becomes its
//  own; -1: there is none.
int vcpus_next (const xml_node_t *domain, int *rank);

//  Checks a definition's list, and adds what it leaves out. ERR_XML_ERROR, ERR_CONFIG_UNSUPPORTED.
int vcpus_complete (xml_node_t *domain, error_t *err);

//  What a change is about.
typedef struct {
    bool live;         //  of a running guest: those that it has from its start on stay
    bool hotpluggable; //  what comes can be unplugged again
} vcpus_change_t;

//  The domain is to have COUNT. ERR_CONFIG_UNSUPPORTED if too few of them can be unplugged.
int vcpus_set_count (xml_node_t *domain, int count, const vcpus_change_t *change, error_t *err);
//  It is to have those in SET, or is not to have them. ERR_INVALID_ARG: which can't be.
int vcpus_set_some (xml_node_t *domain, const cpu_set_t *set, bool enable,
                    const vcpus_change_t *change, error_t *err);
//  It can have at most MOST from now on.
void vcpus_set_most (xml_node_t *domain, int most);
//  Of the list: vcpu ID came, or went.
void vcpus_note (xml_node_t *domain, int id, bool there, bool hotpluggable);

#endif
