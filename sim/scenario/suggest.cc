#include "scenario/suggest.h"

#include <algorithm>
#include <cstddef>

namespace sim::scenario {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Optimal string alignment distance, given up (as limit + 1) once it must exceed `limit`.
std::size_t edits(std::string_view a, std::string_view b, std::size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    std::size_t best = row[0];
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      const bool swapped =
          i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
      best = std::min(best, row[j]);
    }
    if (best > limit) return limit + 1;
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t kLongestWord = 100;  // what is longer is no typo
  if (word.empty() || word.size() > kLongestWord) return {};
  std::size_t limit = std::max<std::size_t>(1, (word.size() + 1) / 4);
  std::string_view best;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edits(word, candidate, limit);
    if (distance > limit || distance >= std::max(word.size(), candidate.size())) continue;
    if (!best.empty() && distance == limit) continue;
    best = candidate;
    limit = distance;
    if (distance == 0) break;
  }
  return best;
}

bool same_letters(std::string_view a, std::string_view b) {
  const auto divides = [](char c) { return c == '.' || c == '_' || c == '-'; };
  std::size_t i = 0;
  std::size_t j = 0;
  while (true) {
    while (i < a.size() && divides(a[i])) ++i;
    while (j < b.size() && divides(b[j])) ++j;
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (lower(a[i++]) != lower(b[j++])) return false;
  }
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  const std::string_view best = nearest(word, candidates);
  return best.empty() ? std::string{} : "did you mean " + std::string(best) + "?";
}

std::string did_you_mean_rack(std::string_view rack, const std::vector<std::string_view>& racks) {
  if (racks.empty()) return "none are named; write racks: [a, b, c] in cluster, a rack for each broker";
  std::string hint = did_you_mean(rack, racks);
  if (!hint.empty()) return hint;
  for (const std::string_view known : racks) hint += (hint.empty() ? "they are " : ", ") + std::string(known);
  return hint;
}

}  // namespace sim::scenario
