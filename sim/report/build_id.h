#pragma once

#include <string>

namespace sim::report {

// 16 hexadecimal digits over all sources under sim/: programs of the same sources have the same, whatever
// compiler and machine built them. Results of different builds are not compared.
std::string build_id();

}  // namespace sim::report
