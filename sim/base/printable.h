#pragma once

#include <string>
#include <string_view>

namespace sim {

// As it may be shown on a terminal: control characters, and those that turn the direction of a text, are
// written by their number; tabs and ends of lines stay.
std::string printable(std::string_view text);

}  // namespace sim
