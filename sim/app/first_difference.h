#pragma once

#include <string>
#include <string_view>
#include <vector>

// The first event in which two plays of one run differ, for people: its time, node, name and the first field
// that is not the same, then both lines, and what came before them.
namespace sim::app {

// `first` and `second` are lines of events.jsonl, or empty: that side tells no more. `before` are the lines
// that come before, the same on both sides. `first_side` and `second_side` say whose they are: "recorded",
// "replayed".
std::string difference_text(std::string_view first_side, const std::string& first,
                            std::string_view second_side, const std::string& second,
                            const std::vector<std::string>& before);

}  // namespace sim::app
