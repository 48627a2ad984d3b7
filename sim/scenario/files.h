#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

// The files a scenario is made of. A name that starts with @ is built in: the files under scenarios/ travel
// inside the program, so that `kraftsim run @order-flow` works anywhere.
namespace sim::scenario {

struct BuiltinFile {
  std::string_view name;  // order-flow.yaml, traces/orders.csv
  std::span<const std::string_view> pieces;
};

std::span<const BuiltinFile> builtin_files();  // generated, sorted by name

// Fills in the text of a file; false, and why not, if it cannot be read, is too large or is no text.
bool read_file(const std::string& path, std::size_t most_bytes, std::string& text, std::string& why_not);

// The bytes of a file of properties, which may be of any one-byte encoding; false, and why not, if it cannot
// be read, is too large or holds control characters that no text has.
bool read_properties_file(const std::string& path, std::size_t most_bytes, std::string& bytes, bool& is_utf8,
                          std::string& why_not);

// Hands over the bytes of any file, piece by piece; false, and why not, if it cannot be read.
bool copy_file(const std::string& path, const std::function<void(std::string_view)>& take,
               std::string& why_not);

// The scenario, on disk beside `path` or built in, whose name is nearest to a file that does not exist; or
// nothing.
std::string similar_scenario(const std::string& path);

// Where a file named in a scenario lies: beside the scenario, else as seen from the working folder, else from
// a folder above the scenario. So a resolved scenario finds, from its place under runs/, what the first one
// found.
std::string locate(const std::string& scenario_file, const std::string& path);

}  // namespace sim::scenario
