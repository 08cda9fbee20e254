//  iommu_group.h: the owner of one IOMMU group, at iommu_group/N: whether all of it may go to a
//  guest. The hardware keeps groups apart, not the devices in one; so a group is one guest's.
//  `devices` starts it when a guest first wants a device of it. What it grants is on file with the
//  devices' owners, who ask again after a restart.
//
//  group.take     {device (address), domain (uuid), domain_name}: nil, or who has the group; at
//  once group.release  {device}: (from the device's owner) group.check    {device, domain}: {group}
//  if the host uses nothing of it any more, or what it does
//
//  Start arguments: sysfs, group (number).

#ifndef TROUPE_IOMMU_GROUP_H
#define TROUPE_IOMMU_GROUP_H

#include "actors/runtime/actor.h"

#define IOMMU_GROUP_PREFIX "iommu_group/"

extern const actor_class_t iommu_group_class;

#endif
