#pragma once

#include <string>
#include <string_view>

// Passwords, keys and tokens come along when people paste their properties. Nothing here needs them, so they
// get no further than the loader: they stand in no message, no output file and no command that is printed.
namespace sim::scenario {

inline constexpr std::string_view kHidden = "[hidden]";  // as Kafka prints a password

// Whether the value of a property of that name is, or may hold, a secret.
bool is_secret(std::string_view property);

// A line of a file without what follows the name of such a property in it.
std::string without_secrets(std::string_view line);

}  // namespace sim::scenario
