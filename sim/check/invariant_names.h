#pragma once

#include <string_view>

namespace sim::check {

// What must hold, in a line, by the name of the invariant. Empty if there is none of that name.
std::string_view invariant_meaning(std::string_view name);

}  // namespace sim::check
