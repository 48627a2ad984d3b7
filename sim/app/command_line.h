#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenario/scenario.h"

// Commands as they are shown, to be pasted into a shell.
namespace sim::app {

// "kraftsim run FILE --seed 7 --set path=value"; passwords are hidden.
std::string command_line(const std::string& command, const std::string& file, std::uint64_t seed,
                         const std::vector<scenario::Override>& overrides);

}  // namespace sim::app
