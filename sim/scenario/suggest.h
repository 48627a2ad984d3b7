#pragma once

#include <string>
#include <string_view>
#include <vector>

// "did you mean": the word somebody probably meant.
namespace sim::scenario {

// The candidate closest to `word` by edits (insert, delete, change, swap), ignoring case; empty if none is
// close enough to be worth saying. Ties go to the earlier candidate.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);
// Whether two words differ in nothing but case and what divides their parts: linger.ms, LINGER_MS, lingerMs.
bool same_letters(std::string_view a, std::string_view b);

// "did you mean X?", or empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates);

// The same, and what there is if nothing is close.
std::string did_you_mean_rack(std::string_view rack, const std::vector<std::string_view>& racks);

}  // namespace sim::scenario
