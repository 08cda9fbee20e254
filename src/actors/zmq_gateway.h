//  placeholder
#include "actors/actor.h"
extern const actor_class_t zmq_gateway_class;
