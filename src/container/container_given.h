//  container_given.h: links of the host that a container was given. They are moved into its network
//  namespace before init executes anything, and go back to the one that the supervisor was started
//  in, which is the daemon's: the kernel would remove those that are not hardware with their
//  namespace, and has hardware go to the host's first one.

#ifndef TROUPE_CONTAINER_GIVEN_H
#define TROUPE_CONTAINER_GIVEN_H

#include "container/container_spec.h"

typedef struct {
    unsigned index; //  in the container's namespace; 0: it is not there
    unsigned char mac[6];
    bool has_mac;
} container_given_link_t;

typedef struct {
    int home; //  descriptor of the network namespace that they go back to; -1: none
    bool noted;
    container_given_link_t links[CONTAINER_LISTS_MAX]; //  of the spec's, in their order
} container_given_t;

//  Before this process leaves the namespace.
int container_given_open (container_given_t *self, error_t *err);
//  What the spec's names stand for, while nobody in the container can have renamed one.
void container_given_note (container_given_t *self, const container_spec_t *spec);
//  Gives them back, down and with the name and the MAC that they came with. If the name is taken
//  the kernel chooses a number for it. What fails is said on stderr.
void container_given_return (container_given_t *self, const container_spec_t *spec);

#endif
