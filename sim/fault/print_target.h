#pragma once

#include <string>
#include <string_view>

#include "fault/fault.h"

// Whom a fault hits, as a scenario has it: "leader(orders-0)", "random(brokers, 1)".
namespace sim::fault {

std::string_view name_of(Pool pool);

// A scenario reads it back as the same target.
std::string print_target(const Target& target);

}  // namespace sim::fault
