#pragma once

#include <string>
#include <vector>

namespace sim::app {

// The names of the built-in scenarios, without @ and ending.
std::vector<std::string> builtin_scenarios();

// The built-in scenarios and those in `folder`, with what they are about.
std::string list_scenarios(const std::string& folder, bool color);

}  // namespace sim::app
