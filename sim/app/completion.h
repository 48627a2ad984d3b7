#pragma once

#include <string>

namespace sim::app {

// The completion script of bash, zsh or fish. REQUIRES: shell is one of them
std::string completion_script(const std::string& shell);

}  // namespace sim::app
