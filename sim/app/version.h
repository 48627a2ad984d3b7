#pragma once

#include <string_view>

namespace sim::app {

// Of the program; part of every manifest, so it says nothing about compiler or machine.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace sim::app
