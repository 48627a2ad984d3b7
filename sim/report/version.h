#pragma once

#include <string_view>

namespace sim::report {

// Of the program; part of every manifest, so it says nothing about compiler or machine.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace sim::report
