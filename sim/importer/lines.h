#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

// Texts that tools print for people, taken apart.
namespace sim::importer {

// Without line ends, the \r of Windows among them.
std::vector<std::string_view> lines_of(std::string_view text);

// What stands between blanks and tabs.
std::vector<std::string_view> words_of(std::string_view line);

std::string_view without_blanks(std::string_view text);

// What stands between dividers; nothing between two of them is an empty part.
std::vector<std::string_view> parts_of(std::string_view text, char divider);

}  // namespace sim::importer
